/**
 * Shows that bench/README.md and the chart are what the record makes. (Whether the record is old is another
 * matter: times are not tested.)
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { drawChart } from "./chart.ts";
import { CONTENDERS } from "./contenders.ts";
import { goalsFor } from "./goals.ts";
import { inputNames, TODAY } from "./inputs.ts";
import {
  type BenchRecord,
  CHART,
  medianOf,
  renderReport,
  RUNTIME_NAMES,
  withReport,
} from "./record.ts";
import type { RelayPoint } from "./relay_cost.ts";

const read = (path: string) =>
  readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const record: BenchRecord = JSON.parse(await read("bench/record.json"));

describe("the record of the benchmark", () => {
  it("is what the part of bench/README.md is made of", async () => {
    const readme = await read("bench/README.md");
    assertEquals(readme, withReport(readme, record));
  });

  it("is what the chart is drawn from", async () => {
    assertEquals(await read(CHART), drawChart(record));
  });

  it("is of all contenders with today's pull, in every runtime", () => {
    for (const name of RUNTIME_NAMES) {
      const entries = record.speed.filter(({ runtime, input, chunking }) =>
        runtime === name && input === TODAY && chunking === "replay"
      );
      assertEquals(
        new Set(entries.map(({ job, contender }) => `${job}: ${contender}`)),
        new Set(CONTENDERS.map(({ job, name }) => `${job}: ${name}`)),
      );
    }
  });

  it("is of all inputs", async () => {
    assertEquals(new Set(record.speed.map(({ input }) => input)), new Set(await inputNames()));
  });

  it("has a figure for every goal", () => {
    for (const { name, figure } of goalsFor(record)) {
      const value = figure(record);
      assert(value !== undefined && Number.isFinite(value), `${name}: ${value}`);
    }
  });

  it("shows what the viewers of a relay cost, once that was measured", () => {
    const point = (viewers: number, cpuUs: number): RelayPoint => ({
      ...{ viewers, cpuUs, bytes: 131, heapBytes: 5_811, residentBytes: 60_000, heapMb: 67 },
      ...{ load: viewers * 1.9e-5, medianMs: 34, p99Ms: 88, told: 1 },
    });
    const scale = { relay: [point(100, 20), point(10_000, 17.5)], floor: [point(10_000, 14)] };
    const relay = {
      ...{ updateEveryMs: 1_000, Deno: scale, workerd: scale },
      secondLevel: point(1_000, 15),
    };
    const report = renderReport({ ...record, versions: { Deno: "1.2.3" }, relay });
    const row = "| 131 | 5.8 KB | 60 KB | 19 % | 34 ms | 88 ms |";
    assertStringIncludes(report, `| Deno 1.2.3 | 10,000 | 18 µs ${row}`);
    assertStringIncludes(report, `| workerd | 10,000 | 18 µs ${row}`);
    assertMatch(report, /takes 1\.3 × in\sDeno, where one\score is enough for\s52,000\sviewers/);
    const { relay: _, ...withoutRelay } = record;
    assert(!renderReport(withoutRelay).includes("viewer"));
  });

  it("wants a place in a text", () => {
    assertThrows(() => withReport("# Nothing", record), Error, "no place for the report");
  });
});

describe("the median of several runs", () => {
  it("is that of each figure", () => {
    const runs = [5, 1, 3].map((figure) => ({
      name: "a",
      speed: [{ figure, same: 2 }],
      edge: { figure },
    }));
    assertEquals(medianOf(runs), {
      name: "a",
      speed: [{ figure: 3, same: 2 }],
      edge: { figure: 3 },
    });
    assertEquals(medianOf([record, record, record]), record);
  });

  it("is refused for runs that did not measure the same", () => {
    assertThrows(() => medianOf([{ a: 1 }, { b: 1 }]), Error, "did not measure the same");
    assertThrows(() => medianOf([["a"], ["b"]]), Error, "did not measure the same: a, b");
  });
});
