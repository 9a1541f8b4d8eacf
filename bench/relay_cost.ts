/**
 * Computes what each viewer of a relay costs from what was counted.
 *
 * @module
 */

import type { Received } from "./relay_viewers.ts";
import { round } from "./rounds.ts";

/** What some number of viewers costs. */
export interface RelayPoint {
  /** The number of viewers. */
  readonly viewers: number;
  /** The CPU time of one update of one viewer, in microseconds. */
  readonly cpuUs: number;
  /** The size of one update on the wire, in bytes, with HTTP's chunk headers. */
  readonly bytes: number;
  /** What each viewer adds to V8's heap and to the memory of the process, in bytes. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** The size of the whole heap, in megabytes. */
  readonly heapMb: number;
  /** The fraction of one core that the process uses. */
  readonly load: number;
  /** The age of an update when it is read, in milliseconds since the server of the pull wrote its line. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** The fraction of viewers that got each update. */
  readonly told: number;
}

/** What viewers cost in a runtime. */
export interface RelayScale {
  /** Those of a relay, for each number of viewers. */
  readonly relay: readonly RelayPoint[];
  /** Those of the floor: plain streams that all get the same bytes. */
  readonly floor: readonly RelayPoint[];
}

/** The runtimes in which a relay is measured. */
export const RELAY_RUNTIMES = ["Deno", "workerd"] as const;

/** The name of such a runtime. */
export type RelayRuntime = typeof RELAY_RUNTIMES[number];

/** What was measured. */
export interface RelayCost extends Readonly<Record<RelayRuntime, RelayScale>> {
  /** The time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
  /** Those of a relay in Deno that watches another one. */
  readonly secondLevel: RelayPoint;
}

/** What was counted while a number of viewers watched. */
export interface Sample {
  /** The number of viewers. */
  readonly viewers: number;
  /** How long it was counted, in milliseconds. */
  readonly elapsedMs: number;
  /** The CPU time that the relay used meanwhile, in milliseconds. */
  readonly cpuMs: number;
  /** The relay's heap and resident memory, in bytes. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** What the viewers in each process received. */
  readonly received: readonly Received[];
}

function sum(received: readonly Received[], field: "updates" | "bytes"): number {
  return received.reduce((all, one) => all + one[field], 0);
}

/** The age that a fraction of the updates does not exceed. */
function ageAt(received: readonly Received[], part: number): number {
  const ages = received.flatMap(({ ages }) => ages).toSorted(([a], [b]) => a - b);
  let left = sum(received, "updates") * part;
  return ages.find(([, updates]) => (left -= updates) <= 0)?.[0] ?? NaN;
}

/** Computes what each viewer costs beyond the first one. */
export function costOf(now: Sample, first: Sample): RelayPoint {
  const { viewers, elapsedMs, received } = now;
  const more = (field: "cpuMs" | "heapBytes" | "residentBytes") => now[field] - first[field];
  const updates = sum(received, "updates");
  return {
    viewers,
    cpuUs: round(more("cpuMs") * 1_000 / (updates - sum(first.received, "updates")), 2),
    bytes: round(sum(received, "bytes") / updates, 0),
    heapBytes: round(more("heapBytes") / (viewers - 1), 0),
    residentBytes: round(more("residentBytes") / (viewers - 1), 0),
    heapMb: round(now.heapBytes / 1e6, 1),
    load: round(now.cpuMs / elapsedMs, 3),
    medianMs: ageAt(received, 0.5),
    p99Ms: ageAt(received, 0.99),
    told: round(updates / viewers / Math.max(...received.map(({ times }) => times)), 3),
  };
}
