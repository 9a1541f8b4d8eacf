import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { slopeOf } from "./memory.ts";

describe("the slope of samples", () => {
  const times = fc.uniqueArray(fc.nat({ max: 1_000 }), { minLength: 2, maxLength: 20 });

  it("is that of the line on which they are, whatever comes and goes around it", () => {
    fc.assert(fc.property(times, fc.nat({ max: 50 }), fc.nat({ max: 9 }), (times, slope, noise) => {
      const samples = times.flatMap((ms) =>
        [-noise, noise].map((offset) => ({ ms, megabytes: 7 + slope * ms + offset }))
      );
      assertAlmostEquals(slopeOf(samples), slope, 1e-6);
    }));
  });

  it("is 0 where there is no line", () => {
    assertEquals(slopeOf([{ ms: 5, megabytes: 1 }]), 0);
    assertEquals(slopeOf([{ ms: 5, megabytes: 1 }, { ms: 5, megabytes: 2 }]), 0);
  });
});
