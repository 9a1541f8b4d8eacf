/**
 * Rules about pulls that the client ends: because its user cancels, or because the server goes silent.
 *
 * @module
 */

import fc from "fast-check";
import type { StatusObject } from "../../generators/mod.ts";
import { type CheckRun, type Rule, rule, Violation } from "../../rule.ts";
import { within } from "../within.ts";
import { type ClientUnderTest, expectFailure, start } from "../observation.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { lines, smallPulls } from "../wire_bytes.ts";

/** The time limits for "soon": over the network, long enough for a command on a busy machine. */
const SOON_MS = { "network": 3_000, "in-process": 500 };

/** The first lines of a pull that goes silent then. */
const silent = fc.tuple(smallPulls(), fc.integer({ min: 0, max: 2 }))
  .map(([{ statuses }, count]) => statuses.slice(0, count));

/** The first lines of a pull, the last of which is about a download that is not complete. */
const stuck = smallPulls()
  .map(({ statuses }) => {
    const isStuck = ({ completed, total }: StatusObject) => Number(completed) < Number(total);
    return statuses.slice(0, statuses.findIndex(isStuck) + 1);
  })
  .filter(({ length }) => length > 0);

/** The rules. */
export const endingRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-CANCEL-1",
    side: "client",
    level: "should",
    title: "A cancelled pull closes its connection soon, and ends",
    cites: "observed: the server goes on downloading until its last caller has left",
    maxRuns: 10,
    inputs: silent,
    async check(client, statuses, run) {
      const soonMs = SOON_MS[client.transport];
      const script = { chunks: lines(statuses), ending: "hang" } as const;
      const running = start(client, script, run);
      await running.settled();
      running.cancel();
      const { play } = running;
      if (!await within(play.closedByClient, soonMs)) {
        throw new Violation(
          `the connection to be closed within ${soonMs / 1000} s of cancelling`,
          "it stays open",
          [play.exchange],
        );
      }
      if (await within(running.result, soonMs)) return;
      throw new Violation(
        `the client to end within ${soonMs / 1000} s of cancelling`,
        "it goes on",
        [play.exchange],
      );
    },
  }),
  rule({
    id: "C-TIME-1",
    side: "client",
    level: "should",
    title: "A server that goes silent does not hang a client that has a time limit",
    cites: "observed: a connection that was lost on the way stays open for both ends",
    maxRuns: 3,
    skips: unlessLimited,
    inputs: silent,
    check: (client, statuses, run) =>
      expectGivingUp(
        client,
        { chunks: lines(statuses), ending: "hang" },
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
    maxRuns: 3,
    skips: unlessLimited,
    inputs: stuck,
    check: (client, statuses, run) =>
      expectGivingUp(
        client,
        { chunks: lines(statuses), ending: "repeat", repeatMs: repeatMsFor(client) },
        "no new byte of the model comes, though the server talks",
        run,
      ),
  }),
];

/** Why a rule about time limits does not apply to a client, or `undefined` if it applies. */
function unlessLimited({ timeLimitMs }: ClientUnderTest): string | undefined {
  return timeLimitMs === undefined ? "The client has no time limit" : undefined;
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
  if (await within(result, timeLimitMs + SOON_MS[transport])) {
    return expectFailure(await result, why);
  }
  throw new Violation(`a failure after ${timeLimitMs / 1000} s`, "the client waits on", [
    play.exchange,
  ]);
}
