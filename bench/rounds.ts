/**
 * Measures pieces of work against each other. They take turns, so that anything that slows the machine down
 * for a while affects all of them; the order differs in each round, so that none always follows the same one.
 * (Collecting garbage in between would make each start with a heap that is too small and with code that the
 * engine has dropped.)
 *
 * The CPU time of the process is measured by default: on a machine that has other work, wall-clock time
 * mostly depends on that.
 *
 * @module
 */

import process from "node:process";
import { seededNumbers } from "../mock/runtime/random.ts";

/** Which time is measured. */
export type Clock = "cpu" | "wall";

/** The clocks, each in milliseconds. */
export const CLOCKS: Readonly<Record<Clock, () => number>> = {
  cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  wall: () => performance.now(),
};

/** Collects garbage, if the runtime allows it. */
export function collectGarbage(): void {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc: (isSynchronous: boolean) => void };
  };
  if (Bun) Bun.gc(true);
  else gc?.();
}

/** The order in which pieces of work take turns in a round. */
function orderOf(length: number, round: number): number[] {
  const next = seededNumbers("round", round);
  return Array.from({ length }, (_, index) => ({ index, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ index }) => index);
}

/** Work that reports how long it took, in milliseconds. */
export type TimedWork = () => Promise<number>;

/** Times a piece of work. */
export function timed(work: () => Promise<unknown>, clock: Clock): TimedWork {
  const now = CLOCKS[clock];
  return async () => {
    const start = now();
    await work();
    return now() - start;
  };
}

/**
 * How often a piece of work runs at least before it counts, because engines compile code that has run for a
 * while.
 */
const ROUNDS_TO_WARM_UP = 5;

/**
 * Runs all pieces of work in each round, and returns the times of each one.
 *
 * @param roundsToWarmUp How often each piece runs before it counts.
 */
export async function measureInRounds(
  work: readonly TimedWork[],
  rounds: number,
  roundsToWarmUp: number = ROUNDS_TO_WARM_UP,
): Promise<number[][]> {
  for (const each of work) {
    for (let round = 0; round < Math.max(ROUNDS_TO_WARM_UP, roundsToWarmUp); round++) await each();
  }
  const times = work.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of orderOf(work.length, round)) {
      times[index]!.push(await work[index]!());
    }
  }
  return times;
}

/** The value below which a fraction of the values lies: one half for the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

/** The median, which single disturbed rounds do not change. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * How many times as long one piece of work takes as another: the median of the ratios of all rounds, since a
 * disturbance affects both in a round.
 */
export function ratio(times: readonly number[], others: readonly number[]): number {
  return median(times.map((time, round) => time / others[round]!));
}

/** A number that is no longer than it is worth. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
