/**
 * The time of the machine, for a mock that listens.
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../../src/pull/sleep.ts";
import { type Clock, sleepAs, Task } from "./clock.ts";

class RealTask extends Task {
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected begin(milliseconds: number): void {
    const endsAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      // Timers may fire up to a millisecond early, and long waits are split.
      const left = endsAt - performance.now();
      if (left > 0) this.begin(left);
      else this.wake();
    }, Math.min(Math.max(0, milliseconds), LONGEST_TIMER_MS));
  }

  protected end(): void {
    clearTimeout(this.#timer);
  }
}

/** The time of the machine, since 1970. It does not jump when somebody sets the clock. */
export const realClock: Required<Clock> = {
  epoch: 0,
  now: () => performance.timeOrigin + performance.now(),
  sleep: (milliseconds, signal) => sleepAs(new RealTask(), milliseconds, signal),
  join: () => new RealTask(),
};
