import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  cutBytes,
  hostileLines,
  ndjsonBytes,
  pullSessions,
  statusObjects,
  unknownStatuses,
} from "../conformance/generators/mod.ts";
import type { PullError } from "./errors.ts";
import { decodePull } from "./pull_decoder.ts";
import { encodeStatus, isByteCount, type PullStatus, toPullStatus } from "./status.ts";
import { PullStatusStream } from "./status_stream.ts";
import {
  asPullError,
  describeFailure,
  lines,
  outcomeOf,
  pipeStatuses,
  pullErrorOf,
  resultOf,
  streamOf,
  TestSource,
  utf8,
} from "./stream_test_helpers.ts";

/** What an object is taken for. */
const kindOf = (value: unknown) => toPullStatus(value)?.kind;

const KINDS: [kind: PullStatus["kind"], object: Record<string, unknown>][] = [
  ["manifest", { status: "pulling manifest" }],
  // Every dialect's download: spec, v0.1.0, v0.1.x to now, client2 without words, tensor models.
  ["downloading", { status: "downloading digestname", digest: "digestname", total: 2142590208 }],
  ["downloading", { status: "downloading sha256:aaaa", digest: "sha256:aaaa", completed: 1 }],
  ["downloading", { status: "pulling aaaa", digest: "sha256:aaaa", total: 9, completed: 3 }],
  ["downloading", { digest: "sha256:aaaa", total: 9 }],
  ["downloading", { status: "pulling model", digest: "sha256:model", total: 9 }],
  ["verifying", { status: "verifying sha256 digest" }],
  ["writing", { status: "writing manifest" }],
  ["removing", { status: "removing any unused layers" }],
  ["removing", { status: "removing unused layers" }],
  ["removing", { status: "couldn't remove unused layers: permission denied" }],
  ["success", { status: "success" }],
  ["error", { error: "pull model manifest: file does not exist" }],
  ["error", { status: "success", error: "disk full" }],
  ["error", { digest: "sha256:aaaa", error: "disk full" }],
  ["downloading", { status: "success", digest: "sha256:aaaa" }],
  // Compatible servers, without a digest.
  ["downloading", { status: "downloading", completed: 5, total: 40 }],
  ["downloading", { status: "pulling abc", total: 100 }],
  ["downloading", { completed: 5 }],
  ["downloading", { status: "pulling manifest", total: 1000, completed: 250 }],
  ["manifest", { status: "pulling manifest", total: 1000, completed: 0 }],
  ["other", { status: "retrieving manifest", total: 0, completed: 0 }],
  ["verifying", { status: "verifying sha256 digest", total: 100, completed: 50 }],
  ["writing", { status: "writing manifest", total: 100, completed: 50 }],
  ["removing", { status: "couldn't remove unused layers: x", total: 100, completed: 50 }],
  ["success", { status: "success", total: 100, completed: 100 }],
  ["error", { error: "disk full", total: 100, completed: 50 }],
  ["other", { status: "retrieving manifest" }],
  ["other", { status: "Success" }],
  ["other", {}],
];

describe("toPullStatus", () => {
  it("knows every kind in every dialect", () => {
    for (const [kind, object] of KINDS) {
      const words = kind === "error" ? { message: object.error } : {};
      assertEquals(toPullStatus(object), { kind, ...object, ...words } as PullStatus);
    }
  });

  it("adds no fields, and puts unknown ones into extra", () => {
    assertEquals(toPullStatus({ status: "success", took: 3, digest: null }), {
      kind: "success",
      status: "success",
      extra: { took: 3, digest: null },
    });
  });

  it("accepts any object, and nothing else", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      assertEquals(toPullStatus(value) !== undefined, isObject);
    }));
    assertEquals(toPullStatus(undefined), undefined);
  });

  it("gives unknown statuses the kind other", () => {
    fc.assert(fc.property(unknownStatuses(), (object) => assertEquals(kindOf(object), "other")));
  });

  it("accepts valid numbers of bytes, and puts others into extra", () => {
    for (const total of [-1, 1.5, 2 ** 53, 1e300, Infinity, NaN, "5", null, true, [5], {}]) {
      assertEquals(toPullStatus({ digest: "sha256:aaaa", total, completed: total }), {
        kind: "downloading",
        digest: "sha256:aaaa",
        extra: { total, completed: total },
      } as PullStatus);
    }
    for (const total of [0, 1, 2 ** 53 - 1]) assert(isByteCount(total), `${total}`);
  });

  it("ignores an invalid digest", () => {
    for (const digest of [5, "", null, {}, [], true]) {
      assertEquals(kindOf({ status: "pulling aaaa", digest }), "other");
      assertEquals(toPullStatus({ status: "pulling aaaa", digest, total: 5 }), {
        kind: "downloading",
        status: "pulling aaaa",
        total: 5,
        extra: { digest },
      });
      assertEquals(toPullStatus({ status: "success", digest }), {
        kind: "success",
        status: "success",
        extra: { digest },
      });
    }
  });

  it("ignores an error without a message", () => {
    for (const error of [5, null, false, {}, [], [{}]]) {
      assertEquals(kindOf({ status: "success", error }), "success");
    }
  });

  it("is not confused by names that every object inherits", () => {
    for (const status of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
      assertEquals(kindOf({ status }), "other");
    }
    const object = JSON.parse('{"__proto__":{"digest":"sha256:aaaa","status":"success"}}');
    const status = toPullStatus(object)!;
    assertEquals([status.kind, status.digest, status.status], ["other", undefined, undefined]);
    assertEquals(Object.getPrototypeOf(status), Object.prototype);
    assertEquals(Object.getPrototypeOf(status.extra), Object.prototype);
    assertEquals(({} as { digest?: unknown }).digest, undefined);
  });

  it("puts deeply nested values into extra", () => {
    const deep = JSON.parse(`{"deep":${"[".repeat(10_000)}${"]".repeat(10_000)}}`);
    assertStrictEquals(toPullStatus(deep)?.extra?.deep, deep.deep);
  });

  it("does not change the given object", () => {
    fc.assert(fc.property(statusObjects(), (object) => {
      const before = JSON.stringify(object);
      toPullStatus(Object.freeze(object));
      assertEquals(JSON.stringify(object), before);
    }));
  });
});

describe("encodeStatus", () => {
  /** Any JSON object, with the keys likely that mean something here. */
  const objects = fc.oneof(
    fc.dictionary(
      fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom(
          ...["status", "digest", "total", "completed", "error", "kind", "extra", "__proto__"],
        ),
      ),
      fc.oneof(fc.jsonValue(), fc.constantFrom("success", "sha256:aaaa", 5, 0, "", { kind: "x" })),
    ),
    statusObjects(),
  ).map((object) => JSON.parse(JSON.stringify(object)));

  it("restores any object that toPullStatus accepted", () => {
    fc.assert(
      fc.property(objects, (object) => {
        const encoded = encodeStatus(toPullStatus(object)!);
        assertEquals(encoded, object);
        assertEquals(Object.keys(encoded).sort(), Object.keys(object).sort());
        assertEquals(sorted(encoded), sorted(object));
      }),
      { numRuns: 1000 },
    );
  });

  it("restores an empty digest", () => {
    const object = { status: "downloading", digest: "", total: 40, completed: 5 };
    assertEquals(encodeStatus(toPullStatus(object)!), object);
  });

  it("restores __proto__ as an own key", () => {
    const json = '{"status":"success","__proto__":{"a":1}}';
    assertEquals(JSON.stringify(encodeStatus(toPullStatus(JSON.parse(json))!)), json);
  });
});

/** An object as JSON in which the order of keys means nothing. */
function sorted(object: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1));
}

describe("PullStatusStream", () => {
  const type = (values: Iterable<unknown>, options = {}) =>
    streamOf(values).pipeThrough(new PullStatusStream(options));

  it("types every object of any session", async () => {
    const sessions = pullSessions({ endings: ["success", "error", "cut"] });
    await fc.assert(fc.asyncProperty(sessions, async ({ statuses }) => {
      const { values, failure } = await outcomeOf(type(statuses));
      assertEquals(values.map(encodeStatus), [...statuses]);
      assertEquals(failure, undefined);
    }));
  });

  it("fails at a value that is not an object, and says which", async () => {
    const { values, failure } = await outcomeOf(type([{ status: "success" }, ["a", 1], {}]));
    const error = asPullError(failure?.error);
    assertEquals(values, [{ kind: "success", status: "success" }]);
    assertEquals([error.code, error.line, error.excerpt], ["malformed", undefined, "an array"]);
    assertEquals(error.message, "Value 2 is not a status object: an array");
  });

  it("shows the value, even if JSON cannot express it", async () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const deep = JSON.parse(`${"[".repeat(10_000)}${"]".repeat(10_000)}`);
    for (const value of [undefined, null, 1n, Symbol("s"), () => {}, NaN, circular, deep]) {
      const { code, message } = await pullErrorOf(type([value]));
      assertEquals(code, "malformed");
      assert(message.startsWith("Value 1 is not a status object: "), message);
    }
  });

  it("skips or reports values that are not objects, if told to", async () => {
    const errors: PullError[] = [];
    const onMalformed = (error: PullError) => void errors.push(error);
    const values = [1, { status: "success" }, null];
    const expected = [{ kind: "success" as const, status: "success" }];
    assertEquals((await outcomeOf(type(values, { onMalformed: "skip" }))).values, expected);
    assertEquals((await outcomeOf(type(values, { onMalformed }))).values, expected);
    assertEquals(errors.map(({ excerpt }) => excerpt), ["1", "null"]);
  });
});

/** Bytes that may hold anything, in chunks. */
const anyArrivals = fc.oneof(
  pullSessions({ maxLayers: 2, endings: ["success", "error", "cut"] })
    .chain(({ statuses }) => ndjsonBytes(statuses)),
  fc.tuple(
    fc.array(fc.oneof(hostileLines(), statusObjects().map((object) => JSON.stringify(object)))),
    fc.boolean(),
  ).map(([all, finalNewline]) => utf8(all.join("\n") + (finalNewline ? "\n" : ""))),
).chain(chunkings);

describe("decodePull", () => {
  it("agrees with the two streams on any input: the same statuses, the same error", async () => {
    for (const onMalformed of ["error", "skip"] as const) {
      await fc.assert(fc.asyncProperty(anyArrivals, async (chunks) => {
        const fused = await outcomeOf(decodePull(streamOf(chunks), { onMalformed }));
        const piped = await outcomeOf(pipeStatuses(streamOf(chunks), { onMalformed }));
        assertEquals(fused.values, piped.values);
        assertEquals(codeOf(fused), codeOf(piped));
      }));
    }
  });

  it("gives the same statuses and the same error however the bytes are split", async () => {
    await fc.assert(fc.asyncProperty(anyArrivals, async (chunks) => {
      const whole = await new Blob(chunks).bytes();
      assertEquals(
        await resultOf(decodePull(streamOf(chunks))),
        await resultOf(decodePull(streamOf([whole]))),
      );
    }));
  });

  it("gives the same statuses for a stream split in two anywhere", async () => {
    for (const text of SPLIT_STREAMS) {
      const bytes = utf8(text);
      const whole = await resultOf(decodePull(streamOf([bytes])));
      for (let at = 0; at <= bytes.length; at++) {
        assertEquals(await resultOf(decodePull(streamOf(cutBytes(bytes, [at])))), whole);
      }
    }
  });

  it("delivers the whole lines of a stream that is cut at any byte, then fails with truncated", async () => {
    for (const text of RECORDED) {
      const bytes = utf8(text);
      const whole = (await outcomeOf(decodePull(streamOf([bytes])))).values;
      for (let at = 0; at < bytes.length; at++) {
        const { values, failure } = await outcomeOf(decodePull(streamOf([bytes.slice(0, at)])));
        const start = new TextDecoder().decode(bytes.slice(0, at));
        const isBetweenLines = /(^|[\r\n}])$/.test(start);
        assertEquals(values, whole.slice(0, start.split("}").length - 1), `cut at ${at}`);
        assertEquals(codeOf({ failure }), isBetweenLines ? undefined : "truncated", `cut at ${at}`);
      }
    }
  });

  it("emits an error object as a status, and then the statuses after it", async () => {
    const body = streamOf([utf8(lines({ error: "disk full" }, { status: "success" }))]);
    assertEquals((await outcomeOf(decodePull(body))).values, [
      { kind: "error", error: "disk full", message: "disk full" },
      { kind: "success", status: "success" },
    ]);
  });

  it("ends when its input ends, success or not", async () => {
    for (const text of ["", "\n", lines({ status: "pulling manifest" })]) {
      assertEquals((await outcomeOf(decodePull(streamOf([utf8(text)])))).failure, undefined);
    }
    assertEquals(await outcomeOf(decodePull(streamOf([]))), { values: [], failure: undefined });
  });

  it("says on which line a value is not a status object", async () => {
    const body = streamOf([utf8('{"status":"success"}\n\n"success"\n')]);
    const error = await pullErrorOf(decodePull(body));
    assertEquals([error.code, error.line, error.excerpt], ["malformed", 3, "success"]);
    assertEquals(error.message, "Line 3 is not a status object: success");
  });

  it("reports malformed lines and values to one callback, in order", async () => {
    const errors: PullError[] = [];
    const onMalformed = (error: PullError) => void errors.push(error);
    const body = streamOf([utf8('oops\n[1]\n{"status":"success"}\n<p>\n3')]);
    const { values } = await outcomeOf(decodePull(body, { onMalformed }));
    assertEquals(values, [{ kind: "success", status: "success" }]);
    assertEquals(errors.map(({ line }) => line), [1, 2, 4, 5]);
  });

  it("reads nothing before it is read from, and is at most one chunk ahead", async () => {
    const source = new TestSource(...Array(5).fill(utf8(lines({ status: "a" }, { status: "b" }))));
    const reader = decodePull(source.stream).getReader();
    for (let read = 0; read <= 10; read++) {
      assertEquals(source.reads, Math.ceil(read / 2));
      if (read < 10) await reader.read();
    }
  });

  it("cancels the body with the reason", async () => {
    const source = new TestSource<Uint8Array>();
    await decodePull(source.stream).cancel("enough");
    assertEquals(source.cancels, ["enough"]);
  });

  it("fails as the body fails, after delivering what came before", async () => {
    const error = new TypeError("reset");
    const source = new TestSource(utf8(lines({ status: "success" }) + '{"status":'));
    const outcome = outcomeOf(decodePull(source.stream));
    for (; source.reads < 2;) await Promise.resolve();
    source.fail(error);
    const { values, failure } = await outcome;
    assertEquals(values, [{ kind: "success", status: "success" }]);
    assertStrictEquals(failure?.error, error);
  });
});

function codeOf(outcome: { failure: { error: unknown } | undefined }): unknown {
  return (describeFailure({ values: [], ...outcome }) as { code?: string } | undefined)?.code;
}

/** Streams as servers send them. */
const RECORDED = [
  lines(
    { status: "pulling manifest" },
    { status: "pulling aaaa", digest: "sha256:aaaa", total: 100 },
    { status: "pulling aaaa", digest: "sha256:aaaa", total: 100, completed: 60 },
    { status: "verifying sha256 digest" },
    { status: "success" },
  ),
  lines({ status: "pulling manifest" }, { error: "größer als der Speicher 😀" })
    .replaceAll("\n", "\r\n"),
];

const SPLIT_STREAMS = [
  ...RECORDED,
  `\ufeff${RECORDED[0]}`,
  `${RECORDED[0]}not json\n`,
  `${RECORDED[1]}"größe"\r\n{}`,
];
