/**
 * Rules about when updates come, and how much time they take.
 *
 * @module
 */

import fc from "fast-check";
import { type CheckRun, inSeconds, OutOfTime, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, isSuccess, type Observation, observe, start } from "../observation.ts";
import { expectSuccess, SUCCESS } from "../plain_pull.ts";
import { longPull, wholePull } from "../pull_states.ts";
import { unlessUpdating } from "../subject.ts";
import { lines, smallPulls } from "../wire_bytes.ts";
import { within } from "../within.ts";
import { SOON_MS } from "./endings.ts";

/** How many lines a short and a long pull have. */
const LINES = 2_000;
const MORE = 4;

/** How much longer the long one may take: as much as it is longer, and then some for the machine. */
const MOST_TIMES = 2.5 * MORE;

/** What is taken for the time of the short one at least, in milliseconds: less cannot be measured. */
const LEAST_MS = { "network": 500, "in-process": 150 };

/** How often the long one must take too long before it counts: a busy machine has its moments. */
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
  /** The limit, in milliseconds: it follows from shorter pulls at the same time. */
  readonly limitMs: number;
  /** How it ended, or `undefined` if it took longer. */
  readonly observation: Observation | undefined;
}

/** Has a client follow a pull of many lines, for as long as is in proportion to a shorter one. */
async function followMany(client: ClientUnderTest, run: CheckRun): Promise<LongPull> {
  const startMs = await timeOf(client, wholePull.statuses, run);
  const shortMs = await timeOf(client, longPull(LINES), run) - startMs;
  const limitMs = startMs + MOST_TIMES * Math.max(shortMs, LEAST_MS[client.transport]);
  const running = start(client, { chunks: lines(longPull(MORE * LINES)) }, run);
  const isInTime = await within(running.result, limitMs);
  if (isInTime) return { limitMs, observation: await running.result };
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
    title: "Updates are reported while the pull goes on",
    cites: "Progress that is told when all is over, or one line late, shows nobody that it goes on",
    evidence: SUCCESS,
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    maxRuns: 3,
    decisive: [wholePull],
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const plain = await observe(client, { chunks: lines(statuses) }, run);
      await expectSuccess(client, plain, run);
      const count = plain.updates.filter((update) => !isSuccess(update)).length;
      // A client that adds up its layers need not tell each line.
      const expected = client.reports === "statuses" ? count : Math.min(count, 1);
      const chunks = lines(statuses);
      const running = start(client, { chunks, holdBefore: chunks.length - 1 }, run);
      const { play, result } = running;
      await Promise.race([play.silent, result]);
      const soonMs = Math.max(SOON_MS[client.transport], run.graceMs);
      await within(Promise.race([running.reported(expected), result]), soonMs);
      const told = running.updates.length;
      play.release();
      await result;
      if (told >= expected) return run.saw();
      const awaited = `${expected} updates to be reported before the server goes on`;
      if (run.graceMs === 0) throw new OutOfTime(awaited, soonMs, [play.exchange]);
      throw new Violation(awaited, `${told}, and the others later`, [play.exchange]);
    },
  }),
  rule({
    id: "C-TIME-4",
    side: "client",
    level: "should",
    title: "The cost of a pull grows in proportion to its lines",
    cites: "observed: a server sends a line every 60 ms, which are 60,000 an hour",
    evidence: SUCCESS,
    maxRuns: 1,
    inputs: fc.constant({}),
    async check(client, _, run) {
      let limitMs = 0;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { observation, ...long } = await followMany(client, run);
        if (observation) {
          await expectSuccess(client, observation, run);
          return run.saw();
        }
        limitMs = long.limitMs;
      }
      const expected = `${MORE * LINES} lines to take no more than ${inSeconds(limitMs)}, ` +
        `which is ${MOST_TIMES} times what ${LINES} take`;
      throw new Violation(expected, `more, ${ATTEMPTS} times in a row`, []);
    },
  }),
];
