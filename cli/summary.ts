/**
 * Sums up a pull that has succeeded, in one line.
 *
 * @module
 */

import type { PullProgress } from "../mod.ts";
import { formatBytes, formatDuration, formatSpeed } from "../src/amounts.ts";
import { printable } from "./printable.ts";

/** Below this share of the model, what was there before is not worth a word: a first report may have it. */
const MIN_SHARE_PRESENT = 0.01;

/** Follows a pull, to sum it up. */
export class PullSummary {
  readonly #model: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** How much of each layer was there when the server first reported it, by its place. */
  readonly #present: number[] = [];
  #progress: PullProgress | undefined;
  #retries = 0;

  /** Starts the time, by a clock in milliseconds. */
  constructor(model: string, now: () => number) {
    this.#model = model;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Whether the server has said anything. */
  get hasBegun(): boolean {
    return this.#progress !== undefined;
  }

  /** Whether the server has anything of the model. */
  get hasBytes(): boolean {
    return this.#progress !== undefined && this.#progress.completed > 0;
  }

  /** Takes the next snapshot. */
  add(progress: PullProgress): void {
    const { layers } = progress;
    for (let index = this.#present.length; index < layers.length; index++) {
      this.#present.push(layers[index]!.completed);
    }
    this.#progress = progress;
  }

  /** Counts an attempt that has failed. */
  addRetry(): void {
    this.#retries++;
  }

  /** The line, such as `llama3.2: 2.0 GB in 38 s, 53 MB/s, 2 retries`. */
  toString(): string {
    const seconds = (this.#now() - this.#startedAt) / 1000;
    const { completed = 0 } = this.#progress ?? {};
    const present = this.#present.reduce((sum, bytes) => sum + bytes, 0);
    const model = printable(this.#model);
    const parts: string[] = [];
    if (completed > present) {
      parts.push(`${formatBytes(completed)} in ${formatDuration(seconds)}`);
      if (seconds >= 1) parts.push(formatSpeed((completed - present) / seconds));
      if (present >= completed * MIN_SHARE_PRESENT) {
        parts.push(`${formatBytes(present)} of it was there before`);
      }
    } else {
      // All of it was there, or a fast download came with its first report.
      if (completed > 0) parts.push(formatBytes(completed));
      parts.push(`ready in ${formatDuration(seconds)}`);
    }
    if (this.#retries > 0) parts.push(this.#retries === 1 ? "1 retry" : `${this.#retries} retries`);
    return `${model}: ${parts.join(", ")}`;
  }
}
