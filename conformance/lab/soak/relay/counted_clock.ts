/**
 * A clock that knows who waits on it: whatever still does at the end was forgotten.
 *
 * @module
 */

import type { Clock } from "../../../../mock/mod.ts";

/** A clock that counts the waits that have not ended. */
export class CountedClock implements Clock {
  readonly #clock: Clock;
  #waits = 0;

  /** @param clock The clock on which everything really waits. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many waits have not ended. */
  get waits(): number {
    return this.#waits;
  }

  /** The time in milliseconds. */
  readonly now = (): number => this.#clock.now();

  /** Waits for a number of milliseconds of this clock, or rejects when the signal aborts. */
  readonly sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    this.#waits++;
    try {
      await this.#clock.sleep(milliseconds, signal);
    } finally {
      this.#waits--;
    }
  };
}
