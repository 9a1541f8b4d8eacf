/**
 * What viewers of a relay cost, worked out of what was counted.
 *
 * @module
 */

import type { Received } from "./relay_viewers.ts";
import { round } from "./rounds.ts";

/** What a number of viewers costs. */
export interface RelayPoint {
  /** How many there are. */
  readonly viewers: number;
  /** The processor time of one update of one viewer, in microseconds. */
  readonly cpuUs: number;
  /** What one update of one viewer takes on the wire, in bytes, with the chunks of HTTP. */
  readonly bytes: number;
  /** What a viewer takes on the heap of V8, and in the memory of the process, in bytes. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** The whole heap, in megabytes. */
  readonly heapMb: number;
  /** The part of one core that all of it takes. */
  readonly load: number;
  /** How old what is told is when it is read, in milliseconds since the upstream wrote it. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** How many of the viewers were told each time that anybody was, as a part. */
  readonly told: number;
}

/** What viewers cost in a runtime. */
export interface RelayScale {
  /** Those of a relay, by their number. */
  readonly relay: readonly RelayPoint[];
  /** Those of the least that a server does. */
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
  /** A relay in Deno that watches another one, which is told ten times as often. */
  readonly secondLevel: RelayPoint;
}

/** What was counted while a number of viewers watched. */
export interface Sample {
  /** How many watched. */
  readonly viewers: number;
  /** For how long. */
  readonly elapsedMs: number;
  /** The processor time that the relay took meanwhile. */
  readonly cpuMs: number;
  /** Its heap, and all of its memory. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** What the viewers received, a process each. */
  readonly received: readonly Received[];
}

function sum(received: readonly Received[], field: "updates" | "bytes"): number {
  return received.reduce((all, one) => all + one[field], 0);
}

/** The age below which a part of the updates is. */
function ageAt(received: readonly Received[], part: number): number {
  const ages = received.flatMap(({ ages }) => ages).toSorted(([a], [b]) => a - b);
  let left = sum(received, "updates") * part;
  return ages.find(([, updates]) => (left -= updates) <= 0)?.[0] ?? NaN;
}

/** What viewers cost beyond the first one. */
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
