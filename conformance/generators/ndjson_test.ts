import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { ndjsonBytes } from "./ndjson.ts";
import { occurs, smallest } from "./test_helpers.ts";

describe("ndjsonBytes", () => {
  /** The values that lines of JSON hold, read in the plainest way. */
  const read = (bytes: Uint8Array): unknown[] =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line));

  const values = fc.array(fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" }), { maxLength: 4 })
    .map((values) => JSON.parse(JSON.stringify(values)) as unknown[]);

  it("hold the values that they are made from, and no others", () => {
    const written = values.chain((values) => fc.tuple(fc.constant(values), ndjsonBytes(values)));
    fc.assert(
      fc.property(written, ([values, bytes]) => assertEquals(read(bytes), values)),
      { numRuns: 500 },
    );
  });

  it("are framed in every way that there is", () => {
    const values = [{ b: "é", a: 1 }, { c: "/" }];
    const framings: [string, RegExp][] = [
      ["a byte order mark", /^\ufeff/],
      ["LF", /[^\r]\n/],
      ["CRLF", /}\r\n/],
      ["blank lines", /\n[ \t]*\r?\n/],
      ["no last newline", /}$/],
      ["other key order", /a.*b/],
      ["white space", /{ +"/],
      ["tabs", /{\t"/],
      ["escapes", /\\u00e9/],
      ["plain characters", /é/],
    ];
    const texts = ndjsonBytes(values).map((bytes) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
    );
    for (const [name, framing] of framings) {
      assert(occurs(texts, (text) => framing.test(text)), name);
    }
  });

  it("shrink to compact lines that end in newlines", () => {
    const bytes = smallest(ndjsonBytes([{ b: 1, a: "é" }, {}]), () => true);
    assertEquals(new TextDecoder().decode(bytes), '{"b":1,"a":"é"}\n{}\n');
  });
});
