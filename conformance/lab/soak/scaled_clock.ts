/**
 * Real time that runs faster, so that a minute of timeouts takes less than a second.
 *
 * @module
 */

import { type Clock, realClock } from "../../../mock/mod.ts";

/** A clock on which everything really waits, for a fraction of the time. */
export class ScaledClock implements Clock {
  readonly #speed: number;

  /** @param speed How many times as fast as real time. */
  constructor(speed: number) {
    this.#speed = speed;
  }

  /** The time in milliseconds. */
  readonly now = (): number => realClock.now() * this.#speed;

  /** Waits for a number of milliseconds of this clock. */
  readonly sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    realClock.sleep(milliseconds / this.#speed, signal);
}
