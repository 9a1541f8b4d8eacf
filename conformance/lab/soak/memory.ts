/**
 * How the memory in use grows over time.
 *
 * @module
 */

import process from "node:process";

/** The memory that was in use at some time. */
export interface MemorySample {
  readonly ms: number;
  readonly megabytes: number;
}

/** How long it takes until the program itself has taken all the memory that it needs. */
const WARM_UP_MS = 10_000;

/** The time between two samples: to collect garbage takes a while. */
const SAMPLE_EVERY_MS = 2_000;

/** How much a line through all samples may rise over a run, in MB. A busy program is never quite still. */
const MAX_GROWTH_MB = 10;

/** How many samples show a trend: a few show who happened to be there. */
const LEAST_SAMPLES = 20;

/** The memory that is in use, in MB, after garbage was collected, where that can be asked for. */
function memoryInUse(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

/** The slope of the straight line that is closest to some samples, in MB per millisecond. */
export function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [middle, level] = [mean(({ ms }) => ms), mean(({ megabytes }) => megabytes)];
  const covariance = mean(({ ms, megabytes }) => (ms - middle) * (megabytes - level));
  const variance = mean(({ ms }) => (ms - middle) ** 2);
  return variance > 0 ? covariance / variance : 0;
}

/** Samples of the memory during a run. */
export class Memory {
  readonly #startedAt: number;
  readonly #atStart = memoryInUse();
  readonly #samples: MemorySample[] = [];
  #sampledAt: number;

  /** @param now The time in milliseconds. */
  constructor(now: number) {
    this.#startedAt = now;
    this.#sampledAt = now + WARM_UP_MS - SAMPLE_EVERY_MS;
  }

  /** Takes a sample, if it is time for one. */
  sample(now: number): void {
    if (now - this.#sampledAt < SAMPLE_EVERY_MS) return;
    this.#samples.push({ ms: now - this.#startedAt, megabytes: memoryInUse() });
    this.#sampledAt = now;
  }

  /** By how much it has grown after the program was warm, in MB. */
  get grownBy(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first && last ? slopeOf(this.#samples) * (last.ms - first.ms) : 0;
  }

  /** Whether that is no more than what comes and goes, as far as can be told. */
  get isFlat(): boolean {
    return this.#samples.length < LEAST_SAMPLES || this.grownBy <= MAX_GROWTH_MB;
  }

  /** The memory in words. */
  toString(): string {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const start = `${this.#atStart.toFixed(1)} MB at the start`;
    if (!first || !last) return `${start}, ${memoryInUse().toFixed(1)} MB at the end`;
    const perHour = slopeOf(this.#samples) * 3_600_000;
    return `${start}, ${first.megabytes.toFixed(1)} MB after ${(first.ms / 1000).toFixed(0)} s, ` +
      `${last.megabytes.toFixed(1)} MB at the end; the trend is ${perHour.toFixed(1)} MB an hour`;
  }
}
