import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { TransferRate } from "./rate.ts";

/** A measurement: how long it took, how long nothing was measured before it, and what came in. */
interface Measurement {
  readonly gap: number;
  readonly duration: number;
  readonly bytes: number;
}

const measurements = fc.array(fc.record<Measurement>({
  gap: fc.nat({ max: 100_000 }),
  duration: fc.oneof(fc.nat({ max: 1000 }), fc.nat()),
  bytes: fc.maxSafeNat(),
}));

/** The rate after each of some measurements. */
function ratesOf(all: readonly Measurement[], rate = new TransferRate()): (number | undefined)[] {
  let time = 0;
  return all.map(({ gap, duration, bytes }) => {
    const from = time + gap;
    time = from + duration;
    rate.add(bytes, from, time);
    const { bytesPerSecond } = rate;
    return Number.isNaN(bytesPerSecond) ? undefined : bytesPerSecond;
  });
}

describe("TransferRate", () => {
  it("is unknown before anything was measured, and until that has lasted half a second", () => {
    assertEquals(new TransferRate().bytesPerSecond, NaN);
    fc.assert(fc.property(measurements, (all) => {
      let measured = 0;
      for (const [index, rate] of ratesOf(all).entries()) {
        measured += all[index]!.duration;
        // Between the two it depends on how much what was measured first has lost in weight.
        if (measured < 450) assertEquals(rate, undefined);
        if (measured >= 500) assert(rate !== undefined);
      }
    }));
  });

  it("is never negative, infinite or not a number", () => {
    fc.assert(
      fc.property(measurements, (all) => {
        for (const rate of ratesOf(all)) {
          assert(rate === undefined || (Number.isFinite(rate) && rate >= 0), `${rate}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is the true rate of a steady transfer, whatever it is measured by", () => {
    const durations = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 });
    fc.assert(fc.property(durations, fc.integer({ min: 1, max: 1e9 }), (durations, bytesPerMs) => {
      const all = durations.map((duration) => ({ gap: 0, duration, bytes: duration * bytesPerMs }));
      for (const rate of ratesOf(all)) {
        if (rate !== undefined) assertAlmostEquals(rate / bytesPerMs, 1000, 1e-6);
      }
    }));
  });

  it("lies between the slowest and the fastest of what was measured", () => {
    fc.assert(fc.property(measurements, (all) => {
      const lasting = all.filter(({ duration }) => duration > 0);
      const speeds = lasting.map(({ bytes, duration }) => bytes / duration * 1000);
      const rate = ratesOf(lasting).at(-1);
      if (rate === undefined) return;
      assert(rate >= Math.min(...speeds) * (1 - 1e-9), `${rate} below ${Math.min(...speeds)}`);
      assert(rate <= Math.max(...speeds) * (1 + 1e-9), `${rate} above ${Math.max(...speeds)}`);
    }));
  });

  it("does not count the time in which nothing was measured", () => {
    const steady = (gap: number) =>
      Array.from({ length: 20 }, () => ({ gap, duration: 100, bytes: 5000 }));
    assertAlmostEquals(ratesOf(steady(0)).at(-1)!, 50_000, 1e-6);
    assertAlmostEquals(ratesOf(steady(60_000)).at(-1)!, 50_000, 1e-6);
  });

  it("sums what comes in at the same time, in any number of parts", () => {
    const moments = fc.array(
      fc.record({ duration: fc.integer({ min: 1, max: 1000 }), parts: fc.array(fc.nat()) }),
    );
    fc.assert(fc.property(moments, (moments) => {
      const [inOne, inParts] = [new TransferRate(), new TransferRate()];
      let time = 0;
      for (const { duration, parts } of moments) {
        const from = time;
        time += duration;
        inOne.add(parts.reduce((sum, bytes) => sum + bytes, 0), from, time);
        inParts.add(0, from, time);
        for (const bytes of parts) inParts.add(bytes, time, time);
        assertEquals(inParts.bytesPerSecond, inOne.bytesPerSecond);
      }
    }));
  });

  it("is the sum of the rates of layers that run in parallel, in step or not", () => {
    for (const offset of [0, 30, 50]) {
      const rate = new TransferRate();
      for (let time = 100; time <= 60_000; time += 100) {
        rate.add(1000, time - 100, time);
        if (time > 100 || offset === 0) rate.add(2000, time - 100 + offset, time + offset);
      }
      assertAlmostEquals(rate.bytesPerSecond!, 30_000, 300);
    }
  });

  it("follows a change: after 30 s no more than 1 % is left of the old rate", () => {
    const rate = new TransferRate();
    for (let time = 0; time < 60_000; time += 60) rate.add(60_000, time, time + 60);
    for (let time = 60_000; time < 90_000; time += 60) rate.add(6_000, time, time + 60);
    assertAlmostEquals(rate.bytesPerSecond!, 100_000, 900_000 * 0.01);
  });

  it("falls towards 0 while measurements give nothing", () => {
    const rate = new TransferRate();
    rate.add(1_000_000, 0, 1000);
    for (let time = 1000; time < 40_000; time += 1000) rate.add(0, time, time + 1000);
    assert(rate.bytesPerSecond! < 1000, `${rate.bytesPerSecond}`);
  });
});
