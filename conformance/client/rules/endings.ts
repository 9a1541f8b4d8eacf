/**
 * Rules about pulls that the client ends: because its user cancels, or because the server goes silent.
 *
 * @module
 */

import fc from "fast-check";
import type { StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, inSeconds, OutOfTime, type Rule, rule } from "../../rule.ts";
import { within } from "../within.ts";
import { type ClientUnderTest, expectFailure, start } from "../observation.ts";
import { FAILURE, requireFailure } from "../plain_pull.ts";
import { manyLayersPull, pointIn, PULL_STATES, pullPoints, wholePull } from "../pull_states.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { lines, smallPulls } from "../wire_bytes.ts";

/** The time limits for "soon": over the network, long enough for a command on a busy machine. */
export const SOON_MS = { "network": 3_000, "in-process": 500 };

/** The share of a client's time limit for which a server may wait that does not hang. */
export const PAUSE_SHARE = 0.6;

/** The first lines of a pull that goes silent then. */
const silent = fc.tuple(smallPulls(), fc.integer({ min: 0, max: 2 }))
  .map(([session, count]) => pointIn(session, count));

/**
 * States in which a client with a time limit gives up on silence. While layers are verified, servers are
 * silent for minutes: a client may have another limit then. What comes after that takes no time.
 */
const SILENT_STATES = [
  PULL_STATES["nothing sent"]!,
  PULL_STATES["manifest only"]!,
  PULL_STATES["in a later layer"]!,
  PULL_STATES["writing"]!,
  PULL_STATES["removing"]!,
];

/** Downloads that get nowhere: the last lines of them come again and again, in turn. */
interface StuckPull {
  readonly sent: readonly StatusObject[];
  /** How many lines come again. */
  readonly repeated: number;
}

/** A pull with layers that have begun side by side, and stand still. */
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

/** Downloads that get nowhere: one that has not begun, one that is nearly there, and several at once. */
const STUCK_STATES: readonly StuckPull[] = [
  { sent: pointIn(wholePull, 2).sent, repeated: 1 },
  {
    sent: [
      ...PULL_STATES["in a later layer"]!.sent,
      { ...PULL_STATES["in a later layer"]!.sent.at(-1), completed: 4_999 },
    ],
    repeated: 1,
  },
  stuckLayers([0.4, 0.99]),
  stuckLayers([0, 0.5, 0.7, 0.99]),
];

/** The rules. */
export const endingRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-CANCEL-1",
    side: "client",
    level: "should",
    title: "A cancelled pull closes its connection soon, and ends without success",
    cites: "observed: the server goes on downloading until its last caller has left",
    evidence: "a pull that was cancelled while it went on",
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
    id: "C-TIME-1",
    side: "client",
    level: "should",
    title: "A server that goes silent does not hang a client that has a time limit",
    cites: "observed: a connection that was lost on the way stays open for both ends",
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
    title: "A download that gets nowhere does not hang a client that has a time limit",
    cites: "observed: the commonest stall talks: the same line comes every 60 ms, often at 99 %",
    evidence: FAILURE,
    maxRuns: 3,
    skips: unlessLimited,
    decisive: STUCK_STATES,
    inputs: stuck,
    check: (client, { sent, repeated }, run) =>
      expectGivingUp(
        client,
        { chunks: lines(sent), ending: "repeat", repeated, repeatMs: repeatMsFor(client) },
        "no new byte of the model comes, though the server talks",
        run,
      ),
  }),
];

/** Why a rule about time limits does not apply to a client, or `undefined` if it applies. */
function unlessLimited({ timeLimitMs }: ClientUnderTest): string | undefined {
  return timeLimitMs === undefined
    ? "The client has no time limit: `--client-time-limit` if it does"
    : undefined;
}

/** How often a server talks: as often as a real one, but several times within the limit. */
function repeatMsFor({ timeLimitMs = Infinity }: ClientUnderTest): number {
  return Math.min(60, timeLimitMs / 5);
}

/** Throws unless a client gives up, soon after its time limit, on an answer that does not go on. */
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
