import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { answerJson, stringifyGoJson } from "./json_answer.ts";

describe("JSON as Go writes it", () => {
  it("escapes what might be taken for HTML or the end of a line", () => {
    assertStrictEquals(
      stringifyGoJson({ error: "<a> & 'b' \u2028 é" }),
      '{"error":"\\u003ca\\u003e \\u0026 \'b\' \\u2028 é"}',
    );
  });

  it("has the same type in every runtime", async () => {
    const response = answerJson({ a: 1 }, 400);
    assertEquals([response.status, response.headers.get("Content-Type"), await response.text()], [
      400,
      "application/json; charset=utf-8",
      '{"a":1}',
    ]);
  });
});
