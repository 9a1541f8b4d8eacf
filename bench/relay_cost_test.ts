import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { costOf, type Sample } from "./relay_cost.ts";
import type { Received } from "./relay_viewers.ts";

const TIMES = 3;

/** What viewers have received who were each told some times, at the given ages in turn. */
function receivedBy(viewers: number, bytesEach: number, ages: readonly number[] = [5]): Received {
  const updates = viewers * TIMES;
  const counts = new Map<number, number>();
  for (let update = 0; update < updates; update++) {
    const age = ages[update % ages.length]!;
    counts.set(age, (counts.get(age) ?? 0) + 1);
  }
  return { updates, times: TIMES, bytes: updates * bytesEach, ages: [...counts] };
}

describe("the cost of a viewer", () => {
  const amount = fc.integer({ min: 1, max: 1_000_000 });

  it("is what each one adds to the first", () => {
    fc.assert(fc.property(
      fc.integer({ min: 2, max: 1_000 }),
      fc.record({ cpuUs: amount, heapBytes: amount, residentBytes: amount, bytes: amount }),
      fc.record({ cpuMs: amount, heapBytes: amount, residentBytes: amount }),
      (viewers, each, base) => {
        const sampleOf = (viewers: number): Sample => ({
          viewers,
          elapsedMs: 3_000,
          cpuMs: base.cpuMs + viewers * TIMES * each.cpuUs / 1_000,
          heapBytes: base.heapBytes + viewers * each.heapBytes,
          residentBytes: base.residentBytes + viewers * each.residentBytes,
          received: [
            receivedBy(Math.floor(viewers / 2), each.bytes),
            receivedBy(Math.ceil(viewers / 2), each.bytes),
          ],
        });
        const now = sampleOf(viewers);
        const { cpuUs, bytes, heapBytes, residentBytes, load, told } = costOf(now, sampleOf(1));
        assertEquals({ bytes, heapBytes, residentBytes }, {
          bytes: each.bytes,
          heapBytes: each.heapBytes,
          residentBytes: each.residentBytes,
        });
        assertAlmostEquals(cpuUs, each.cpuUs, 0.01);
        assertAlmostEquals(load, now.cpuMs / now.elapsedMs, 0.001);
        assertEquals(told, 1);
      },
    ));
  });

  it("has the ages of all updates, whichever process has read them", () => {
    const sampleOf = (received: readonly Received[]): Sample => ({
      ...{ viewers: 200, elapsedMs: 1, cpuMs: 1, heapBytes: 1, residentBytes: 1 },
      received,
    });
    const young = receivedBy(100, 1, Array.from({ length: 100 }, (_, age) => 99 - age));
    const old = receivedBy(100, 1, Array.from({ length: 100 }, (_, age) => 100 + age));
    const { medianMs, p99Ms } = costOf(sampleOf([old, young]), sampleOf([receivedBy(1, 1)]));
    assertEquals([medianMs, p99Ms], [99, 197]);
  });

  it("shows that some were not told", () => {
    const late = { ...receivedBy(5, 1), updates: 10, times: TIMES - 1 };
    const sample: Sample = {
      ...{ viewers: 10, elapsedMs: 1, cpuMs: 1, heapBytes: 1, residentBytes: 1 },
      received: [receivedBy(5, 1), late],
    };
    assertEquals(costOf(sample, sample).told, 0.833);
  });
});
