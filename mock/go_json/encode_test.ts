import { assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { stringifyGoJson } from "./encode.ts";

describe("JSON as Go writes it", () => {
  it("escapes what might be taken for HTML or the end of a line", () => {
    assertStrictEquals(
      stringifyGoJson({ error: "<a> & 'b' \u2028 é" }),
      '{"error":"\\u003ca\\u003e \\u0026 \'b\' \\u2028 é"}',
    );
  });
});
