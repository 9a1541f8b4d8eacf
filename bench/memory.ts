/**
 * Measures how much memory a contender uses while it decodes a pull, in a separate process.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { check, findContender, type Job } from "./contenders.ts";
import { cut, PullBody } from "./pull_bytes.ts";
import { collectGarbage, round } from "./rounds.ts";
import type { StoredInput } from "./speed.ts";

/** What to measure. */
export interface MemoryTask {
  /** Tells the tasks apart. */
  readonly kind: "memory";
  /** The pull. */
  readonly input: StoredInput;
  /** The name of the contender. */
  readonly contender: string;
  /** Its job. */
  readonly job: Job;
}

/** The peak memory of a contender above the baseline at its start. */
export interface Memory {
  /** Its name. */
  readonly contender: string;
  /** Its job. */
  readonly job: Job;
  /** The memory of the process, in megabytes. */
  readonly rssMb: number;
  /** The part of it in the heap, in megabytes. */
  readonly heapMb: number;
}

const MEGABYTE = 1e6;

/** Measures a task. The bytes of the pull exist beforehand, and do not count. */
export async function measureMemory(task: MemoryTask): Promise<Memory> {
  const { input, job } = task;
  const contender = findContender(task.contender, job);
  const chunks = cut(new Uint8Array(await readFile(input.file)), "replay");

  collectGarbage();
  const before = process.memoryUsage();
  const peak = { rss: before.rss, heapUsed: before.heapUsed };
  const look = () => {
    const { rss, heapUsed } = process.memoryUsage();
    peak.rss = Math.max(peak.rss, rss);
    peak.heapUsed = Math.max(peak.heapUsed, heapUsed);
  };
  function* watched() {
    for (const chunk of chunks) {
      look();
      yield chunk;
    }
  }
  check(contender, await contender.run(new PullBody(watched())), input);
  look();
  return {
    contender: contender.name,
    job,
    rssMb: round((peak.rss - before.rss) / MEGABYTE, 1),
    heapMb: round((peak.heapUsed - before.heapUsed) / MEGABYTE, 1),
  };
}
