/**
 * Rules about when updates arrive, and how much time they take.
 *
 * @module
 */

import fc from "fast-check";
import { type CheckRun, inSeconds, OutOfTime, type Rule, rule, Violation } from "../../rule.ts";
import {
  type ClientUnderTest,
  isSuccess,
  type Observation,
  observe,
  start,
} from "../observation.ts";
import { expectSuccess, SUCCESS } from "../plain_pull.ts";
import { longPull, wholePull } from "../pull_states.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";
import { within } from "../within.ts";
import { PAUSE_SHARE, SOON_MS } from "./endings.ts";

/** How many lines a short pull has, and how many times more a long one has. */
const LINES = { "network": 1_000, "in-process": 400 };
const MORE = 8;

/** How many times longer than proportional the long pull may take. */
const SLACK = 2.5;

/** The least time to assume for the short pull, in milliseconds: less cannot be measured. */
const LEAST_MS = { "network": 200, "in-process": 50 };

/** How often the long pull must take too long before it counts, because machines are sometimes busy. */
const ATTEMPTS = 3;

/** How long a client takes to follow a pull to its end, in milliseconds. */
async function timeOf(
  client: ClientUnderTest,
  statuses: Parameters<typeof lines>[0],
  run: CheckRun,
): Promise<number> {
  const begun = performance.now();
  await expectSuccess(client, await observe(client, { chunks: lines(statuses) }, run), run);
  return performance.now() - begun;
}

/** How long a pull of many lines took. */
interface LongPull {
  /** The limit in milliseconds, derived from shorter pulls at the same time. */
  readonly limitMs: number;
  /** How it ended, or `undefined` if it took longer. */
  readonly observation: Observation | undefined;
}

/** Lets a client follow a pull of many lines, for at most a time proportional to that of a shorter pull. */
async function followMany(
  client: ClientUnderTest,
  times: number,
  run: CheckRun,
): Promise<LongPull> {
  const startMs = await timeOf(client, wholePull.statuses, run);
  const count = LINES[client.transport];
  const shortMs = await timeOf(client, longPull(count), run) - startMs;
  const limitMs = startMs + SLACK * times * Math.max(shortMs, LEAST_MS[client.transport]);
  const begun = performance.now();
  const running = start(client, { chunks: lines(longPull(times * count)) }, run);
  const isOver = await within(running.result, limitMs);
  // A client in this process may keep the timer from firing.
  const isInTime = performance.now() - begun <= limitMs;
  if (isOver && isInTime) return { limitMs, observation: await running.result };
  running.cancel();
  await within(running.result, SOON_MS[client.transport]);
  return { limitMs, observation: undefined };
}

/** The rules. */
export const timingRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-TIME-3",
    side: "client",
    level: "should",
    title: "Updates are reported while the pull is running",
    cites:
      "Progress that is reported only at the end, or one line late, does not show that the pull is alive",
    evidence: SUCCESS,
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    maxRuns: 3,
    decisive: [wholePull],
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const plain = await observe(client, { chunks: lines(statuses) }, run);
      await expectSuccess(client, plain, run);
      const count = plain.updates.filter((update) => !isSuccess(update)).length;
      // A client that adds up its layers need not report every line.
      const expected = client.reports === "statuses" ? count : Math.min(count, 1);
      const chunks = lines(statuses);
      const running = start(client, { chunks, holdBefore: chunks.length - 1 }, run);
      const { play, result } = running;
      await Promise.race([play.silent, result]);
      const soonMs = Math.max(SOON_MS[client.transport], run.graceMs);
      // It must be before the client gives up on a server that waits.
      const waitMs = Math.min(soonMs, PAUSE_SHARE * (client.timeLimitMs ?? Infinity));
      await within(Promise.race([running.reported(expected), result]), waitMs);
      const told = running.updates.length;
      play.release();
      await result;
      if (told >= expected) return run.saw();
      const awaited = `${expected} updates to be reported before the server continues`;
      if (run.graceMs === 0) throw new OutOfTime(awaited, waitMs, [play.exchange]);
      throw new Violation(awaited, `${told}, and the others later`, [play.exchange]);
    },
  }),
  rule({
    id: "C-TIME-4",
    side: "client",
    level: "should",
    title: "The cost of a pull grows in proportion to its lines",
    cites: "observed: a server sends a line every 60 ms, which is 60,000 per hour",
    evidence: SUCCESS,
    maxRuns: 1,
    decisive: [MORE],
    inputs: fc.constant(MORE),
    async check(client, times, run) {
      let limitMs = 0;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { observation, ...long } = await followMany(client, times, run);
        if (observation) {
          await expectSuccess(client, observation, run);
          return run.saw();
        }
        limitMs = long.limitMs;
      }
      const count = LINES[client.transport];
      const expected = `${times * count} lines to take no more than ${inSeconds(limitMs)}, ` +
        `which is ${SLACK * times} times what ${count} take`;
      throw new Violation(expected, `more, ${ATTEMPTS} times in a row`, []);
    },
  }),
];
