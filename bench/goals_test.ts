/**
 * Shows that a goal is missed when its figure is on the wrong side of its target.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { NAIVE, OLLAMA } from "./contenders.ts";
import type { ErrorsByMethod } from "./eta.ts";
import { judge } from "./goals.ts";
import { TODAY } from "./inputs.ts";
import type { BenchRecord } from "./record.ts";
import type { RelayPoint } from "./relay_cost.ts";

/** A record of one contender in Deno, which is some times as fast as others. */
function recordOf(timesAsFast: Record<string, number>, grownBytes: number): BenchRecord {
  const points = (...costs: number[]) => costs.map((ns, index) => ({ size: 10 ** index, ns }));
  return {
    clock: "cpu",
    lines: 1_000,
    rounds: 1,
    versions: {},
    speed: [{
      runtime: "Deno",
      input: TODAY,
      origin: "dialect",
      chunking: "replay",
      job: "events",
      contender: "decodePull",
      nsPerLine: 100,
      spread: 0,
      timesAsFast,
    }],
    memory: [],
    growth: {
      Deno: {
        lines: points(100, 90, 100),
        layersInSequence: points(100, 110),
        layersInTurn: points(100, 300),
        longLine: points(10, 10),
        grownBytes,
        rssGrownBytes: grownBytes,
      },
    },
  };
}

describe("the goals", () => {
  it("are judged where they were measured, each by its own bound", () => {
    const record = recordOf({ [OLLAMA]: 2.6, [NAIVE]: 0.9 }, 1e6);
    const verdicts = judge(record).map(({ figure, isMet, goal }) => [
      goal.bound,
      goal.target,
      Number(figure.toFixed(2)),
      isMet,
    ]);
    assertEquals(verdicts, [
      ["at least", 4.5, 2.6, false],
      ["at least", 1, 0.9, false],
      ["at most", 8, 1, true],
      ["at most", 1.25, 1.11, true],
      ["at most", 1.5, 1.1, true],
      ["at most", 2, 3, false],
      ["at most", 1.5, 1, true],
    ]);
  });

  it("judge a relay by what one viewer more costs, and by what 10,000 take", () => {
    const point = (viewers: number, cpuUs: number, heapBytes: number): RelayPoint => ({
      ...{ viewers, cpuUs, bytes: 120, heapBytes, residentBytes: 20_000 },
      ...{ heapMb: 110, load: 0.2, medianMs: 40, p99Ms: 90, told: 1 },
    });
    const scale = {
      relay: [point(1_000, 10, 5_000), point(10_000, 13, 5_500)],
      floor: [point(1_000, 8, 4_000), point(10_000, 10.4, 4_000)],
    };
    const quick = { relay: [point(10, 10, 5_000)], floor: [point(10, 10, 5_000)] };
    const relay = {
      ...{ updateEveryMs: 1_000, Deno: scale, workerd: quick },
      secondLevel: point(1_000, 10, 5_000),
    };
    const verdicts = judge({ ...recordOf({}, 1e6), growth: {}, relay });
    assertEquals(verdicts.map(({ figure, isMet }) => [figure, isMet]), [
      [1.3, false],
      [1.25, true],
      [1.1, true],
      [90, true],
      [110, false],
      [0.2, true],
    ]);
  });

  it("judge the time left against each other method, and on each trace against the best", () => {
    const errorsOf = (ours: number, mean: number, second: number, ollama: number) => {
      const errors = (median: number) => ({ median, p90: 1 });
      return {
        "ours": errors(ours),
        "overall mean": errors(mean),
        "last second": errors(second),
        "ollama pull": errors(ollama),
      } satisfies ErrorsByMethod;
    };
    const trace = (name: string, errors: ErrorsByMethod) =>
      ({ name, purpose: "held out", downloads: 1, errors }) as const;
    const eta = {
      traces: [
        trace("close to the best", errorsOf(0.15, 0.1, 0.3, 0.3)),
        trace("too far from the best", errorsOf(0.25, 0.3, 0.1, 0.3)),
        trace("small, as the best is", errorsOf(0.05, 0.3, 0.3, 0.001)),
      ],
      all: errorsOf(0.1, 0.1, 0.2, 0.4),
      heldOut: errorsOf(0.1, 0.05, 0.2, 0.4),
    };
    const verdicts = judge({ ...recordOf({}, 1e6), growth: {}, eta });
    assertEquals(verdicts.map(({ figure, isMet }) => [Number(figure.toFixed(2)), isMet]), [
      [1, false],
      [0.5, true],
      [0.25, true],
      [2, false],
      [0.5, true],
      [0.25, true],
      [0.75, true],
      [1.25, false],
      [0.83, true],
    ]);
  });
});
