/**
 * Notices when a pull stands still. The speed and the time left in the latest snapshot are then outdated, and
 * a silent server sends no newer snapshot to replace them.
 *
 * @module
 */

import type { PullProgress } from "../../mod.ts";
import { formatDuration } from "../../src/amounts.ts";

/**
 * After what pause to show a standstill, in milliseconds: servers report a download several times a second.
 */
const SHOWN_AFTER_MS = 3_000;

/** Measures for how long a pull has made no progress: no new byte of the model, and no new phase. */
export class Standstill {
  readonly #now: () => number;
  #newest = "";
  #since: number;

  /** Starts measuring, by a clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Takes the latest snapshot. */
  note({ phase, status, completed }: PullProgress): void {
    // During a download the status names a layer, and a change of layer alone is not progress.
    const newest = phase === "downloading" ? `${phase} ${completed}` : `${phase} ${status}`;
    if (newest === this.#newest) return;
    this.#newest = newest;
    this.#since = this.#now();
  }

  /** Starts again, for another attempt. */
  restart(): void {
    this.#since = this.#now();
  }

  /** For how many seconds there has been no progress, once that is long enough to be shown. */
  get seconds(): number | undefined {
    const milliseconds = this.#now() - this.#since;
    return milliseconds < SHOWN_AFTER_MS ? undefined : Math.floor(milliseconds / 1_000);
  }
}

/** Describes a standstill in as few characters as a speed and a time left. */
export function describeStandstill(seconds: number): string {
  return `stuck for ${formatDuration(seconds)}`;
}
