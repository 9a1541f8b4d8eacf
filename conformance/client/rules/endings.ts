/**
 * Rules about pulls that the client ends: the user cancels, or the server goes silent.
 *
 * @module
 */

import fc from "fast-check";
import type { StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, inSeconds, OutOfTime, type Rule, rule } from "../../rule.ts";
import { within } from "../within.ts";
import { type ClientUnderTest, expectFailure, observe, start } from "../observation.ts";
import { expectSuccess, FAILURE, requireFailure, SUCCESS } from "../plain_pull.ts";
import {
  manyLayersPull,
  pointIn,
  PULL_STATES,
  type PullPoint,
  pullPoints,
  wholePull,
} from "../pull_states.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { encode, line, lines, smallPulls } from "../wire_bytes.ts";

/**
 * The limit for "soon", in milliseconds: over the network it is long enough for a command on a busy machine.
 */
export const SOON_MS = { "network": 3_000, "in-process": 500 };

/** The share of a client's time limit for which a healthy server may pause. */
export const PAUSE_SHARE = 0.6;

/** The first lines of a pull that goes silent then. */
const silent = fc.tuple(smallPulls(), fc.integer({ min: 0, max: 2 }))
  .map(([session, count]) => pointIn(session, count));

/**
 * States in which a client with a time limit gives up on silence. While layers are verified, servers are
 * silent for minutes, so a client may have another limit then. The phases after that take no time.
 */
const SILENT_STATES = [
  PULL_STATES["nothing sent"]!,
  PULL_STATES["manifest only"]!,
  PULL_STATES["in a later layer"]!,
  PULL_STATES["writing"]!,
  PULL_STATES["removing"]!,
];

/** Stuck downloads: the last lines are repeated over and over, in turn. */
interface StuckPull {
  readonly sent: readonly StatusObject[];
  /** How many lines are repeated. */
  readonly repeated: number;
}

/** A pull with layers that have begun in parallel and are stuck. */
function stuckLayers(shares: readonly number[]): StuckPull {
  const { statuses } = manyLayersPull("spec", shares.length);
  const begun = statuses.filter(({ digest, completed }) => digest && !completed);
  const stuck = begun.map((object, index) => {
    const completed = Math.floor(shares[index]! * Number(object.total));
    return completed > 0 ? { ...object, completed } : object;
  });
  return { sent: [...statuses.slice(0, 1), ...begun, ...stuck], repeated: stuck.length };
}

/** One or more layers that stand still. */
const stuck = fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), {
  minLength: 1,
  maxLength: 4,
}).map(stuckLayers);

/**
 * Stuck downloads: one that has not begun, one that is almost complete, one that fails and restarts, and
 * several at once.
 */
const STUCK_STATES: readonly StuckPull[] = [
  { sent: pointIn(wholePull, 2).sent, repeated: 1 },
  {
    sent: [
      ...PULL_STATES["in a later layer"]!.sent,
      { ...PULL_STATES["in a later layer"]!.sent.at(-1), completed: 4_999 },
    ],
    repeated: 1,
  },
  {
    sent: [
      ...PULL_STATES["in a later layer"]!.sent,
      { ...PULL_STATES["in a later layer"]!.sent.at(-1), completed: 4_999 },
      { ...PULL_STATES["in a later layer"]!.sent.at(-1), completed: 4_000 },
    ],
    repeated: 2,
  },
  stuckLayers([0.4, 0.99]),
  stuckLayers([0, 0.5, 0.7, 0.99]),
];

/** Lines on which a client gives up. */
const FATAL_LINES = [encode("no JSON\n"), line({ error: "max retries exceeded" })];

/** The first lines of a pull, followed by one on which a client gives up. */
interface ForsakenPull extends PullPoint {
  readonly fatal: typeof FATAL_LINES[number];
}

const FORSAKEN_STATES: readonly ForsakenPull[] = ["manifest only", "in a later layer"].flatMap(
  (state) => FATAL_LINES.map((fatal) => ({ ...PULL_STATES[state]!, fatal })),
);

const forsaken = fc.tuple(silent, fc.constantFrom(...FATAL_LINES))
  .map(([point, fatal]): ForsakenPull => ({ ...point, fatal }));

/**
 * For a slow pull: how often new bytes arrive, how often a line without new bytes comes in between, and the
 * pause as a share of the limit.
 */
const NEWS = 8;
const REPEATS = 2;
const NEWS_SHARE = 0.4;

/** One complete layer, and one that has just begun. */
const LAYERS = [
  { status: "pulling model", digest: `sha256:${"1a".repeat(32)}`, total: 10_000 },
  { status: "pulling model", digest: `sha256:${"2b".repeat(32)}`, total: 5_000 },
] as const;

/**
 * A pull whose new bytes arrive well within a time limit, but far apart. The second layer has fewer bytes
 * than the first, uses the same words, and sends lines without new bytes in between.
 */
function crawlingPull(timeLimitMs: number): Pick<AnswerScript, "chunks" | "pauses"> {
  const [large, small] = LAYERS;
  const before = [
    { status: "pulling manifest" },
    { ...large, completed: 0 },
    { ...large, completed: large.total },
    { ...small, completed: 0 },
  ];
  const news = Array.from({ length: NEWS }, (_, index) => ({ ...small, completed: 1 + index }));
  const talk = news.flatMap((object) => Array.from({ length: 1 + REPEATS }, () => object));
  const after = [
    { ...small, completed: small.total },
    { status: "verifying sha256 digest" },
    { status: "writing manifest" },
    { status: "success" },
  ];
  const pauseMs = timeLimitMs * NEWS_SHARE / (1 + REPEATS);
  const pauses = talk.map((_, index) => [before.length + index, pauseMs]);
  return { chunks: lines([...before, ...talk, ...after]), pauses: Object.fromEntries(pauses) };
}

/** The rules. */
export const endingRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-CANCEL-1",
    side: "client",
    level: "should",
    title: "A cancelled pull closes its connection soon, and ends without success",
    cites: "observed: the server continues to download until its last caller disconnects",
    evidence: "a pull that was cancelled while it was running",
    maxRuns: 20,
    decisive: pullPoints,
    inputs: silent,
    async check(client, { sent }, run) {
      const soonMs = Math.max(SOON_MS[client.transport], run.graceMs);
      const script = { chunks: lines(sent), ending: "hang" } as const;
      const running = start(client, script, run);
      await running.settled();
      if (running.isOver()) throw new Inconclusive("The client ended before it was cancelled");
      running.cancel();
      const { play } = running;
      if (!await within(play.closedByClient, soonMs)) {
        const awaited = "the connection of a cancelled pull to be closed";
        throw new OutOfTime(awaited, soonMs, [play.exchange]);
      }
      if (!await within(running.result, soonMs)) {
        throw new OutOfTime("a cancelled client to end", soonMs, [play.exchange]);
      }
      expectFailure(await running.result, "the pull was cancelled before `success`");
      run.saw();
    },
  }),
  rule({
    id: "C-CANCEL-2",
    side: "client",
    level: "should",
    title: "A client that gives up on an answer closes its connection soon",
    cites: "observed: the server continues to download until its last caller disconnects",
    evidence: "a client that fails while the server continues",
    maxRuns: 6,
    decisive: FORSAKEN_STATES,
    inputs: forsaken,
    async check(client, { sent, fatal }, run) {
      const soonMs = Math.max(SOON_MS[client.transport], run.graceMs);
      const script = { chunks: [...lines(sent), fatal], ending: "hang" } as const;
      const { play, result } = start(client, script, run);
      // Whether the client fails there is for other rules to say.
      if (!await within(result, soonMs) || (await result).failure === undefined) {
        throw new Inconclusive("The client does not fail while the server continues");
      }
      if (await within(play.closedByClient, soonMs)) return run.saw();
      const awaited = "the connection of a pull that has failed to be closed";
      throw new OutOfTime(awaited, soonMs, [play.exchange]);
    },
  }),
  rule({
    id: "C-TIME-1",
    side: "client",
    level: "should",
    title: "A server that goes silent does not hang a client with a time limit",
    cites: "observed: a connection lost in the network stays open at both ends",
    evidence: FAILURE,
    maxRuns: 4,
    skips: unlessLimited,
    decisive: SILENT_STATES,
    inputs: silent,
    check: (client, { sent }, run) =>
      expectGivingUp(
        client,
        { chunks: lines(sent), ending: "hang" },
        "the server has gone silent",
        run,
      ),
  }),
  rule({
    id: "C-TIME-2",
    side: "client",
    level: "should",
    title: "A stuck download does not hang a client with a time limit",
    cites:
      "observed: in the most common stall, the same line is repeated every 60 ms, often at 99 %",
    evidence: FAILURE,
    maxRuns: 3,
    skips: unlessLimited,
    decisive: STUCK_STATES,
    inputs: stuck,
    check: (client, { sent, repeated }, run) =>
      expectGivingUp(
        client,
        { chunks: lines(sent), ending: "repeat", repeated, repeatMs: repeatMsFor(client) },
        "no new byte of the model arrived, though the server kept sending lines",
        run,
      ),
  }),
  rule({
    id: "C-TIME-5",
    side: "client",
    level: "should",
    title: "A client does not give up on a slow download",
    cites: "observed: a server repeats a line every 60 ms, whether there are new bytes or not",
    evidence: SUCCESS,
    maxRuns: 1,
    skips: unlessLimited,
    decisive: [true],
    inputs: fc.constant(true),
    async check(client, _, run) {
      const { timeLimitMs = 0 } = client;
      const observation = await observe(client, crawlingPull(timeLimitMs), run);
      // On a busy machine, the pauses may have been too long.
      if (observation.failure !== undefined && run.graceMs === 0) {
        const awaited = "a slow pull to be followed to its end";
        throw new OutOfTime(awaited, NEWS * NEWS_SHARE * timeLimitMs, [observation.play.exchange]);
      }
      await expectSuccess(client, observation, run);
      run.saw();
    },
  }),
];

/** Why a rule about time limits does not apply to a client, or `undefined` if it applies. */
function unlessLimited({ timeLimitMs }: ClientUnderTest): string | undefined {
  return timeLimitMs === undefined
    ? "The client has no time limit: if it has one, set `--client-time-limit`"
    : undefined;
}

/** How often a stalled server repeats a line: like a real server, but several times within the limit. */
function repeatMsFor({ timeLimitMs = Infinity }: ClientUnderTest): number {
  return Math.min(60, timeLimitMs / 5);
}

/** Throws unless a client gives up on a stalled answer soon after its time limit. */
async function expectGivingUp(
  client: ClientUnderTest,
  script: AnswerScript,
  why: string,
  run: CheckRun,
): Promise<void> {
  const { timeLimitMs = 0, transport } = client;
  const { play, result } = start(client, script, run);
  await Promise.race([play.silent, result]);
  const limitMs = timeLimitMs + Math.max(SOON_MS[transport], run.graceMs);
  if (!await within(result, limitMs)) {
    const awaited = `a client with a time limit of ${inSeconds(timeLimitMs)} to give up`;
    throw new OutOfTime(awaited, limitMs, [play.exchange]);
  }
  await requireFailure(client, await result, why, [], run);
}
