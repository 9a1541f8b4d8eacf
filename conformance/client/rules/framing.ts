/**
 * Rules about bytes: how objects are encoded and cut into chunks does not change what a client reports.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../../src/bytes.ts";
import { blaming } from "../../blame.ts";
import type { Bytes } from "../../generators/bytes.ts";
import { cutBytes } from "../../generators/chunkings.ts";
import type { PullSession, StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import {
  type ClientUnderTest,
  comparableFields,
  comparableUpdates,
  expectSame,
  expectTold,
  type Observation,
  observe,
} from "../observation.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { expectSuccess, FAILURE, requireFailure, requireReason, SUCCESS } from "../plain_pull.ts";
import { unlessForwarding } from "../subject.ts";
import { longPull, MANY, PULL_STATES, pullPoints, wholePull } from "../pull_states.ts";
import { begunPulls, cutPulls, encode, lines, smallPulls, texts } from "../wire_bytes.ts";

/** Checks that a client reports the same for a pull in another, equivalent form. */
async function checkSame(
  client: ClientUnderTest,
  { statuses }: Pick<PullSession, "statuses">,
  script: AnswerScript,
  run: CheckRun,
): Promise<void> {
  const plain = await observe(client, { chunks: lines(statuses) }, run);
  const other = await observe(client, script, run);
  expectSame(client, plain, other);
  if (plain.failure === undefined) run.saw();
}

/**
 * Shows a client objects with a text, once as servers send them and once cut inside characters. Returns
 * whether the client shows the text at all.
 */
async function checkText(
  client: ClientUnderTest,
  text: string,
  objects: readonly StatusObject[],
  run: CheckRun,
): Promise<boolean> {
  const chunks = lines(objects);
  const plain = await observe(client, { chunks }, run);
  const other = await observe(
    client,
    { chunks: cutCharacters(concatBytes(chunks)), paced: true },
    run,
  );
  await blaming(
    "C-FRAME-2",
    () => tripsOverCuts(client, run),
    () => expectSame(client, plain, other),
  );
  if (plain.failure?.includes(text)) await requireReason(client, other, [text], run);
  const shown = [plain.failure, ...comparableUpdates(client, plain).map(({ status }) => status)];
  return shown.some((words) => typeof words === "string" && words.includes(text));
}

/** Whether a client fails on even the simplest cut, which breaks C-FRAME-2. */
async function tripsOverCuts(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const chunks = lines(wholePull.statuses);
  const halves = chunks.flatMap((chunk) => cutBytes(chunk, [1]));
  const plain = await observe(client, { chunks }, run);
  return !isSame(client, plain, await observe(client, { chunks: halves, paced: true }, run));
}

/** Whether a client reported the same for two scripts. */
function isSame(client: ClientUnderTest, plain: Observation, other: Observation): boolean {
  try {
    expectSame(client, plain, other);
    return true;
  } catch (error) {
    if (error instanceof Violation) return false;
    throw error;
  }
}

/**
 * Cuts the bytes of a text once inside each multi-byte character. Among characters of the same length, the
 * first is cut after its first byte, the next after its second, and so on.
 */
function cutCharacters(bytes: Bytes): Bytes[] {
  const places: number[] = [];
  const counts = [0, 0, 0, 0, 0];
  for (const [index, byte] of bytes.entries()) {
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    places.push(index + 1 + counts[length]!++ % (length - 1));
  }
  return cutBytes(bytes, places);
}

/** A text in which {@link cutCharacters} cuts characters of every length at every place. */
const EVERY_CUT = "é中中😀😀😀";

/** Lines that are not JSON: parts of objects, a web page, a proxy's message, another format. */
const UNREADABLE = [
  '{"status":"pulling',
  '{"status":"success"',
  '{"error":"max retries exceeded',
  '"status":"success"}',
  "<html><head><title>502 Bad Gateway</title></head></html>",
  "upstream connect error or disconnect/reset before headers",
  'data: {"status":"success"}',
  "nul",
];

/** A long line. */
interface LongLine {
  /** Its length in bytes: longer than the initial buffers of line readers. */
  readonly bytes: number;
  /** How much of it comes at a time, in bytes. */
  readonly chunkBytes: number;
}

/**
 * Lines longer than 64 KiB, in one chunk or several. Some readers have a deliberate limit (512,000 bytes in
 * Ollama's own client): these lines are shorter.
 */
const LONG_LINES: readonly LongLine[] = [
  { bytes: 66_000, chunkBytes: 1_000_000 },
  { bytes: 500_000, chunkBytes: 16_000 },
];

/** A pull whose objects contain texts that mislead clients that search the bytes for lines or objects. */
const MISLEADING: Pick<PullSession, "statuses"> = {
  statuses: [
    { status: "pulling manifest", note: EVERY_CUT, more: '}\n{"status":"success"}\\' },
    ...PULL_STATES["resumed"]!.sent.slice(1),
    { status: "success" },
  ],
};

/** All bytes of a pull. */
function bytesOf({ statuses }: Pick<PullSession, "statuses">): Bytes {
  return concatBytes(lines(statuses));
}

/** How a body marks its end. */
const FRAMINGS = ["chunked", "length"] as const;

/** A pull in another form than one line per chunk, but equivalent. */
interface SamePull {
  readonly session: Pick<PullSession, "statuses">;
  readonly chunks: readonly Bytes[];
  readonly framing?: AnswerScript["framing"];
}

/** Every way to cut a pull: not at all, by its length, into single bytes, inside characters, across lines. */
function everyCut(session: Pick<PullSession, "statuses">): SamePull[] {
  const bytes = bytesOf(session);
  const everywhere = Array.from(bytes, (_, index) => index);
  const insideLines = session.statuses.map((_, index) =>
    bytesOf({ statuses: session.statuses.slice(0, index) }).length + 5
  );
  return [
    { session, chunks: [bytes] },
    { session, chunks: [bytes], framing: "length" },
    { session, chunks: cutCharacters(bytes) },
    { session, chunks: cutBytes(bytes, insideLines), framing: "length" },
    { session, chunks: cutBytes(bytes, everywhere).filter(({ length }) => length > 0) },
  ];
}

/** What a client that forwards statuses is sent. */
interface ToldPull {
  readonly statuses: readonly StatusObject[];
  /** The error at the end, unless the pull succeeds. */
  readonly error?: string;
}

/** The rules. */
export const framingRules: readonly Rule<ClientUnderTest>[] = [
  rule<ClientUnderTest, ToldPull>({
    id: "C-FRAME-1",
    side: "client",
    level: "should",
    title: "Every object of the stream is reported, in order",
    cites: 'spec: "a stream of JSON objects is returned"',
    evidence: SUCCESS,
    skips: (client: ClientUnderTest) => unlessForwarding(client),
    decisive: [
      wholePull,
      { statuses: longPull(MANY) },
      { statuses: PULL_STATES["in a later layer"]!.sent, error: "max retries exceeded: EOF" },
    ],
    inputs: fc.oneof(
      smallPulls(),
      begunPulls().map(({ sent }) => ({ statuses: sent, error: "EOF" })),
    ),
    async check(client, { statuses, error }, run) {
      if (error === undefined) {
        const observation = await observe(client, { chunks: lines(statuses) }, run);
        await expectSuccess(client, observation, run);
        run.saw();
        return expectTold(client, observation, statuses);
      }
      // In one chunk, so that only the client itself can lose the objects before the error.
      const chunks = [bytesOf({ statuses: [...statuses, { error }] })];
      const { updates, ...observation } = await observe(client, { chunks }, run);
      // It may also report the error as an update.
      const told = updates.filter((update) =>
        Object.keys(comparableFields(update, client)).length > 0
      );
      await blaming(
        "C-FRAME-2",
        () => tripsOverCuts(client, run),
        () => expectTold(client, { ...observation, updates: told }, statuses),
      );
    },
  }),
  rule({
    id: "C-FRAME-2",
    side: "client",
    level: "must",
    title: "The same bytes give the same updates, however they are cut into chunks",
    cites: 'spec: "a stream of JSON objects is returned", not a stream of chunks',
    evidence: SUCCESS,
    decisive: everyCut(MISLEADING),
    inputs: fc.record({
      pull: cutPulls({ surprises: ["unknown-status", "unknown-field"] }),
      framing: fc.constantFrom(...FRAMINGS),
    }).map(({ pull, framing }) => ({ ...pull, framing })),
    async check(client, { session, chunks, framing }, run) {
      await checkSame(client, session, { chunks, framing, paced: true }, run);
    },
  }),
  rule({
    id: "C-FRAME-3",
    side: "client",
    level: "should",
    title: "A character may be split between two chunks",
    cites: "JSON is exchanged in UTF-8 (RFC 8259, 8.1), and networks split it anywhere",
    evidence: "a text beyond ASCII that the client shows",
    decisive: [EVERY_CUT],
    inputs: texts(),
    async check(client, text, run) {
      const manifest = { status: "pulling manifest" };
      const isShown = [
        await checkText(client, text, [manifest, { status: text }, { status: "success" }], run),
        await checkText(client, text, [manifest, { error: text }], run),
      ];
      if (!isShown.includes(true)) {
        throw new Inconclusive("The client shows no text from the server");
      }
      if (cutCharacters(encode(text)).length > 1) run.saw();
    },
  }),
  rule({
    id: "C-FRAME-4",
    side: "client",
    level: "should",
    title: "Lines may end with CR LF",
    cites: 'NDJSON, 3.2: "The parser MUST accept newline as line delimiter \\n (0x0A) as well as ' +
      'carriage return and newline \\r\\n (0x0D0A)."',
    evidence: SUCCESS,
    decisive: [{ session: wholePull, isSplit: false }, { session: wholePull, isSplit: true }],
    inputs: fc.record({ session: smallPulls(), isSplit: fc.boolean() }),
    async check(client, { session, isSplit }, run) {
      const ended = session.statuses.map((object) => encode(`${JSON.stringify(object)}\r\n`));
      // CR and LF arrive together, or in two chunks.
      const chunks = isSplit
        ? ended.flatMap((chunk) => cutBytes(chunk, [chunk.length - 1]))
        : ended;
      await checkSame(client, session, { chunks, paced: isSplit }, run);
    },
  }),
  rule({
    id: "C-FRAME-5",
    side: "client",
    level: "should",
    title: "Blank lines are ignored",
    cites:
      'NDJSON, 3.2: "The parser MAY silently ignore empty lines"; they keep proxies and load ' +
      "balancers from closing an idle connection",
    evidence: SUCCESS,
    decisive: ["\n", "\r\n\n"].map((blank) => ({
      session: wholePull,
      places: Array.from({ length: wholePull.statuses.length + 1 }, (_, place) => place),
      blank,
    })),
    inputs: fc.record({
      session: smallPulls(),
      places: fc.array(fc.nat(), { minLength: 1, maxLength: 1 }),
      blank: fc.constantFrom("\n", "\r\n", "\n\n"),
    }),
    async check(client, { session, places, blank }, run) {
      const chunks = lines(session.statuses);
      // From the end, so that earlier positions stay valid.
      for (const place of places.toReversed()) {
        chunks.splice(place % (session.statuses.length + 1), 0, encode(blank));
      }
      await checkSame(client, session, { chunks }, run);
    },
  }),
  rule({
    id: "C-FRAME-6",
    side: "client",
    level: "should",
    title: "The last line counts even without a newline",
    cites: "A complete object counts: nothing in the spec requires a newline after the last one",
    evidence: SUCCESS,
    decisive: FRAMINGS.map((framing) => ({ session: wholePull, framing })),
    inputs: fc.record({ session: smallPulls(), framing: fc.constantFrom(...FRAMINGS) }),
    async check(client, { session, framing }, run) {
      const chunks = lines(session.statuses);
      const last = chunks.pop()!;
      await checkSame(client, session, { chunks: [...chunks, last.slice(0, -1)], framing }, run);
    },
  }),
  rule({
    id: "C-FRAME-7",
    side: "client",
    level: "should",
    title: "A line may be long",
    cites: "The protocol sets no limit, but line readers often have one by default",
    evidence: SUCCESS,
    maxRuns: 10,
    decisive: LONG_LINES.map((long) => ({ session: wholePull, long })),
    inputs: fc.record({
      session: smallPulls(),
      long: fc.record<LongLine>({
        bytes: fc.integer({ min: 66_000, max: 200_000 }),
        chunkBytes: fc.constantFrom(1_000_000, 65_536, 16_000),
      }),
    }),
    async check(client, { session, long: { bytes, chunkBytes } }, run) {
      const [first, ...rest] = lines(session.statuses);
      // White space inside an object, so that the object contains nothing unknown.
      const long = concatBytes([encode(`{${" ".repeat(bytes)}`), first!.slice(1)]);
      const parts = Array.from(
        { length: Math.ceil(long.length / chunkBytes) },
        (_, index) => long.slice(index * chunkBytes, (index + 1) * chunkBytes),
      );
      await blaming(
        "C-FRAME-2",
        () => tripsOverCuts(client, run),
        () => checkSame(client, session, { chunks: [...parts, ...rest] }, run),
      );
    },
  }),
  rule({
    id: "C-FRAME-8",
    side: "client",
    level: "should",
    title: "A line that is not JSON is a failure",
    cites:
      'NDJSON, 3.2: "If the JSON text is not parsable, the parser SHOULD raise an error." The ' +
      "line may have been an error message",
    evidence: FAILURE,
    decisive: pullPoints.map((point, index) => ({
      point,
      text: UNREADABLE[index % UNREADABLE.length]!,
    })),
    inputs: fc.record({ point: begunPulls(), text: fc.constantFrom(...UNREADABLE) }),
    async check(client, { point: { sent, left }, text }, run) {
      const chunks = [...lines(sent), encode(`${text}\n`), ...lines(left)];
      const observation = await observe(client, { chunks }, run);
      await requireFailure(client, observation, `there was the line ${text}`, [], run);
    },
  }),
  rule({
    id: "C-FRAME-9",
    side: "client",
    level: "should",
    title: "Only a newline ends a line, and no other line separator",
    cites:
      'NDJSON, 3.1: "Each JSON text MUST be followed by the newline character \\n (0x0A)."; in ' +
      "strings, JSON allows U+0085, U+2028 and U+2029 as they are (RFC 8259, 7)",
    evidence: SUCCESS,
    decisive: [{ point: PULL_STATES["manifest only"]!, separator: "\u0085 \u2028 \u2029" }],
    inputs: fc.record({
      point: begunPulls(),
      separator: fc.constantFrom("\u0085", "\u2028", "\u2029"),
    }),
    async check(client, { point: { sent, left }, separator }, run) {
      const follow = async (words: string) => {
        const all = [...sent, { status: words }, ...left];
        return await observe(client, { chunks: lines(all) }, run);
      };
      const plain = await follow("one line");
      if (plain.failure !== undefined) {
        throw new Inconclusive("The client fails on an unknown status");
      }
      const other = await follow(`one${separator}line`);
      await expectSuccess(client, other, run);
      run.saw();
      const [expected, seen] = [
        comparableUpdates(client, plain).length,
        comparableUpdates(client, other).length,
      ];
      if (seen === expected) return;
      throw new Violation(`${expected} updates`, `${seen} updates`, [other.play.exchange]);
    },
  }),
];
