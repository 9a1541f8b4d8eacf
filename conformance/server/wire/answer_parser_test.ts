/**
 * Shows that an answer is read as it was sent, however its bytes arrive, and that what is wrong by HTTP is
 * told.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { concatBytes } from "../../../src/bytes.ts";
import type { Bytes } from "../../generators/bytes.ts";
import { chunkings } from "../../generators/mod.ts";
import { AnswerParser } from "./answer_parser.ts";

const encode = (text: string): Bytes => new TextEncoder().encode(text);

/** Has an answer arrive in one piece, and then the connection end. */
function parse(text: string, method = "POST"): AnswerParser {
  const parser = new AnswerParser(method);
  parser.push(encode(text), 0);
  parser.end();
  return parser;
}

function bodyOf({ chunks }: AnswerParser): Bytes {
  return concatBytes(chunks.map(({ bytes }) => bytes));
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("An answer", () => {
  it("is the same however its bytes arrive", () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
    const framings = fc.constantFrom("length", "chunked", "close");
    const answers = fc.tuple(bodies, framings).chain(([parts, framing]) =>
      fc.record({
        parts: fc.constant(parts),
        framing: fc.constant(framing),
        arrived: chunkings(
          concatBytes([encode(headOf(framing, parts)), ...framed(framing, parts)]),
        ),
      })
    );
    fc.assert(fc.property(answers, ({ parts, framing, arrived }) => {
      const parser = new AnswerParser("POST");
      for (const [index, bytes] of arrived.entries()) parser.push(new Uint8Array(bytes), index);
      if (framing === "close") parser.end();
      assertEquals(bodyOf(parser), concatBytes(parts));
      assertEquals(parser.problems, []);
      assert(parser.isComplete);
      assertEquals(parser.framing, framing);
      assertEquals(parser.head?.status, 200);
      const times = parser.chunks.map(({ atMs }) => atMs);
      assertEquals(times, times.toSorted((a, b) => a - b));
    }));
  });

  it("has its fields as they were sent, and when each chunk came", () => {
    const parser = new AnswerParser("POST");
    parser.push(encode(`${OK}X-A: 1\r\nx-a:  2 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\na`), 5);
    parser.push(encode("b\r\n1;x=y\r\nc\r\n0\r\nX-T: 1\r\n\r\n"), 9);
    assertEquals(parser.head?.fields, [["X-A", "1"], ["x-a", "2"], [
      "Transfer-Encoding",
      "chunked",
    ]]);
    const shown = parser.chunks.map(({ atMs, bytes }) => [atMs, new TextDecoder().decode(bytes)]);
    assertEquals(shown, [[5, "a"], [9, "b"], [9, "c"]]);
    assert(parser.isComplete);
  });

  it("has no body after HEAD, with 204 and with 304", () => {
    assertEquals(parse(`${OK}Content-Length: 5\r\n\r\n`, "HEAD").problems, []);
    for (const status of ["204 No Content", "304 Not Modified"]) {
      const parser = parse(`HTTP/1.1 ${status}\r\n\r\n`);
      assertEquals([parser.problems, parser.framing, parser.isComplete], [[], "none", true]);
    }
  });

  it("may come after an interim one", () => {
    const parser = parse(`HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nab`);
    assertEquals([parser.head?.status, parser.problems], [200, []]);
    assertEquals(bodyOf(parser), encode("ab"));
  });
});

describe("What is wrong by HTTP", () => {
  const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
  const cases: readonly [text: string, problem: RegExp][] = [
    ["", /^The connection ended before an answer$/],
    ["HTTP/1.1 200", /^The connection ended /],
    [OK, /^The connection ended within the head$/],
    [
      `${OK}Content-Length: 5\r\n\r\nabc`,
      /^The connection ended 2 bytes before the end of the body$/,
    ],
    [`${CHUNKED}3\r\nabc\r\n`, /^The connection ended before the last chunk$/],
    [`${CHUNKED}3\r\nab`, /^The connection ended before the last chunk$/],
    [`${CHUNKED}0\r\n`, /^The connection ended before the last chunk$/],
    [`${CHUNKED}2\r\nabc\r\n0\r\n\r\n`, /^A chunk is longer than its size says$/],
    [`${CHUNKED}x\r\n`, /^The size of a chunk is malformed: x$/],
    [`${CHUNKED}0\r\n\r\nmore`, /^4 bytes came after the end of the answer$/],
    [`${OK}Content-Length: 2\r\n\r\nabc`, /^1 bytes came after the end of the answer$/],
    [
      `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nab`,
      /^The Content-Length is malformed: 2, 3$/,
    ],
    [`${OK}Content-Length: -2\r\n\r\n`, /^The Content-Length is malformed: -2$/],
    [
      `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^The answer has both a Content-Length and a Transfer-Encoding$/,
    ],
    [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, /^The Transfer-Encoding is gzip, chunked, /],
    [`${OK}no colon\r\n\r\n`, /^A field is malformed: no colon$/],
    ["HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", /^A line of the head ends without a CR$/],
    ["<html>\r\n\r\n", /^The status line is malformed: <html>$/],
    ["x".repeat(70_000), /^A line of the head is too long$/],
  ];
  for (const [text, problem] of cases) {
    it(`is told: ${JSON.stringify(text.slice(0, 60))}`, () => {
      const { problems } = parse(text);
      assert(problem.test(problems[0] ?? ""), JSON.stringify(problems));
    });
  }

  it("never fails, whatever comes", () => {
    const pieces = fc.constantFrom(
      OK,
      "\r\n",
      "\n",
      "Content-Length: 3",
      "Transfer-Encoding: chunked",
      "0",
      "3",
      "abc",
      ":",
      "\r",
    );
    const bytes = fc.oneof(fc.array(pieces).map((all) => encode(all.join(""))), fc.uint8Array());
    fc.assert(fc.property(fc.array(bytes), (arrived) => {
      const parser = new AnswerParser("POST");
      for (const each of arrived) parser.push(new Uint8Array(each), 0);
      parser.end();
      assert(parser.isComplete || parser.problems.length > 0);
    }));
  });
});

type Framing = "length" | "chunked" | "close";

function headOf(framing: string, parts: readonly Uint8Array[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const fields: Record<string, string> = {
    length: `Content-Length: ${length}\r\n`,
    chunked: "Transfer-Encoding: chunked\r\n",
    close: "",
  } satisfies Record<Framing, string>;
  return `${OK}${fields[framing]}\r\n`;
}

/** The body as it is sent. */
function framed(framing: string, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (framing !== "chunked") return parts;
  const chunks = parts.flatMap((part) => [
    encode(`${part.length.toString(16)}\r\n`),
    part,
    encode("\r\n"),
  ]);
  return [...chunks, encode("0\r\n\r\n")];
}
