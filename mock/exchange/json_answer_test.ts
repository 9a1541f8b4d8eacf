import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { answerJson } from "./json_answer.ts";

describe("An answer in JSON", () => {
  it("has the same type in every runtime", async () => {
    const response = answerJson({ a: 1 }, 400);
    assertEquals([response.status, response.headers.get("Content-Type"), await response.text()], [
      400,
      "application/json; charset=utf-8",
      '{"a":1}',
    ]);
  });
});
