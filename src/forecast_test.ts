import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { Forecast } from "./forecast.ts";

/** Bytes in each of some seconds, which are then known. */
function forecastOf(bytesPerSecond: Iterable<number>): Forecast {
  const forecast = new Forecast();
  for (const bytes of bytesPerSecond) forecast.add(bytes, 1000);
  return forecast;
}

/** The pace as bytes per second. */
const paceOf = (bytesPerSecond: Iterable<number>) => forecastOf(bytesPerSecond).pace * 1000;

function* repeat(seconds: number, bytesAt: (second: number) => number): Generator<number> {
  for (let second = 0; second < seconds; second++) yield bytesAt(second);
}

describe("Forecast", () => {
  it("has no pace before a second has passed", () => {
    const forecast = new Forecast();
    assertEquals(forecast.pace, NaN);
    forecast.add(999, 999);
    assertEquals(forecast.pace, NaN);
    forecast.add(1, 1);
    assertEquals(forecast.pace, 1);
  });

  it("lies between the slowest and the fastest second", () => {
    const seconds = fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1, maxLength: 500 });
    fc.assert(fc.property(seconds, (seconds) => {
      const pace = paceOf(seconds);
      assert(pace >= Math.min(...seconds) * (1 - 1e-9), `${pace} is below all`);
      assert(pace <= Math.max(...seconds) * (1 + 1e-9), `${pace} is above all`);
    }));
  });

  it("does not depend on the unit of the bytes", () => {
    const seconds = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 200 });
    fc.assert(fc.property(seconds, (seconds) => {
      const scaled = paceOf(seconds.map((bytes) => bytes * 1024)) / 1024;
      assertAlmostEquals(scaled / paceOf(seconds), 1, 1e-6);
    }));
  });

  it("uses the whole past if the pace fluctuates", () => {
    for (const period of [4, 10, 20]) {
      const pace = paceOf(repeat(300, (second) => second % period < period / 2 ? 1900 : 100));
      assertAlmostEquals(pace, 1000, 100);
    }
  });

  it("uses only the time since the pace changed for good", () => {
    for (const after of [100, 300, 3000, 10_000]) {
      const pace = paceOf(repeat(90, (second) => second < 60 ? 1000 : after));
      assertAlmostEquals(pace / after, 1, 0.1);
    }
  });

  it("returns to the usual pace soon after an outage", () => {
    const forecast = forecastOf(repeat(60, () => 1000));
    forecast.add(1000, 300_000);
    for (let second = 0; second < 45; second++) forecast.add(1000, 1000);
    assertAlmostEquals(forecast.pace, 1, 0.1);
  });

  it("counts the latest second, even if there are too many", () => {
    for (const seconds of [2, 10, 63, 64, 126, 128]) {
      const pace = paceOf(repeat(seconds, (second) => second === seconds - 1 ? 9000 : 1000));
      assert(pace > 1000.1, `${pace} after ${seconds} s`);
    }
  });

  it("follows a change in a pull of a day, whose seconds are too many to keep", () => {
    const hour = 3600;
    assertAlmostEquals(paceOf(repeat(12 * hour, () => 1000)), 1000, 1e-3);
    const pace = paceOf(repeat(24 * hour, (second) => second < 18 * hour ? 1000 : 250));
    assertAlmostEquals(pace, 250, 25);
  });
});
