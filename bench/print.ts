/**
 * What a run has measured, in tables for people.
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

/** Prints how fast the contenders are with one input. */
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

/** Prints how fast we are with each input. */
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

/** Prints how much memory the contenders take. */
export function printMemory(runtime: RuntimeName, entries: readonly MemoryEntry[]): void {
  console.log(`\n${runtime}, memory at most, over what was there before`);
  console.table(Object.fromEntries(entries.map(({ contender, job, rssMb, heapMb }) => [
    `${contender} (${job})`,
    { "process, MB": rssMb, "heap, MB": heapMb },
  ])));
}

/** Prints what growth costs. */
export function printGrowth(runtime: RuntimeName, growth: Growth): void {
  const list = (points: readonly Point[]) =>
    points.map(({ size, ns }) => `${size.toLocaleString("en")}: ${ns} ns`).join(", ");
  console.log(`\n${runtime}, growth`);
  console.log(`  a line, by lines: ${list(growth.lines)}`);
  console.log(`  a line, by layers one after another: ${list(growth.layersInSequence)}`);
  console.log(`  a line, by layers in turn: ${list(growth.layersInTurn)}`);
  console.log(`  a byte, by the length of the line: ${list(growth.longLine)}`);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(
    `  memory: ${megabytes(growth.grownBytes)} alive, ${
      megabytes(growth.rssGrownBytes)
    } of the process`,
  );
}

/** Prints what a pull costs at the edge. */
export function printEdge({ followMs, readMs, live, pullsPerCore }: Edge): void {
  console.log("\nworkerd");
  console.log(
    `  a pull of an hour: ${followMs} ms, of which reading its chunks takes ${readMs} ms`,
  );
  console.log(`  live, a line: ${live.followUs} µs, of which reading it takes ${live.readUs} µs`);
  console.log(
    `  ${live.pulls} pulls at the same time for ${live.seconds} s: ` +
      `${(live.arrived * 100).toFixed(1)} % of the lines came, ${(live.late * 100).toFixed(1)} % ` +
      `of them late, at ${(live.load * 100).toFixed(0)} % of a core`,
  );
  console.log(`  one core can follow ${pullsPerCore} pulls`);
}

/** Prints how wrong the time left is that is told. */
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

/** Prints what the mock costs. */
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
    `  in virtual time, a line: ${micro(virtualNs)}, of which a stream takes ${micro(floorNs)}`,
  );
  console.log(`  in process: ${live(inProcess)}`);
  console.log(`  over sockets: ${live(sockets)}; one core holds ${pullsPerCore}`);
  if (!startUp) return;
  const ms = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;
  const { bareMs, readyMs, laterMs } = startUp;
  console.log("\nthe mock from npm, in Node");
  console.log(`  ready after ${ms(readyMs)}: ${ms(laterMs)} later than bare Node (${ms(bareMs)})`);
}

/** Prints what viewers of a relay cost. */
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
  console.log(`\nviewers of a relay, told every ${relay.updateEveryMs} ms; ages: median / p99`);
  console.table(Object.fromEntries([
    ...RELAY_RUNTIMES.flatMap((name) => [
      ...rows(name, relay[name].relay),
      ...rows(`${name}, floor`, relay[name].floor),
    ]),
    ...rows("Deno, second level", [relay.secondLevel]),
  ]));
}

/** Prints the goals that were missed, and how many were not. */
export function printVerdicts(verdicts: readonly Verdict[]): void {
  const missed = verdicts.filter(({ isMet }) => !isMet);
  console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} goals are met`);
  for (const { goal: { name, bound, target }, figure } of missed) {
    console.log(
      `  missed: ${name}: ${figure.toFixed(2)}, not ${bound} ${Number(target.toFixed(2))}`,
    );
  }
}
