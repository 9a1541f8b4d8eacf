/**
 * Measures pieces of work against each other. They take turns, so that whatever slows the machine down
 * for a while slows them all down, and each round begins with another one, so that none always runs
 * after the same. The median is not moved by single rounds that were disturbed.
 *
 * @module
 */

/** Runs all pieces of work in each round, and returns the times of each one in milliseconds. */
export async function measureInRounds(
  work: readonly (() => Promise<unknown>)[],
  rounds: number,
): Promise<number[][]> {
  const times = work.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < work.length; turn++) {
      const index = (round + turn) % work.length;
      const start = performance.now();
      await work[index]!();
      times[index]!.push(performance.now() - start);
    }
  }
  return times;
}

/** The value below which a part of the values lies: a half for the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}
