/**
 * Rules about pulls that the client ends: because its user cancels, or because the server goes silent.
 *
 * @module
 */

import fc from "fast-check";
import { type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, expectFailure, start, within } from "../observation.ts";
import { lines, smallPulls } from "../wire_bytes.ts";

/** The time limits for "soon": over the network, long enough for a command on a busy machine. */
const SOON_MS = { "network": 3_000, "in-process": 500 };

/** The first lines of a pull that goes silent then. */
const silent = fc.tuple(smallPulls(), fc.integer({ min: 0, max: 2 }))
  .map(([{ statuses }, count]) => statuses.slice(0, count));

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
    skips: ({ timeLimitMs }) =>
      timeLimitMs === undefined ? "The client has no time limit" : undefined,
    inputs: silent,
    async check(client, statuses, run) {
      const { timeLimitMs = 0, transport } = client;
      const script = { chunks: lines(statuses), ending: "hang" } as const;
      const { play, result } = start(client, script, run);
      await Promise.race([play.silent, result]);
      if (await within(result, timeLimitMs + SOON_MS[transport])) {
        return expectFailure(await result, "the server has gone silent");
      }
      throw new Violation(`a failure after ${timeLimitMs / 1000} s`, "the client waits on", [
        play.exchange,
      ]);
    },
  }),
];
