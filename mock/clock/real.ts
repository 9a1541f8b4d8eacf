/**
 * The time of the machine, for a mock that listens.
 *
 * @module
 */

import { type Clock, sleepAs, Task } from "./clock.ts";

/** The longest wait that a timer of the runtimes takes; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class RealTask extends Task {
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected begin(milliseconds: number): void {
    const endsAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      // Also because a timer may be up to a millisecond early.
      const left = endsAt - performance.now();
      if (left > 0) this.begin(left);
      else this.wake();
    }, Math.min(Math.max(0, milliseconds), LONGEST_TIMER_MS));
  }

  protected end(): void {
    clearTimeout(this.#timer);
  }
}

/** The time of the machine. It is that since 1970, and does not jump when somebody sets the clock. */
export const realClock: Required<Clock> = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (milliseconds, signal) => sleepAs(new RealTask(), milliseconds, signal),
  join: () => new RealTask(),
};
