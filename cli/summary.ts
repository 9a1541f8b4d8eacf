/**
 * Summarizes a successful pull in one line.
 *
 * @module
 */

import type { PullProgress } from "../mod.ts";
import { formatBytes, formatDuration, formatSpeed } from "../src/amounts.ts";
import { printable } from "./printable.ts";

/**
 * Bytes present before the pull are mentioned only from this share of the model on: the first report of a
 * fresh download may already contain a few.
 */
const MIN_SHARE_PRESENT = 0.01;

/** Follows a pull in order to summarize it. */
export class PullSummary {
  readonly #model: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** The bytes of each layer when the server first reported it, by position. */
  readonly #present: number[] = [];
  #progress: PullProgress | undefined;
  #retries = 0;

  /** Starts timing, by a clock in milliseconds. */
  constructor(model: string, now: () => number) {
    this.#model = model;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Whether the server has reported anything. */
  get hasBegun(): boolean {
    return this.#progress !== undefined;
  }

  /** Whether part of the model is on the server. */
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
        parts.push(`${formatBytes(present)} already present`);
      }
    } else {
      // All of it was present, or a fast download was complete at its first report.
      if (completed > 0) parts.push(formatBytes(completed));
      parts.push(`ready in ${formatDuration(seconds)}`);
    }
    if (this.#retries > 0) parts.push(this.#retries === 1 ? "1 retry" : `${this.#retries} retries`);
    return `${model}: ${parts.join(", ")}`;
  }
}
