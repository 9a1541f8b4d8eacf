/**
 * Soaks the relay for some time, and prints what has happened.
 *
 * @module
 */

import { Memory } from "./memory.ts";
import { type RelaySoakResult, soakRelay } from "./relay/relay_soak.ts";
import type { RelayCounts } from "./relay/round.ts";

const REPORT_MS = 30_000;
const PULLS_AT_ONCE = 2;

function describe({ rounds, viewers, ends, reconnects }: RelayCounts): string {
  return `${rounds} models, ${viewers} viewers, ${ends.sum} ended; ${reconnects.sum} reconnects`;
}

function print({ counts, failures, open }: RelaySoakResult, memory: Memory): void {
  const left = Object.entries(open).map(([what, count]) => `${what} ${count}`).join(", ");
  console.log(`models           ${counts.rounds}
pulls            ${counts.pulls}, with those of relays that were made anew
viewers          ${counts.viewers}, and ${counts.sleepers} that never read
  ended          ${counts.ends}
snapshots        ${counts.snapshots}
connections      ${counts.connections}
reconnects       ${counts.reconnects.sum}: ${counts.reconnects}
what went wrong  ${counts.strikes.sum}: ${counts.strikes}
upstream faults  ${counts.faults.sum}: ${counts.faults}
memory           ${memory}
left open        ${left}
failures         ${failures.length}`);
  for (const failure of failures) console.error(failure);
  if (!memory.isFlat) {
    console.error(`The memory in use has grown by ${memory.grownBy.toFixed(1)} MB`);
  }
}

/** Soaks the relay. Returns whether nothing broke, nothing was left, and memory did not grow. */
export async function runRelay(seed: number, viewers: number, minutes: number): Promise<boolean> {
  const startedAt = performance.now();
  const memory = new Memory(startedAt);
  let reportedAt = startedAt;
  const result = await soakRelay({
    seed,
    crowd: Math.ceil(viewers / PULLS_AT_ONCE),
    pullsAtOnce: PULLS_AT_ONCE,
    isEnough: (counts) => {
      const now = performance.now();
      memory.sample(now);
      if (now - reportedAt > REPORT_MS) {
        reportedAt = now;
        console.log(describe(counts));
      }
      return now - startedAt >= minutes * 60_000;
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`\nrelay: seed ${seed}, ${viewers} viewers at once, ${seconds.toFixed(0)} s`);
  print(result, memory);
  const { failures, open } = result;
  const isAllClosed = Object.values(open).every((count) => count === 0);
  return failures.length === 0 && isAllClosed && memory.isFlat;
}
