/**
 * Detects a pull that has stalled.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import type { ProgressTracker } from "../tracker.ts";
import type { Watch } from "./connection.ts";
import type { PullModelOptions } from "./options.ts";
import { sleepOnTimer } from "./sleep.ts";

/**
 * Ends waits that take too long. Only the time spent waiting for the server counts, so that a slow reader
 * is not mistaken for a slow server.
 */
export class StallWatch implements Watch {
  readonly #tracker: ProgressTracker;
  readonly #now: () => number;
  readonly #sleep: NonNullable<PullModelOptions["sleep"]>;
  readonly #stallTimeoutMs: number;
  readonly #silenceTimeoutMs: number;
  /** How many bytes must arrive within the stall timeout. */
  readonly #minBytes: number;
  readonly #minBytesPerSecond: number;

  /** The time spent waiting since the last progress, in milliseconds. */
  #waitedMs = 0;
  /** Whether the server has sent anything in that time. */
  #isTalking = false;
  /** The step and the new bytes of the pull at the last progress. */
  #step = "";
  #receivedBytes = 0;

  constructor(options: PullModelOptions, tracker: ProgressTracker) {
    const { stream = true, stallTimeoutMs = Infinity, minBytesPerSecond = 0 } = options;
    this.#tracker = tracker;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepOnTimer;
    this.#stallTimeoutMs = stream ? stallTimeoutMs : Infinity;
    this.#silenceTimeoutMs = options.silenceTimeoutMs ?? Infinity;
    this.#minBytesPerSecond = minBytesPerSecond;
    this.#minBytes = minBytesPerSecond > 0 ? minBytesPerSecond * stallTimeoutMs / 1000 : 1;
  }

  restart(): void {
    this.#waitedMs = 0;
    this.#isTalking = false;
    this.#receivedBytes = this.#tracker.newBytes;
  }

  async wait<Value>(
    work: () => Promise<Value>,
    giveUp: (error: PullError) => void,
  ): Promise<Value> {
    this.#look();
    const stallLeftMs = this.#mayStall() ? this.#stallTimeoutMs - this.#waitedMs : Infinity;
    const leftMs = Math.min(stallLeftMs, this.#silenceTimeoutMs);
    if (!(leftMs < Infinity)) return work();
    const startedAt = this.#now();
    const done = new AbortController();
    this.#sleep(Math.max(0, leftMs), done.signal).then(
      () => giveUp(stallLeftMs <= leftMs ? this.#stalled() : this.#silent()),
      () => {}, // the work was done in time
    );
    try {
      return await work();
    } finally {
      done.abort();
      this.#waitedMs += this.#now() - startedAt;
      this.#isTalking = true;
    }
  }

  /** Whether progress is expected. After the download the server may be silent for long. */
  #mayStall(): boolean {
    const { phase, isDownloaded } = this.#tracker;
    return (phase === "manifest" || phase === "downloading") && !isDownloaded;
  }

  /** Resets the time if there was progress. */
  #look(): void {
    const { phase, status, newBytes } = this.#tracker;
    const step = phase === "downloading" ? phase : `${phase} ${status}`;
    if (step === this.#step && newBytes - this.#receivedBytes < this.#minBytes) return;
    this.#step = step;
    this.restart();
  }

  #silent(): PullError {
    return new PullError(
      "stalled",
      `The server sent nothing for ${seconds(this.#silenceTimeoutMs)}`,
    );
  }

  #stalled(): PullError {
    const time = seconds(this.#stallTimeoutMs);
    const { phase, completed, total, totalIsKnown } = this.#tracker;
    if (phase !== "downloading" || !this.#isTalking) {
      const what = this.#isTalking ? "nothing new" : "nothing";
      return new PullError("stalled", `The server sent ${what} for ${time}`);
    }
    if (this.#minBytesPerSecond > 0) {
      const limit = `${this.#minBytesPerSecond} bytes per second`;
      return new PullError("stalled", `The download was slower than ${limit} for ${time}`);
    }
    const place = totalIsKnown
      ? `${Math.floor(completed / total * 100)} %`
      : `${completed} of ${total} bytes`;
    const message =
      `The download has been at ${place} for ${time}, though the server still answers`;
    return new PullError("stalled", message);
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
