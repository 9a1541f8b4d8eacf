import { assert, assertEquals } from "@std/assert";
import { spy } from "@std/testing/mock";
import fc from "fast-check";
import process from "node:process";
import { describe, it } from "node:test";
import {
  chunkings,
  hostileLines,
  ndjsonBytes,
  pullSessions,
} from "../conformance/generators/mod.ts";
import { decodeProgress } from "./progress.ts";
import { NdjsonDecoder } from "./ndjson.ts";
import { decodePull, type DecodePullOptions, PullDecoder } from "./pull_decoder.ts";
import type { PullStatus } from "./status.ts";
import { PullStatusDecoder } from "./status_stream.ts";
import type { Step } from "./streams/step.ts";
import {
  asPullError,
  type Bytes,
  describeFailure,
  type Outcome,
  outcomeOf,
  pipeProgress,
  standingStill,
  streamOf,
  utf8,
} from "./stream_test_helpers.ts";

/** Bytes to statuses on the long way alone. */
function createPlainDecoder(options: DecodePullOptions): Step<Uint8Array, PullStatus> {
  const values = new NdjsonDecoder(options);
  const statuses = new PullStatusDecoder(options);
  return {
    push: (chunk, emit) => values.push(chunk, (value, line) => statuses.push(value, emit, line)),
    end: (emit) => values.end((value, line) => statuses.push(value, emit, line)),
  };
}

/** What a decoder makes of each chunk, to the letter, and how it ends. */
function runThrough(
  decoder: Step<Uint8Array, unknown>,
  chunks: readonly Uint8Array[],
): { parts: string[]; failure: unknown } {
  const parts: string[] = [];
  const run = (work: (emit: (output: unknown) => void) => void) => {
    const outputs: string[] = [];
    try {
      // At once: the next output may be the same object. Sees the order of keys, -0 and `__proto__`.
      work((output) => outputs.push(`${JSON.stringify(output)}${negativeZeros(output)}`));
    } finally {
      parts.push(outputs.join());
    }
  };
  try {
    for (const chunk of chunks) run((emit) => decoder.push(chunk, emit));
    run((emit) => decoder.end(emit));
    return { parts, failure: undefined };
  } catch (error) {
    return { parts, failure: describeFailure({ values: [], failure: { error } }) };
  }
}

function negativeZeros(value: unknown): string[] {
  return Object.entries(Object(value)).flatMap(([key, part]) => Object.is(part, -0) ? [key] : []);
}

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** Lines in which `§` stands for what varies, such as the bytes completed. */
const FRAMES = [
  // Every dialect, compact.
  `{"status":"pulling 0123456789ab","digest":"${DIGEST}","total":2019377376,"completed":§}`,
  `{"status":"pulling ffffffffffff","digest":"${DIGEST.toUpperCase()}","total":9,"completed":§}`,
  '{"status":"downloading digestname","digest":"digestname","total":2142590208,"completed":§}',
  '{"digest":"sha256:aaaa","total":100,"completed":§}',
  '{"status":"pulling aaaa","digest":"sha256:aaaa","completed":§}',
  '{"status":"pulling model","digest":"sha256:model","total":100,"completed":§}',
  // Compatible servers.
  '{"status":"downloading","completed":§,"total":40}',
  '{"status":"downloading §%","total":40,"completed":§}',
  '{"status":"downloading","digest":"","total":40,"completed":§}',
  '{"status":"downloading","digest":null,"total":40,"completed":§,"error":null,"eta":""}',
  '{"status":"pulling manifest","total":1000,"completed":§}',
  '{"digest":"","__proto__":null,"completed":§}',
  '{"digest":"","completed":§,"took":0}',
  '{"digest":"","completed":§,"took":null,"completed":null}',
  '{"digest":"","\\"completed":"","completed":§}',
  '{"digest":"","\\"completed":§}',
  // Written in another way.
  '{"completed":§,"total":100,"digest":"sha256:aaaa","status":"pulling aaaa"}',
  '{ "status" : "pulling aaaa", "digest" : "sha256:aaaa", "completed" : § }',
  '\t{"digest":"sha256:aaaa","completed":\t§\t} \t',
  '{"digest":"sha256:aaaa","completed":§}\r',
  '{"status":"\\u0070ulling","digest":"sha256:\\u00e9","completed":§}',
  '{"status":"größer 名前 😀","digest":"sha256:aaaa","completed":§}',
  '{"digest":"sha256:aaaa","\\u0063ompleted":§}',
  // Where digits are, but not those that count.
  '{"digest":"sha256:aaaa","completed":§,"completed":7}',
  '{"digest":"sha256:aaaa","completed":7,"completed":§}',
  '{"digest":"sha256:aaaa","completed":7,"completed" :§}',
  '{"digest":"sha256:aaaa","completed":§,"\\u0063ompleted":7}',
  '{"digest":"sha256:aaaa","completed":§,"co\\u006dpleted":7}',
  '{"digest":"sha256:aaaa","completed":§,"total":§}',
  '{"digest":"sha256:aaaa","total":§,"completed":§}',
  '{"digest":"sha256:aaaa§","completed":§}',
  '{"digest":"sha256:aaaa§","completed":7}',
  '{"digest":"sha256:aaaa","completed":7,"status":"§"}',
  '{"digest":"sha256:aaaa","completed":7,"status":"\\"completed\\":§}"}',
  '{"digest":"sha256:aaaa","\\"completed":§}',
  '{"digest":"sha256:aaaa","completed":7,"status":"\\u000§"}',
  '{"digest":"sha256:aaaa","completed":7,"total":1§}',
  // With what else an object may hold.
  '{"digest":"sha256:aaaa","completed":§,"took":§}',
  '{"digest":"sha256:aaaa","completed":7,"more":{"completed":§}}',
  '{"digest":"sha256:aaaa","__proto__":{"completed":§},"completed":7}',
  '{"__proto__":{"digest":"sha256:aaaa"},"completed":§}',
  '{"kind":"success","completed":§}',
  '{"digest":"","completed":§}',
  '{"digest":null,"completed":§}',
  '{"status":"success","completed":§}',
  '{"error":"disk full","completed":§}',
  '{"completed":§}',
  // Numbers that are more than their digits.
  '{"digest":"sha256:aaaa","completed":-§}',
  '{"digest":"sha256:aaaa","completed":0§}',
  '{"digest":"sha256:aaaa","completed":§0}',
  '{"digest":"sha256:aaaa","completed":§.0}',
  '{"digest":"sha256:aaaa","completed":§.5}',
  '{"digest":"sha256:aaaa","completed":§e0}',
  '{"digest":"sha256:aaaa","completed":§e1}',
  '{"digest":"sha256:aaaa","completed":1e§}',
  '{"digest":"sha256:aaaa","completed":"§"}',
  // No objects, or not whole.
  '["completed",§]',
  '{"digest":"sha256:aaaa","completed":§',
  '{"digest":"sha256:aaaa","completed":§}}',
  '{"digest":"sha256:aaaa","completed":§}{"digest":"sha256:aaaa","completed":§}',
  '\ufeff{"digest":"sha256:aaaa","completed":§}',
  '{"digest":"sha256:aaaa\u0000","completed":§}',
  "§",
];

/** What may stand for the digits. */
const fillings = () =>
  fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 12 }).map(String) },
    { weight: 4, arbitrary: fc.maxSafeNat().map(String) },
    fc.constantFrom("7", "99", "100", "9007199254740991", "999999999999999"),
    fc.constantFrom("0", "-0", "00", "01", "-5", "1e3", "1.0", "1.5", "", " 5", "5 ", "+5", "0x5"),
    fc.constantFrom(
      "9007199254740992",
      "9007199254740993",
      "99999999999999999999",
      "9".repeat(400),
    ),
    fc.constantFrom("null", "true", '"5"', "[5]", "5,", "5}", "٥", "５", "5\n", "/", ":"),
  );

const fill = (frame: string, filling: string) => frame.replaceAll("§", filling);

/** Lines of one frame, as often as a server may send them, or of some that take turns. */
const runs = () =>
  fc.tuple(
    fc.array(fc.constantFrom(...FRAMES), { minLength: 1, maxLength: 3 }),
    fc.array(fillings(), { minLength: 1, maxLength: 9 }),
  ).map(([frames, all]) =>
    all.map((filling, index) => fill(frames[index % frames.length]!, filling))
  );

/** The bytes of lines, some of them known to be like one before and others anything. */
function streams(): fc.Arbitrary<Bytes> {
  const line = fc.oneof(
    { weight: 8, arbitrary: runs() },
    hostileLines().map((text) => [text]),
    fc.constantFrom("", "\r", " ", "null", '{"status":"success"}').map((text) => [text]),
  ).map((all) => all.map(utf8));
  const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 4 });
  return fc.tuple(fc.array(line, { maxLength: 5 }), fc.boolean(), fc.boolean(), damage).map(
    ([all, isMarked, isEnded, damage]) => {
      const bytes = all.flat().flatMap((line) => [...line, 0x0a]);
      if (isMarked) bytes.unshift(...utf8("\ufeff"));
      if (!isEnded) bytes.pop();
      if (damage && bytes.length > 0) bytes[damage[0] % bytes.length] = damage[1];
      return new Uint8Array(bytes);
    },
  );
}

const arrivals = () => streams().chain((bytes) => fc.oneof(fc.constant([bytes]), chunkings(bytes)));

const options = (): fc.Arbitrary<DecodePullOptions> =>
  fc.record({
    maxLineBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(40.5, 1e6, Infinity)),
    onMalformed: fc.constantFrom<"error" | "skip">("error", "skip"),
  }, { requiredKeys: [] });

describe("the short way of PullDecoder", () => {
  it("agrees with the slow path, for any bytes in any chunks: same statuses, same error", () => {
    fc.assert(
      fc.property(arrivals(), options(), (chunks, options) => {
        assertEquals(
          runThrough(new PullDecoder(options), chunks),
          runThrough(createPlainDecoder(options), chunks),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("does so for any line after any other, with any values", () => {
    const values = ["12", "9007199254740992", "0", "01", "1e3", ""];
    for (const first of FRAMES) {
      for (const second of FRAMES) {
        for (const value of values) {
          const inTurn = ["7", "8", value, "9"].flatMap((filling) =>
            [first, second].map((frame) => `${fill(frame, filling)}\n`)
          );
          const inSequence = inTurn.filter((_, index) => index % 2 === 0)
            .concat(inTurn.filter((_, index) => index % 2 === 1), inTurn[0]!);
          for (const lines of [inTurn, inSequence]) {
            const chunks = lines.map(utf8); // each line arrives by itself
            assertEquals(
              runThrough(new PullDecoder({ onMalformed: "skip" }), chunks),
              runThrough(createPlainDecoder({ onMalformed: "skip" }), chunks),
              lines.join(""),
            );
          }
        }
      }
    }
  });

  it("does so for the bytes of any session", () => {
    const sessions = pullSessions({ endings: ["success", "error", "cut"] })
      .chain(({ statuses }) => ndjsonBytes(statuses)).chain(chunkings);
    fc.assert(fc.property(sessions, (chunks) => {
      assertEquals(
        runThrough(new PullDecoder({}), chunks),
        runThrough(createPlainDecoder({}), chunks),
      );
    }));
  });

  it("gives the same progress as the three streams, which have no fast path", async () => {
    const now = standingStill;
    await fc.assert(fc.asyncProperty(arrivals(), options(), async (chunks, options) => {
      const fused = await outcomeOf(decodeProgress(streamOf(chunks), { ...options, now }));
      const piped = await outcomeOf(pipeProgress(streamOf(chunks), { ...options, now }));
      assertEquals(JSON.stringify(fused.values.at(-1)), JSON.stringify(piped.values.at(-1)));
      assertEquals(codeOf(fused), codeOf(piped));
    }));
  });
});

const codeOf = ({ failure }: Outcome<unknown>) => failure && asPullError(failure.error).code;

/** How many lines are parsed of a stream that arrives in chunks. */
function countParsed(chunks: readonly Uint8Array[], options: DecodePullOptions = {}): number {
  const decoder = new PullDecoder(options);
  using parse = spy(JSON, "parse");
  for (const chunk of chunks) decoder.push(chunk, () => {});
  return parse.calls.length;
}

describe("PullDecoder", () => {
  const line = (completed: number | string, digest = "sha256:aaaa") =>
    `{"status":"pulling aaaa","digest":"${digest}","total":100,"completed":${completed}}\n`;

  it("parses one line of each layer, however the lines arrive", () => {
    const [first, second] = ["sha256:aaaa", "sha256:bbbb"].map((digest) =>
      Array.from({ length: 1_000 }, (_, index) => line(index + 1, digest))
    ) as [string[], string[]];
    const bytes = utf8([...first, ...second].join(""));
    for (const size of [bytes.length, 1_400, 7]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      assertEquals(countParsed(chunks), 2, `${size} bytes a chunk`);
    }
  });

  it("parses one line of each layer, and one after the first round, if layers take turns", () => {
    const waiting = '{"digest":"sha256:dddd","total":100}\n';
    const turn = (completed: number) =>
      ["sha256:aaaa", "sha256:bbbb", "sha256:cccc"].map((digest) => line(completed, digest))
        .concat(waiting).join("");
    const turns = Array.from({ length: 100 }, (_, index) => utf8(turn(index + 1)));
    assertEquals(countParsed(turns), 5);
  });

  it("parses the first line with bytes after lines without", () => {
    assertEquals(countParsed([0, 0, 5, 6, 7].map((completed) => utf8(line(completed)))), 2);
  });

  it("parses one line for each way to write it", () => {
    const ways = [
      '{"completed":§,"total":100,"digest":"sha256:aaaa","status":"pulling aaaa"}\n',
      '{ "digest": "sha256:aaaa", "completed": § }\n',
      '{"digest":"sha256:aaaa","completed":§}\r\n',
      '{"status":"größer \\"名前\\" 😀","digest":"sha256:aaaa","completed":§}\n',
      '{"status":"downloading","completed":§,"total":1000}\n',
      '{"status":"downloading","digest":"","total":1000,"completed":§}\n',
      '{"status":"pulling manifest","digest":null,"total":1000,"completed":§,"error":null}\n',
    ];
    for (const way of ways) {
      assertEquals(countParsed(["5", "67", "890"].map((filling) => utf8(fill(way, filling)))), 1);
    }
  });

  it("parses lines with an invalid number of bytes, or of another length", () => {
    for (const other of ["", "01", "00", "-1", "1.0", "1e3", "9007199254740992", "1 ", "/", ":"]) {
      const chunks = [line(5), line(5), line(other)].map(utf8);
      assertEquals(countParsed(chunks, { onMalformed: "skip" }), 2, other);
    }
  });

  it("remembers a limited number of lines, and only short ones", () => {
    const digests = Array.from({ length: 20_000 }, (_, index) => `sha256:${index}`);
    const turn = utf8(digests.map((digest) => line(5, digest)).join(""));
    const parsed = countParsed([turn, turn]);
    assertEquals(parsed, 30_001); // the first one of the second turn comes after one that is not known
    const ofLength = (length: number) =>
      utf8(line(5, "a".repeat(length - line(5, "").trim().length)));
    const [short, long] = [ofLength(1_000), ofLength(1_001)];
    assertEquals([countParsed([short, short]), countParsed([long, long])], [1, 2]);
    const longest = Array.from(
      { length: 5_000 },
      (_, index) => utf8(line(5, `${index}`.padStart(1_000 - line(5, "").trim().length, "a"))),
    );
    assertEquals(countParsed(longest.concat(longest)), 5_000 + 3_001); // 2,000 of them are known
  });
});

describe("the lines that a decoder remembers", () => {
  const gc = (globalThis as { gc?: () => void }).gc;
  it("take at most 30 MB, whatever the server sends", {
    skip: gc === undefined && "the runtime cannot be asked to collect garbage",
  }, () => {
    const withDigest = (length: number, letter: string) => (index: number) =>
      `{"digest":"${`${index}`.padStart(length - 60, letter)}","total":9,"completed":5}\n`;
    const withFields = (index: number) => {
      const fields = Array.from({ length: 120 }, (_, field) => `"${index}${field}":""`);
      return `{${fields.join()},"completed":5}\n`.slice(-1_000).replace(/^[^,]*,/, "{");
    };
    const servers = [
      withDigest(1_000, "名"),
      withDigest(400, "名"),
      withDigest(200, "a"),
      withFields,
    ];
    for (const [server, lineOf] of servers.entries()) {
      const line = (index: number) => utf8(lineOf(index));
      gc!();
      const before = process.memoryUsage();
      const decoder = new PullDecoder({});
      for (let index = 0; index < 12_000; index++) decoder.push(line(index), () => {});
      gc!();
      const after = process.memoryUsage();
      const kept = after.heapUsed - before.heapUsed + after.external - before.external;
      assert(kept < 30e6, `${kept} bytes for the lines of server ${server}`);
      decoder.push(line(0), () => {}); // it is in use until here
    }
  });
});

describe("decodePull", () => {
  it("emits statuses that share nothing, so that changing one changes no other", async () => {
    const line = (completed: number) => `{"digest":"sha256:aaaa","completed":${completed}}\n`;
    const withMore = '{"more":{},"digest":"sha256:bbbb","completed":5}\n';
    const empty = '{"digest":"","completed":7}\n';
    const chunks = [line(1) + line(2), line(3), withMore + withMore, empty, empty + empty];
    const body = streamOf(chunks.map(utf8));
    const statuses: PullStatus[] = [];
    for await (const status of decodePull(body)) {
      statuses.push(structuredClone(status));
      Object.assign(status, { digest: "changed", completed: 0 });
      Object.assign(Object(status.extra?.["more"]), { isChanged: true });
      Object.assign(Object(status.extra), { digest: "changed" });
    }
    const [first, second] = ["sha256:aaaa", "sha256:bbbb"].map((digest) => ({
      kind: "downloading" as const,
      digest,
    }));
    assertEquals(statuses, [
      ...[1, 2, 3].map((completed) => ({ ...first!, completed })),
      ...[5, 5].map((completed) => ({ ...second!, completed, extra: { more: {} } })),
      ...[1, 2, 3].map(() => ({ kind: "downloading", completed: 7, extra: { digest: "" } })),
    ] as PullStatus[]);
  });
});
