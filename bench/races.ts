/**
 * Measures how fast the contenders decode a pull. As in an application, each has a separate process, so that
 * contenders do not affect each other's engine caches; the processes take turns.
 *
 * @module
 */

import {
  type Contender,
  CONTENDERS,
  DENO_STD,
  FLOOR,
  type Job,
  NAIVE,
  OLLAMA,
  STD_PIPED,
} from "./contenders.ts";
import { measureInRounds, median, quantile, ratio, round } from "./rounds.ts";
import { type RuntimeName, startTask } from "./runtimes.ts";
import type { SpeedTask } from "./speed.ts";

/** What to compare. */
export interface Comparison extends Pick<SpeedTask, "input" | "chunking" | "clock"> {
  /** The names of the contenders, or all of them. */
  readonly contenders?: readonly string[] | undefined;
  /** How often each of them reads the pull. */
  readonly rounds: number;
  /** The least number of lines that each reads before that, so that its code is compiled. */
  readonly linesToWarmUp: number;
}

/** How fast a contender is. */
export interface Speed {
  /** Its name. */
  readonly contender: string;
  /** Its job. */
  readonly job: Job;
  /** Its median time per line, in nanoseconds. */
  readonly nsPerLine: number;
  /** The interquartile range of the rounds, as a part of the median. */
  readonly spread: number;
  /** How many times as fast it is as others with the same job, by their names. */
  readonly timesAsFast: Readonly<Record<string, number>>;
}

const REFERENCES = [OLLAMA, NAIVE, FLOOR, STD_PIPED, `${DENO_STD}, typed`];

/** Measures the contenders for one job. */
async function measureJob(
  runtime: RuntimeName,
  script: string,
  { input, chunking, clock, rounds, linesToWarmUp }: Comparison,
  contenders: readonly Contender[],
): Promise<Speed[]> {
  await using processes = new AsyncDisposableStack();
  const work = contenders.map(({ name, job }) => {
    const task = { kind: "speed", input, chunking, contender: name, job, clock } as const;
    const racer = processes.use(startTask(runtime, script, task));
    return async () => Number(await racer.ask("read"));
  });
  const times = await measureInRounds(work, rounds, Math.ceil(linesToWarmUp / input.lines));
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

/** Compares contenders in a runtime. */
export async function compare(
  runtime: RuntimeName,
  script: string,
  comparison: Comparison,
): Promise<Speed[]> {
  const { contenders } = comparison;
  const chosen = CONTENDERS.filter(({ name }) => contenders?.includes(name) ?? true);
  const results: Speed[] = [];
  for (const job of ["events", "progress"] as const) {
    const ofJob = chosen.filter((one) => one.job === job);
    results.push(...await measureJob(runtime, script, comparison, ofJob));
  }
  return results;
}
