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
    const bytesPerSecond = rate.bytesPerSecond(time);
    return Number.isNaN(bytesPerSecond) ? undefined : bytesPerSecond;
  });
}

describe("TransferRate", () => {
  it("is unknown until half a second was measured", () => {
    assertEquals(new TransferRate().bytesPerSecond(1e6), NaN);
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

  it("sums bytes that arrive at the same time, in any number of parts", () => {
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
        assertEquals(inParts.bytesPerSecond(time), inOne.bytesPerSecond(time));
        assertEquals(inParts.secondsFor(1e9, time), inOne.secondsFor(1e9, time));
      }
    }));
  });

  it("is the sum of the rates of parallel layers, in step or not", () => {
    for (const offset of [0, 30, 50]) {
      const rate = new TransferRate();
      for (let time = 100; time <= 60_000; time += 100) {
        rate.add(1000, time - 100, time);
        if (time > 100 || offset === 0) rate.add(2000, time - 100 + offset, time + offset);
      }
      assertAlmostEquals(rate.bytesPerSecond(60_000 + offset), 30_000, 300);
      assertAlmostEquals(rate.secondsFor(30_000, 60_000 + offset), 1, 0.01);
    }
  });

  it("follows a change: after 30 s no more than 1 % is left of the old rate", () => {
    const rate = new TransferRate();
    for (let time = 0; time < 60_000; time += 60) rate.add(60_000, time, time + 60);
    for (let time = 60_000; time < 90_000; time += 60) rate.add(6_000, time, time + 60);
    assertAlmostEquals(rate.bytesPerSecond(90_000), 100_000, 900_000 * 0.01);
  });

  it("falls while nothing arrives, and is 0 after 10 s", () => {
    const rate = new TransferRate();
    for (let time = 0; time < 60_000; time += 60) rate.add(60_000, time, time + 60);
    const after = (milliseconds: number) => rate.bytesPerSecond(60_000 + milliseconds);
    assertAlmostEquals(after(0), 1_000_000, 1e-3);
    assert(after(5_000) < 400_000, `${after(5_000)}`);
    assert(after(10_000) > 0);
    assertEquals(after(10_001), 0);
    for (let silence = 0; silence < 10_000; silence++) assert(after(silence + 1) < after(silence));
  });

  it("treats reports of no bytes like silence, while it lasts and afterwards", () => {
    const pauses = fc.array(fc.nat({ max: 3000 }), { minLength: 1 });
    const next = fc.record({ pause: fc.integer({ min: 1, max: 1000 }), bytes: fc.nat() });
    fc.assert(fc.property(measurements, pauses, next, (all, pauses, next) => {
      const [silent, repeating] = [new TransferRate(), new TransferRate()];
      const assertSame = (time: number) => {
        assertEquals(repeating.bytesPerSecond(time), silent.bytesPerSecond(time));
        assertEquals(repeating.secondsFor(1e9, time), silent.secondsFor(1e9, time));
      };
      ratesOf(all, silent);
      ratesOf(all, repeating);
      const start = all.reduce((time, { gap, duration }) => time + gap + duration, 0);
      let time = start;
      for (const pause of pauses) {
        if (all.length > 0) repeating.add(0, time, time + pause);
        time += pause;
        assertSame(time);
      }
      silent.add(next.bytes, start, time + next.pause);
      repeating.add(next.bytes, all.length > 0 ? time : start, time + next.pause);
      assertSame(time + next.pause);
    }));
  });

  it("is not changed by reading it", () => {
    const lasting = measurements.map((all) => all.map((one) => ({ ...one, gap: one.gap + 1 })));
    fc.assert(fc.property(lasting, fc.array(fc.double({ min: 0, max: 1 })), (all, moments) => {
      const [rate, unasked] = [new TransferRate(), new TransferRate()];
      let time = 0;
      for (const [index, { gap, duration, bytes }] of all.entries()) {
        const from = time + gap;
        for (const part of moments.slice(index, index + 2).sort((a, b) => a - b)) {
          rate.bytesPerSecond(time + part * gap);
          rate.secondsFor(1, time + part * gap);
        }
        time = from + duration;
        for (const each of [rate, unasked]) each.add(bytes, from, time);
      }
      assertEquals(rate.bytesPerSecond(time), unasked.bytesPerSecond(time));
      assertEquals(rate.secondsFor(1, time), unasked.secondsFor(1, time));
    }));
  });
});

describe("the time left", () => {
  it("is unknown until a second was measured, and right after that at a steady rate", () => {
    const durations = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 300 });
    fc.assert(fc.property(durations, fc.integer({ min: 1, max: 1e9 }), (durations, bytesPerMs) => {
      const rate = new TransferRate();
      let time = 0;
      for (const duration of durations) {
        const seconds = rate.secondsFor(bytesPerMs * 1000, time);
        if (time < 1000) assertEquals(seconds, NaN);
        // What came in latest counts from the next moment on.
        rate.add(duration * bytesPerMs, time, time += duration);
        const known = time - duration >= 1000;
        if (known) assertAlmostEquals(rate.secondsFor(bytesPerMs * 1000, time), 1, 1e-6);
      }
    }));
  });

  it("is finite, and unknown once nothing has arrived for 10 s", () => {
    fc.assert(fc.property(measurements, fc.maxSafeNat(), (all, bytes) => {
      const rate = new TransferRate();
      let time = 0;
      let newBytesAt = NaN;
      for (const one of all) {
        const from = time + one.gap;
        time = from + one.duration;
        rate.add(one.bytes, from, time);
        if (one.bytes > 0) newBytesAt = time;
        const seconds = rate.secondsFor(bytes, time);
        assert(Number.isNaN(seconds) || (Number.isFinite(seconds) && seconds >= 0), `${seconds}`);
        assertEquals(rate.secondsFor(bytes, newBytesAt + 10_001), NaN);
        if (time - newBytesAt > 10_000) assertEquals(seconds, NaN);
      }
    }));
  });
});
