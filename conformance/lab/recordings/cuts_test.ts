/**
 * Cuts pulls everywhere: recordings of real servers and generated pulls, at every byte, so that the
 * stream ends, the connection breaks, or nothing more is sent. Whatever is cut, the pull fails and says
 * how, and with retries it succeeds in the end, without its progress ever falling.
 *
 * @module
 */

import { assert, assertEquals, AssertionError } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { pull, PullError, type PullErrorCode, type PullProgress } from "../../../mod.ts";
import { VirtualClock } from "../../../src/stream_test_helpers.ts";
import { encode } from "../../client/wire_bytes.ts";
import { pullSessions } from "../../generators/mod.ts";
import { isStream, readRecordings, type RecordedServer, textOf } from "./recording.ts";

const STALL_TIMEOUT_MS = 1_000;

/** Longer than all waits of a pull together. */
const LONG_MS = 600_000;

/** How many bytes of a recording are tried where not all of them are. */
const SAMPLES = 40;

/** What may become of a stream, and what the client is to call it. */
const CUTS = { end: "truncated", reset: "network", stall: "stalled" } as const;

type Cut = keyof typeof CUTS;

const ALL_CUTS = Object.keys(CUTS) as Cut[];

/** Bytes in two chunks, of which the first may be empty, and then what becomes of the stream. */
function cutBody(bytes: Uint8Array<ArrayBuffer>, cut: Cut): ReadableStream<Uint8Array> {
  const middle = bytes.length >> 1;
  const chunks = [bytes.subarray(0, middle), bytes.subarray(middle)].values();
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = chunks.next();
      if (!done) controller.enqueue(value);
      else if (cut === "end") controller.close();
      else if (cut === "reset") controller.error(new TypeError("reset by peer"));
    },
  }, { highWaterMark: 0 });
}

/** What came of a pull. */
interface Result {
  readonly snapshots: readonly PullProgress[];
  readonly failure: unknown;
  /** What was retried. */
  readonly retried: readonly PullErrorCode[];
}

/** Freezes a snapshot, so that whoever changed it later would fail. */
function freeze(snapshot: PullProgress): PullProgress {
  snapshot.layers.forEach(Object.freeze);
  Object.freeze(snapshot.layers);
  return Object.freeze(snapshot);
}

/** Pulls from one body after another, and requires that this ends. */
async function pullFrom(bodies: readonly ReadableStream<Uint8Array>[]): Promise<Result> {
  const clock = new VirtualClock();
  const answers = bodies.values();
  const retried: PullErrorCode[] = [];
  const snapshots: PullProgress[] = [];
  const stream = pull("m", {
    fetch: () => new Response(answers.next().value),
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    silenceTimeoutMs: STALL_TIMEOUT_MS,
    retries: bodies.length - 1,
    onRetry: ({ error: { code } }) => retried.push(code),
  });
  let result: Result | undefined;
  const end = (failure?: unknown) => result = { snapshots, failure, retried };
  stream
    .pipeTo(new WritableStream({ write: (snapshot) => void snapshots.push(freeze(snapshot)) }))
    .then(() => end(), end);
  await clock.advance(LONG_MS);
  if (!result) throw new AssertionError("It hangs");
  assertEquals(clock.sleepers, 0);
  return result;
}

/** Requires that progress never falls, is 1 at success and only there, and adds up. */
function requireProgress({ snapshots }: Result): void {
  let [completed, fraction] = [0, 0];
  const ofLayer = new Map<string, number>();
  for (const snapshot of snapshots) {
    assert(snapshot.completed >= completed && snapshot.fraction >= fraction, "progress falls");
    assert((snapshot.fraction === 1) === (snapshot.phase === "success"), "it is 1 too early");
    assert(snapshot.completed <= snapshot.total, "there is more than all");
    for (const layer of snapshot.layers) {
      const name = JSON.stringify([layer.digest, layer.status]);
      assert(layer.completed >= (ofLayer.get(name) ?? 0), "a layer falls");
      ofLayer.set(name, layer.completed);
    }
    ({ completed, fraction } = snapshot);
  }
}

function codeOf({ failure }: Result): PullErrorCode | undefined {
  if (failure === undefined || failure instanceof PullError) return failure?.code;
  throw failure;
}

/** Where a cut leaves a whole success: after its newline, or before it if the stream then ends. */
function succeeds(bytes: Uint8Array, at: number, cut: Cut): boolean {
  const end = bytes.lastIndexOf("}".charCodeAt(0)) + 1;
  return at > end || (at === end && cut === "end");
}

/** What a server that is asked again sends, after a cut: all of it, or what was not sent. */
function sentAgain(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  return at % 2 === 0 ? bytes : bytes.subarray(bytes.lastIndexOf(10, at - 1) + 1);
}

/** Cuts a pull at a byte, and requires that it fails as the cut is called. */
async function tryCut(bytes: Uint8Array<ArrayBuffer>, at: number, cut: Cut): Promise<void> {
  const result = await pullFrom([cutBody(bytes.subarray(0, at), cut)]);
  requireProgress(result);
  const expected = succeeds(bytes, at, cut) ? undefined : CUTS[cut];
  assertEquals(codeOf(result), expected);
  assertEquals(result.snapshots.at(-1)?.phase === "success", expected === undefined);
}

/** Cuts a pull at a byte, and requires that it fails as the cut is called, and is resumed. */
async function tryRetry(bytes: Uint8Array<ArrayBuffer>, at: number, cut: Cut): Promise<void> {
  const bodies = [cutBody(bytes.subarray(0, at), cut), cutBody(sentAgain(bytes, at), "end")];
  const result = await pullFrom(bodies);
  requireProgress(result);
  assertEquals(codeOf(result), undefined);
  assertEquals(result.retried, succeeds(bytes, at, cut) ? [] : [CUTS[cut]]);
  const last = result.snapshots.at(-1)!;
  assertEquals(last.fraction, 1);
  for (const { digest, status, done } of last.layers) assert(done, digest ?? status);
}

/** The streams of a server that end with success, the shortest first. */
function successes({ recordings }: RecordedServer): Uint8Array<ArrayBuffer>[] {
  return [...recordings.values()]
    .flatMap(({ exchanges }) => exchanges.filter(isStream).map(textOf))
    .filter((text) => text.endsWith('{"status":"success"}\n'))
    .map(encode)
    .sort((a, b) => a.length - b.length);
}

/** Whether something is downloaded in a stream, and not there already. */
function hasDownload(bytes: Uint8Array): boolean {
  const statuses = new TextDecoder().decode(bytes).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  return statuses.some(({ digest, total, completed = 0 }) => digest && completed < total);
}

const servers = await readRecordings();

for (const server of servers) {
  const streams = successes(server);
  const everywhere = streams.find(hasDownload)!;

  describe(`a pull from ${server.server} that is cut`, () => {
    for (const cut of ALL_CUTS) {
      it(`fails at any byte, is retried, and succeeds: ${cut}`, async () => {
        for (let at = 0; at <= everywhere.length; at++) await tryRetry(everywhere, at, cut);
      });

      it(`never counts as a success, in any scenario: ${cut}`, async () => {
        for (const bytes of streams) {
          const step = Math.ceil(bytes.length / SAMPLES);
          for (let at = 0; at <= bytes.length; at += step) await tryCut(bytes, at, cut);
        }
      });
    }
  });
}

/** A generated pull as bytes. */
const anyPull = pullSessions({ maxLayers: 2 }).map(({ statuses }) =>
  encode(statuses.map((status) => `${JSON.stringify(status)}\n`).join(""))
);

describe("a generated pull that is cut", () => {
  it("at any byte fails, is retried, and succeeds", async () => {
    await fc.assert(
      fc.asyncProperty(anyPull, fc.constantFrom(...ALL_CUTS), async (bytes, cut) => {
        for (let at = 0; at <= bytes.length; at++) await tryRetry(bytes, at, cut);
      }),
      { numRuns: 5 },
    );
  });

  it("never counts as a success, wherever it is", async () => {
    const cuts = fc.tuple(anyPull, fc.nat(), fc.constantFrom(...ALL_CUTS));
    await fc.assert(
      fc.asyncProperty(cuts, ([bytes, at, cut]) => tryCut(bytes, at % (bytes.length + 1), cut)),
      { numRuns: 1000 },
    );
  });

  it("is resumed each time, anywhere, and succeeds in the end", async () => {
    const cuts = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...ALL_CUTS)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(anyPull, cuts, async (bytes, cuts) => {
        const failing = cuts
          .map(([at, cut]) => [at % bytes.length, cut] as const)
          .filter(([at, cut]) => !succeeds(bytes, at, cut));
        const result = await pullFrom([
          ...failing.map(([at, cut]) => cutBody(bytes.subarray(0, at), cut)),
          cutBody(bytes, "end"),
        ]);
        requireProgress(result);
        assertEquals(codeOf(result), undefined);
        assertEquals(result.retried, failing.map(([_, cut]) => CUTS[cut]));
        assertEquals(result.snapshots.at(-1)?.fraction, 1);
      }),
    );
  });
});
