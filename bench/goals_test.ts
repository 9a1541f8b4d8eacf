/**
 * Shows that a goal is missed when its figure is on the wrong side of its target.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { NAIVE, OLLAMA } from "./contenders.ts";
import { judge } from "./goals.ts";
import { TODAY } from "./inputs.ts";
import type { BenchRecord } from "./record.ts";

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
});
