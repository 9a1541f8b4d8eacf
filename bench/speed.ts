/**
 * How fast the contenders decode a pull, measured in the runtime that this runs in.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import {
  type Answer,
  check,
  type Contender,
  CONTENDERS,
  DENO_STD,
  FLOOR,
  type Job,
  NAIVE,
  OLLAMA,
} from "./contenders.ts";
import { type Chunking, cut, PullBody } from "./pull_bytes.ts";
import { type Clock, measureInRounds, median, quantile, ratio } from "./rounds.ts";

/** A pull in a file, and what it must come to. */
export interface StoredInput extends Answer {
  /** The name of the input. */
  readonly name: string;
  /** The file. */
  readonly file: string;
}

/** What to measure. */
export interface SpeedTask {
  /** Tells the tasks apart. */
  readonly kind: "speed";
  /** The pull. */
  readonly input: StoredInput;
  /** How it arrives. */
  readonly chunking: Chunking;
  /** The names of the contenders, or all of them. */
  readonly contenders?: readonly string[];
  /** How often each of them reads the pull. */
  readonly rounds: number;
  /** What tells the time. */
  readonly clock: Clock;
}

/** How fast a contender is. */
export interface Speed {
  /** Its name. */
  readonly contender: string;
  /** What it does. */
  readonly job: Job;
  /** The time that it takes for a line, in nanoseconds: the median. */
  readonly nsPerLine: number;
  /** How far apart the middle half of the rounds is, as a part of the median. */
  readonly spread: number;
  /** How many times as fast it is as others that do the same, by their names. */
  readonly timesAsFast: Readonly<Record<string, number>>;
}

const REFERENCES = [OLLAMA, NAIVE, FLOOR, `${DENO_STD}, typed`];

/** Measures the contenders that do one job. */
async function measureJob(
  { input, rounds, clock }: SpeedTask,
  contenders: readonly Contender[],
  chunks: readonly Uint8Array<ArrayBuffer>[],
): Promise<Speed[]> {
  const work = contenders.map((contender) => async () =>
    check(contender, await contender.run(new PullBody(chunks)), input)
  );
  await measureInRounds(work, 1, clock); // to warm up
  const times = await measureInRounds(work, rounds, clock);
  return contenders.map(({ name, job }, index) => {
    const own = times[index]!;
    const references = contenders.flatMap((other, at) =>
      REFERENCES.includes(other.name) && at !== index
        ? [[other.name, round(ratio(times[at]!, own), 3)]]
        : []
    );
    return {
      contender: name,
      job,
      nsPerLine: round(median(own) * 1e6 / input.lines, 1),
      spread: round((quantile(own, 0.75) - quantile(own, 0.25)) / median(own), 3),
      timesAsFast: Object.fromEntries(references),
    };
  });
}

/** A number that is no longer than it is worth. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Measures what a task says. */
export async function measureSpeed(task: SpeedTask): Promise<Speed[]> {
  const chunks = cut(new Uint8Array(await readFile(task.input.file)), task.chunking);
  const chosen = CONTENDERS.filter(({ name }) => task.contenders?.includes(name) ?? true);
  const results: Speed[] = [];
  for (const job of ["events", "progress"] as const) {
    results.push(...await measureJob(task, chosen.filter((one) => one.job === job), chunks));
  }
  return results;
}
