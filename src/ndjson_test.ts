import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { concatReadableStreams, toText } from "@std/streams";
import { assertSpyCalls, spy } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  cutBytes,
  hostileLines,
  ndjsonBytes,
  pullSessions,
} from "../conformance/generators/mod.ts";
import type { PullError } from "./errors.ts";
import { NdjsonDecoder, NdjsonDecoderStream, NdjsonEncoderStream } from "./ndjson.ts";
import {
  asPullError,
  type Bytes,
  describeFailure,
  lines,
  outcomeOf,
  pipeValues,
  pullErrorOf,
  resultOf,
  streamOf,
  TestSource,
  utf8,
} from "./stream_test_helpers.ts";

const decode = (chunks: Iterable<Bytes>, options = {}) => pipeValues(streamOf(chunks), options);

/** What the synchronous core makes of chunks: the values and their lines, and the failure. */
function decodeAtOnce(chunks: Iterable<Bytes>, options = {}): unknown {
  const decoder = new NdjsonDecoder(options);
  const values: unknown[] = [];
  const emit = (value: unknown, line: number) => values.push({ value, line });
  try {
    for (const chunk of chunks) decoder.push(chunk, emit);
    decoder.end(emit);
    return { values };
  } catch (error) {
    return { values, failure: describeFailure({ values, failure: { error } }) };
  }
}

/**
 * What a line-by-line reading with `JSON.parse` makes of whole bytes: the grammar in ten lines, against
 * which the decoder is held.
 */
function decodeNaively(
  bytes: Bytes,
): { values: unknown[]; failure?: [code: string, line: number] } {
  const values: unknown[] = [];
  const all = new TextDecoder().decode(bytes).split("\n");
  for (const [index, line] of all.entries()) {
    if (/^[ \t\r]*$/.test(line)) continue;
    try {
      values.push({ value: JSON.parse(line), line: index + 1 });
    } catch {
      return { values, failure: [index === all.length - 1 ? "truncated" : "malformed", index + 1] };
    }
  }
  return { values };
}

/** Streams that are valid, each with something in it at which a split may hurt. */
const VALID = [
  lines({ status: "pulling manifest" }, { status: "success" }),
  '\ufeff{"status":"pulling manifest"}\r\n\r\n \t\r\n{"status":"success"}',
  '{"status":"größer als 名前 😀 \ufeff"}\r\n{"status":"\\u00e9\\ud83d\\ude00"}\n\n',
  '\n\r\n[1,2.5e3,"\\n"]\n"text"\nnull\n-0\n  {"a":{"b":[{}]}}  \n',
  "",
  "\n",
  "\ufeff",
  "\ufeff\n1",
];

/** Streams that are not, and at which line. */
const INVALID = [
  '{"status":"pulling manifest"}\n<html>é</html>\n{"status":"success"}\n',
  '\ufeff{"status":"pulling manifest"}\r\nnot json\r\n',
  '{"status":"success"}\n\ufeff{"status":"success"}\n',
  '\ufeff\ufeff{"status":"success"}\n',
  '{"a":1}\n{"status":"größ',
  '{"a":1}{"b":2}\n',
  '{"a":1}\r{"b":2}\n',
];

describe("NdjsonDecoder", () => {
  it("gives the same values for a stream in one piece, split anywhere, or byte by byte", () => {
    for (const text of [...VALID, ...INVALID]) {
      const bytes = utf8(text);
      const whole = decodeAtOnce([bytes]);
      for (let at = 0; at <= bytes.length; at++) {
        assertEquals(decodeAtOnce(cutBytes(bytes, [at])), whole, `split at ${at} of ${text}`);
      }
      assertEquals(decodeAtOnce(cutBytes(bytes, [...bytes.keys()])), whole, text);
    }
  });

  it("gives the same values for any session in any chunks", () => {
    const arrivals = pullSessions({ maxLayers: 2 })
      .chain(({ statuses }) => fc.tuple(fc.constant(statuses), ndjsonBytes(statuses)))
      .chain(([statuses, bytes]) => fc.tuple(fc.constant(statuses), chunkings(bytes)));
    fc.assert(fc.property(arrivals, ([statuses, chunks]) => {
      const { values } = decodeAtOnce(chunks) as { values: { value: unknown }[] };
      assertEquals(values.map(({ value }) => value), [...statuses]);
    }));
  });

  it("agrees with JSON.parse on every line, valid or not, in any chunks", () => {
    const line = fc.oneof(
      hostileLines().map(utf8),
      fc.json().map(utf8),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => new Uint8Array(bytes)),
      fc.constantFrom("", "\r", " ", "\t\r", "{}\r", "\ufeff{}", " \u00a0", "\f", " \v").map(utf8),
    );
    const streams = fc.tuple(fc.array(line, { maxLength: 6 }), fc.boolean())
      .map(([all, finalNewline]) => join(all, finalNewline))
      .chain((bytes) => fc.tuple(fc.constant(bytes), chunkings(bytes)));
    fc.assert(
      fc.property(streams, ([bytes, chunks]) => {
        const { values, failure } = decodeAtOnce(chunks) as {
          values: unknown[];
          failure?: { code: string; line: number };
        };
        const expected = decodeNaively(bytes);
        assertEquals(values, expected.values);
        assertEquals(failure && [failure.code, failure.line], expected.failure);
      }),
      { numRuns: 1000 },
    );
  });

  it("replaces bytes that are not UTF-8 with U+FFFD, and never loses a newline to them", () => {
    for (const bad of [[0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc3], [0xff], [0xed, 0xa0, 0x80]]) {
      const bytes = new Uint8Array([0x22, ...bad, 0x22, 0x0a, 0x22, ...bad, 0x0a, 0x31, 0x0a]);
      const expected = decodeNaively(bytes);
      assertEquals(expected.failure, ["malformed", 2]);
      for (let at = 0; at <= bytes.length; at++) {
        const { values, failure } = decodeAtOnce(cutBytes(bytes, [at])) as {
          values: unknown[];
          failure: { line: number };
        };
        assertEquals(values, expected.values);
        assertEquals(failure.line, 2);
      }
    }
  });

  it("works if the source writes each chunk into the same buffer", () => {
    const sources = pullSessions({ maxLayers: 2 }).chain(({ statuses }) => ndjsonBytes(statuses))
      .chain(chunkings);
    fc.assert(fc.property(sources, (chunks) => {
      assertEquals(decodeAtOnce(inOneBuffer(chunks)), decodeAtOnce(chunks));
    }));
  });

  it("counts blank lines, so that line numbers match those of an editor", () => {
    const error = { code: "malformed", line: 5, message: 'Line 5 is not JSON: "x"', excerpt: "x" };
    assertEquals(decodeAtOnce([utf8("{}\n\n\r\n{}\nx\n")]), {
      values: [{ value: {}, line: 1 }, { value: {}, line: 4 }],
      failure: { ...error, status: undefined },
    });
  });
});

/** Joins lines. */
function join(all: readonly Uint8Array[], finalNewline: boolean): Bytes {
  const bytes = all.flatMap((line) => [...line, 0x0a]);
  return new Uint8Array(finalNewline ? bytes : bytes.slice(0, -1));
}

/** Chunks that all lie in one buffer, each overwritten by the next. */
function* inOneBuffer(chunks: readonly Bytes[]): Generator<Bytes> {
  const buffer = new Uint8Array(Math.max(0, ...chunks.map(({ length }) => length)));
  for (const chunk of chunks) {
    buffer.fill(0x7b).set(chunk);
    yield buffer.subarray(0, chunk.length);
  }
  buffer.fill(0x7b);
}

describe("NdjsonDecoderStream", () => {
  it("gives the same values, error and line however the bytes are split", async () => {
    for (const text of [...VALID, ...INVALID]) {
      const bytes = utf8(text);
      const whole = await resultOf(decode([bytes]));
      for (let at = 0; at <= bytes.length; at++) {
        assertEquals(await resultOf(decode(cutBytes(bytes, [at]))), whole, `${at} of ${text}`);
      }
      assertEquals(await resultOf(decode(cutBytes(bytes, [...bytes.keys()]))), whole);
    }
  });

  it("gives the values before a failure, then the failure", async () => {
    const { values, failure } = await outcomeOf(decode([utf8('{"a":1}\n[2]\n<html>\n{"b":3}\n')]));
    const error = asPullError(failure?.error);
    assertEquals(values, [{ a: 1 }, [2]]);
    assertEquals([error.code, error.line, error.excerpt], ["malformed", 3, "<html>"]);
    assertEquals(error.message, 'Line 3 is not JSON: "<html>"');
    assertInstanceOf(error.cause, SyntaxError);
  });

  it("says where the bytes were cut off", async () => {
    const error = await pullErrorOf(decode([utf8('{"a":1}\n{"status":"pul')]));
    assertEquals([error.code, error.line, error.excerpt], ["truncated", 2, '{"status":"pul']);
    assertEquals(
      error.message,
      'The stream ended in the middle of line 2: "{\\"status\\":\\"pul"',
    );
  });

  it("shows no more than the start of a long line", async () => {
    const { message, excerpt } = await pullErrorOf(decode([utf8(`${"x".repeat(10_000)}\n`)]));
    assertEquals(excerpt, `${"x".repeat(80)}…`);
    assertLess(message.length, 120);
  });

  it("skips one byte order mark, only at the start of the stream", async () => {
    const mark = "\ufeff";
    assertEquals((await outcomeOf(decode([utf8(`${mark}1\n2`)]))).values, [1, 2]);
    assertEquals((await pullErrorOf(decode([utf8(`1\n${mark}2\n`)]))).line, 2);
    assertEquals((await pullErrorOf(decode([utf8(`${mark}${mark}1\n`)]))).line, 1);
    assertEquals((await pullErrorOf(decode([utf8(`\n${mark}1\n`)]))).line, 2);
  });

  it("accepts any number of empty chunks", async () => {
    const chunks = ["", '{"a"', "", "", ":1}", "", "\n", ""].map(utf8);
    assertEquals((await outcomeOf(decode(chunks))).values, [{ a: 1 }]);
  });

  it("decodes values nested 10,000 and 400,000 deep as JSON.parse does", async () => {
    for (const depth of [10_000, 400_000]) {
      for (
        const text of [
          `${"[".repeat(depth)}${"]".repeat(depth)}`,
          `{"status":${"[".repeat(depth)}${"]".repeat(depth)}}`,
          `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
        ]
      ) {
        const options = { maxLineBytes: 10_000_000 };
        const bytes = utf8(`1\n${text}\n`);
        const { values, failure } = await outcomeOf(decode([bytes], options));
        assertEquals(values[0], 1);
        if (canParse(text)) assertEquals([values.length, failure], [2, undefined]);
        else assertEquals(asPullError(failure?.error).code, "malformed");
      }
    }
  });

  it("does not set a prototype for a __proto__ key", async () => {
    const { values } = await outcomeOf(decode([utf8('{"__proto__":{"polluted":true}}\n')]));
    assertEquals(Object.getPrototypeOf(values[0]), Object.prototype);
    assertEquals(({} as { polluted?: unknown }).polluted, undefined);
  });

  it("completes a line of 1 MiB that arrives byte by byte", () => {
    const line = utf8(`${JSON.stringify("x".repeat(1024 * 1024 - 2))}`);
    assertEquals(line.length, 1024 * 1024);
    const decoder = new NdjsonDecoder({});
    const start = performance.now();
    for (let at = 0; at < line.length; at++) decoder.push(line.subarray(at, at + 1), fail);
    let decoded: unknown;
    decoder.push(utf8("\n"), (value) => decoded = value);
    assertEquals(decoded, "x".repeat(1024 * 1024 - 2));
    // A tenth of a second where each byte costs the same, most of a minute where it does not.
    assertLess(performance.now() - start, 10_000);
  });
});

function fail(): never {
  throw new Error("There is no line yet");
}

function canParse(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("maxLineBytes", () => {
  const maxLineBytes = 20;
  const fits = JSON.stringify("x".repeat(maxLineBytes - 2));
  const isOver = JSON.stringify("x".repeat(maxLineBytes - 1));

  it("accepts a line of exactly this length, in any chunks, with and without a newline", () => {
    const texts = [`${fits}\n1\n`, `1\n${fits}\n2`, `1\n\n${fits}`, `${fits}\n${fits}\n`];
    for (const text of [...texts, ...texts.map((text) => text.replaceAll("\n", "\r\n"))]) {
      const bytes = utf8(text);
      for (let at = 0; at <= bytes.length; at++) {
        const result = decodeAtOnce(cutBytes(bytes, [at]), { maxLineBytes });
        assertEquals("failure" in (result as object), false, `split at ${at} of ${text}`);
      }
    }
  });

  it("fails a line of one byte more, after the lines before it, in any chunks", () => {
    const before = [{ value: 1, line: 1 }, { value: 2, line: 3 }];
    const error = { code: "line-too-long", line: 4, message: "Line 4 is longer than 20 bytes" };
    const failure = { ...error, status: undefined, excerpt: undefined };
    for (const text of [`${isOver}\n`, isOver, `${isOver}\n1\n`, `${isOver}x\n${fits}`]) {
      const bytes = utf8(`1\n\n2\n${text}`);
      for (let at = 0; at <= bytes.length; at++) {
        const result = decodeAtOnce(cutBytes(bytes, [at]), { maxLineBytes });
        assertEquals(result, { values: before, failure }, `split at ${at} of ${text}`);
      }
      assertEquals(
        decodeAtOnce(cutBytes(bytes, [...bytes.keys()]), { maxLineBytes }),
        { values: before, failure },
      );
    }
  });

  it("counts bytes, not characters", () => {
    const text = JSON.stringify("é".repeat(9)); // 11 characters, 20 bytes
    assertEquals(decodeAtOnce([utf8(`${text}\n`)], { maxLineBytes: 20 }), {
      values: [{ value: "é".repeat(9), line: 1 }],
    });
    const { failure } = decodeAtOnce([utf8(`${text}\n`)], { maxLineBytes: 19 }) as {
      failure: { code: string };
    };
    assertEquals(failure.code, "line-too-long");
  });

  it("decides the same for any lines in any chunks", () => {
    const streams = fc.array(fc.nat({ max: 14 }), { maxLength: 8 })
      .map((lengths) => utf8(lengths.map((length) => `${"1".repeat(length)}\n`).join("")))
      .chain((bytes) => fc.tuple(fc.constant(bytes), chunkings(bytes)));
    fc.assert(
      fc.property(streams, ([bytes, chunks]) => {
        const options = { maxLineBytes: 10 };
        assertEquals(decodeAtOnce(chunks, options), decodeAtOnce([bytes], options));
        const tooLong = new TextDecoder().decode(bytes).split("\n")
          .findIndex(({ length }) => length > 10) + 1;
        const { failure } = decodeAtOnce([bytes], options) as { failure?: { line: number } };
        assertEquals(failure?.line ?? 0, tooLong);
      }),
      { numRuns: 500 },
    );
  });

  it("is 1 MiB by default", async () => {
    const fits = utf8(`${JSON.stringify("x".repeat(1024 * 1024 - 2))}\n`);
    assertEquals((await outcomeOf(decode([fits]))).failure, undefined);
    const isOver = utf8(`${JSON.stringify("x".repeat(1024 * 1024 - 1))}\n`);
    assertEquals((await pullErrorOf(decode([isOver]))).code, "line-too-long");
  });

  it("fails a line of 100 MB as soon as it is too long, and cancels its source", async () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    const source = new TestSource<Uint8Array>(...Array(1600).fill(chunk));
    const error = await pullErrorOf(pipeValues(source.stream));
    assertEquals([error.code, error.line], ["line-too-long", 1]);
    assertLess(source.reads, 20);
    assertEquals(source.cancels.length, 1);
  });

  it("fails a line of 100 MB that lies in one chunk, after the lines before it", async () => {
    const chunk = new Uint8Array(100_000_000).fill(0x78);
    chunk.set(utf8("1\n2\n"));
    for (const newlineAt of [chunk.length - 1, -1]) {
      if (newlineAt >= 0) chunk[newlineAt] = 0x0a;
      const { values, failure } = await outcomeOf(decode([chunk]));
      assertEquals(values, [1, 2]);
      assertEquals(asPullError(failure?.error).line, 3);
      chunk[chunk.length - 1] = 0x78;
    }
  });

  it("is the same with and without the carriage return of a newline", () => {
    assertEquals(decodeAtOnce([utf8(`${fits}\r\n`)], { maxLineBytes }), {
      values: [{ value: JSON.parse(fits), line: 1 }],
    });
  });

  it("must be above 0", () => {
    for (const maxLineBytes of [0, -1, NaN]) {
      assertThrows(() => new NdjsonDecoderStream({ maxLineBytes }), RangeError, "maxLineBytes");
    }
  });

  it("may be Infinity", async () => {
    const line = utf8(`${JSON.stringify("x".repeat(3_000_000))}\n`);
    const options = { maxLineBytes: Infinity };
    assertEquals((await outcomeOf(decode(cutBytes(line, [1000]), options))).values.length, 1);
  });
});

describe("onMalformed", () => {
  const bytes = utf8('{"a":1}\noops\n\n{"b":2}\n<html>\n{"c":3}\n');

  it('"skip" leaves malformed lines out', async () => {
    const { values, failure } = await outcomeOf(decode([bytes], { onMalformed: "skip" }));
    assertEquals(values, [{ a: 1 }, { b: 2 }, { c: 3 }]);
    assertEquals(failure, undefined);
  });

  it("calls a callback for each malformed line, in order, in any chunks", async () => {
    for (let at = 0; at <= bytes.length; at++) {
      const errors: PullError[] = [];
      const onMalformed = (error: PullError) => void errors.push(error);
      const { values } = await outcomeOf(decode(cutBytes(bytes, [at]), { onMalformed }));
      assertEquals(values, [{ a: 1 }, { b: 2 }, { c: 3 }]);
      assertEquals(errors.map(({ code, line }) => [code, line]), [["malformed", 2], [
        "malformed",
        5,
      ]]);
    }
  });

  it("fails the stream with what a callback throws, and cancels the source", async () => {
    const thrown = new Error("enough");
    const source = new TestSource(bytes);
    const onMalformed = spy(() => {
      throw thrown;
    });
    const { values, failure } = await outcomeOf(pipeValues(source.stream, { onMalformed }));
    assertEquals(values, [{ a: 1 }]);
    assertStrictEquals(failure?.error, thrown);
    assertSpyCalls(onMalformed, 1);
    assertEquals(source.cancels, [thrown]);
  });

  it("does not excuse a cut stream or a long line", async () => {
    const onMalformed = "skip";
    const cut = await pullErrorOf(decode([utf8('1\n{"a')], { onMalformed }));
    assertEquals(cut.code, "truncated");
    const long = decode([utf8(`${"x".repeat(30)}\n`)], { onMalformed, maxLineBytes: 20 });
    assertEquals((await pullErrorOf(long)).code, "line-too-long");
  });
});

describe("NdjsonEncoderStream", () => {
  const encode = (values: Iterable<unknown>) =>
    streamOf(values).pipeThrough(new NdjsonEncoderStream());

  it("writes what NdjsonDecoderStream reads", async () => {
    const values = fc.array(fc.jsonValue({ stringUnit: "grapheme" }), { maxLength: 5 });
    await fc.assert(fc.asyncProperty(values, async (values) => {
      const { values: decoded } = await outcomeOf(
        encode(values).pipeThrough(new NdjsonDecoderStream()),
      );
      assertEquals(decoded, JSON.parse(JSON.stringify(values)));
    }));
  });

  it("writes one compact line per value", async () => {
    const { values } = await outcomeOf(encode([{ a: [1, "x\ny"] }, null, "😀"]));
    assertEquals(values, ['{"a":[1,"x\\ny"]}\n', "null\n", '"😀"\n'].map(utf8));
  });

  it("writes what can be joined", async () => {
    const joined = concatReadableStreams(encode([1, 2]), encode([3]));
    assertEquals(await toText(joined), "1\n2\n3\n");
  });

  it("fails at a value that JSON cannot express, after the values before it", async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const value of [undefined, () => {}, Symbol("s"), 1n, circular]) {
      const { values, failure } = await outcomeOf(encode([1, value, 2]));
      assertEquals(values, [utf8("1\n")]);
      assertInstanceOf(failure?.error, TypeError);
    }
    await assertRejects(() => toText(encode([undefined])), TypeError, "undefined");
  });
});
