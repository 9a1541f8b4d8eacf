/**
 * Prints the results as tables for people.
 *
 * @module
 */

import { FLOOR, NAIVE, OLLAMA } from "./contenders.ts";
import type { Edge } from "./edge.ts";
import { type ErrorsByMethod, type Eta, METHOD_NAMES } from "./eta.ts";
import type { LiveCost, MockCost } from "./mock.ts";
import type { Verdict } from "./goals.ts";
import type { Growth, Point } from "./growth.ts";
import { CHUNKINGS } from "./pull_bytes.ts";
import type { MemoryEntry, SpeedEntry } from "./record.ts";
import { RELAY_RUNTIMES, type RelayCost, type RelayPoint } from "./relay_cost.ts";
import type { RuntimeName } from "./runtimes.ts";

const times = (value: number | undefined) => value === undefined ? "" : value.toFixed(2);

/** Prints the speed of the contenders with one input. */
export function printSpeed(entries: readonly SpeedEntry[]): void {
  for (const job of ["progress", "events"] as const) {
    const ofJob = entries.filter((entry) => entry.job === job);
    const [first] = ofJob;
    if (first === undefined) continue;
    console.log(`\n${first.runtime}, ${first.input}, ${CHUNKINGS[first.chunking]}: ${job}`);
    console.table(Object.fromEntries(ofJob.map((entry) => [entry.contender, {
      "ns a line": Math.round(entry.nsPerLine),
      "spread in %": Math.round(entry.spread * 100),
      "times ollama": times(entry.timesAsFast[OLLAMA]),
      "times the loop": times(entry.timesAsFast[NAIVE]),
      "times the floor": times(entry.timesAsFast[FLOOR]),
    }])));
  }
}

/** Prints our speed with each input. */
export function printInputs(runtime: RuntimeName, entries: readonly SpeedEntry[]): void {
  const rows: Record<string, Record<string, number | string>> = {};
  for (const { input, job, contender, nsPerLine, timesAsFast } of entries) {
    if (contender !== "decodePull" && contender !== "decodeProgress") continue;
    const row = rows[input] ??= {};
    row[`${job}, ns a line`] = Math.round(nsPerLine);
    row["times ollama" + (job === "events" ? "" : " ")] = times(timesAsFast[OLLAMA]);
    row["times the loop" + (job === "events" ? "" : " ")] = times(timesAsFast[NAIVE]);
  }
  console.log(`\n${runtime}, all inputs, ${CHUNKINGS.replay}`);
  console.table(rows);
}

/** Prints the memory use of the contenders. */
export function printMemory(runtime: RuntimeName, entries: readonly MemoryEntry[]): void {
  console.log(`\n${runtime}, peak memory above the baseline`);
  console.table(Object.fromEntries(entries.map(({ contender, job, rssMb, heapMb }) => [
    `${contender} (${job})`,
    { "process, MB": rssMb, "heap, MB": heapMb },
  ])));
}

/** Prints the cost of growth. */
export function printGrowth(runtime: RuntimeName, growth: Growth): void {
  const list = (points: readonly Point[]) =>
    points.map(({ size, ns }) => `${size.toLocaleString("en")}: ${ns} ns`).join(", ");
  console.log(`\n${runtime}, growth`);
  console.log(`  per line, by number of lines: ${list(growth.lines)}`);
  console.log(
    `  per line, by number of layers one after another: ${list(growth.layersInSequence)}`,
  );
  console.log(`  per line, by number of layers in turn: ${list(growth.layersInTurn)}`);
  console.log(`  per byte, by length of the line: ${list(growth.longLine)}`);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(
    `  memory: ${megabytes(growth.grownBytes)} alive, ${
      megabytes(growth.rssGrownBytes)
    } of the process`,
  );
}

/** Prints the cost of a pull at the edge. */
export function printEdge({ followMs, readMs, live, pullsPerCore }: Edge): void {
  console.log("\nworkerd");
  console.log(
    `  a pull of an hour: ${followMs} ms, including ${readMs} ms to read its chunks`,
  );
  console.log(`  live, per line: ${live.followUs} µs, including ${live.readUs} µs to read it`);
  console.log(
    `  ${live.pulls} pulls at once for ${live.seconds} s: ` +
      `${(live.arrived * 100).toFixed(1)} % of the lines arrived, ${
        (live.late * 100).toFixed(1)
      } % ` +
      `of them late, at ${(live.load * 100).toFixed(0)} % of a core`,
  );
  console.log(`  one core can follow ${pullsPerCore} pulls`);
}

/** Prints the errors of the reported time left. */
export function printEta({ traces, all, heldOut }: Eta): void {
  const percent = (part: number) => (part * 100).toFixed(1);
  const cells = (errors: ErrorsByMethod) =>
    Object.fromEntries(METHOD_NAMES.map((name) => {
      const { median, p90 } = errors[name];
      return [name, `${percent(median)} / ${percent(p90)}`];
    }));
  console.log("\ntime left: errors in %, median / 90th percentile");
  console.table(Object.fromEntries([
    ...traces.map(({ name, purpose, errors }) => [`${name} (${purpose})`, cells(errors)] as const),
    ["all traces", cells(all)],
    ["all that were held out", cells(heldOut)],
  ]));
}

/** Prints the cost of the mock. */
export function printMock(
  { virtualNs, floorNs, inProcess, sockets, pullsPerCore, startUp }: MockCost,
): void {
  const micro = (nanoseconds: number) => `${(nanoseconds / 1_000).toFixed(1)} µs`;
  const live = ({ pulls, lateMs, load }: LiveCost) =>
    `${pulls} pulls at once, lines ${lateMs.toFixed(1)} ms late, at ${
      (load * 100).toFixed(0)
    } % of a core`;
  console.log("\nthe mock, in Deno");
  console.log(
    `  in virtual time, per line: ${micro(virtualNs)}, including ${micro(floorNs)} for the stream`,
  );
  console.log(`  in process: ${live(inProcess)}`);
  console.log(`  over sockets: ${live(sockets)}; one core holds ${pullsPerCore}`);
  if (!startUp) return;
  const ms = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;
  const { bareMs, readyMs, laterMs } = startUp;
  console.log("\nthe mock from npm, in Node");
  console.log(`  ready after ${ms(readyMs)}: ${ms(laterMs)} later than bare Node (${ms(bareMs)})`);
}

/** Prints what the viewers of a relay cost. */
export function printRelay(relay: RelayCost): void {
  const cells = ({ viewers: _, ...point }: RelayPoint) => ({
    "µs an update": point.cpuUs,
    "bytes": point.bytes,
    "heap, bytes": point.heapBytes,
    "process, bytes": point.residentBytes,
    "heap, MB": point.heapMb,
    "load, %": Math.round(point.load * 100),
    "age, ms": `${point.medianMs} / ${point.p99Ms}`,
    "told, %": Math.round(point.told * 100),
  });
  const rows = (name: string, points: readonly RelayPoint[]) =>
    points.map((point) => [`${name}, ${point.viewers}`, cells(point)] as const);
  console.log(`\nviewers of a relay, updated every ${relay.updateEveryMs} ms; age: median / p99`);
  console.table(Object.fromEntries([
    ...RELAY_RUNTIMES.flatMap((name) => [
      ...rows(name, relay[name].relay),
      ...rows(`${name}, floor`, relay[name].floor),
    ]),
    ...rows("Deno, second level", [relay.secondLevel]),
  ]));
}

/** Prints the missed goals, and how many were met. */
export function printVerdicts(verdicts: readonly Verdict[]): void {
  const missed = verdicts.filter(({ isMet }) => !isMet);
  console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} goals are met`);
  for (const { goal: { name, bound, target }, figure } of missed) {
    console.log(
      `  missed: ${name}: ${figure.toFixed(2)}, not ${bound} ${Number(target.toFixed(2))}`,
    );
  }
}
