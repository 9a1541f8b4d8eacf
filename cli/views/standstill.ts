/**
 * Tells when a pull stands still: the speed and the time left of the latest snapshot say nothing any more,
 * and no newer one comes to say so where the server is silent.
 *
 * @module
 */

import type { PullProgress } from "../../mod.ts";
import { formatDuration } from "../../src/amounts.ts";

/** After how long a pause is shown, in milliseconds: servers tell of a download several times a second. */
const SHOWN_AFTER_MS = 3_000;

/** Measures for how long a pull has brought nothing new: no byte of the model, and no other step. */
export class Standstill {
  readonly #now: () => number;
  #newest = "";
  #since: number;

  /** Measures from now on, by a clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Takes the latest snapshot. */
  note({ phase, status, completed }: PullProgress): void {
    // The words of a download name its layer, of which another one brings bytes or nothing new.
    const newest = phase === "downloading" ? `${phase} ${completed}` : `${phase} ${status}`;
    if (newest === this.#newest) return;
    this.#newest = newest;
    this.#since = this.#now();
  }

  /** Begins anew, as another attempt does. */
  restart(): void {
    this.#since = this.#now();
  }

  /** For how many seconds nothing new has come, once that is long enough to be shown. */
  get seconds(): number | undefined {
    const milliseconds = this.#now() - this.#since;
    return milliseconds < SHOWN_AFTER_MS ? undefined : Math.floor(milliseconds / 1_000);
  }
}

/** Says that a download brings nothing, in as few characters as speed and time left have. */
export function describeStandstill(seconds: number): string {
  return `stuck for ${formatDuration(seconds)}`;
}
