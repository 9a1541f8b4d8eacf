/**
 * The time of the machine, for a mock that listens.
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../../src/pull/sleep.ts";
import { type Clock, sleepAs, Task } from "./clock.ts";

/**
 * A timer for all tasks that wake in the same millisecond. A thousand pulls at once, each with a timer of
 * its own, would spend more on timers than on lines.
 */
class SharedTimer {
  readonly #tasks = new Set<RealTask>();
  readonly #wakesAt: number;
  readonly #onEnd: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Sets a timer.
   *
   * @param wakesAt When it fires, in milliseconds of `performance.now`.
   * @param onEnd Called when it fires, or when nobody waits for it any more.
   */
  constructor(wakesAt: number, onEnd: () => void) {
    this.#wakesAt = wakesAt;
    this.#onEnd = onEnd;
    this.#set();
  }

  add(task: RealTask): void {
    this.#tasks.add(task);
  }

  remove(task: RealTask): void {
    this.#tasks.delete(task);
    if (this.#tasks.size > 0) return;
    clearTimeout(this.#timer);
    this.#onEnd();
  }

  #set(): void {
    const left = this.#wakesAt - performance.now();
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(0, left), LONGEST_TIMER_MS));
  }

  #fire(): void {
    // Timers may fire up to a millisecond early, and long waits are split.
    if (performance.now() < this.#wakesAt) return this.#set();
    this.#onEnd();
    for (const task of this.#tasks) task.wake();
  }
}

/** The timers that are set. */
class SharedTimers {
  #setTimeout = setTimeout;
  #byTime = new Map<number, SharedTimer>();

  /** The timer that fires in the millisecond in which a time is over. */
  at(time: number): SharedTimer {
    // A test that fakes timers, as those of Vitest and Jest do, replaces `setTimeout`, and the time along
    // with it. Then nobody may wait by a timer of before, and later nobody by one of the test.
    if (this.#setTimeout !== setTimeout) {
      this.#setTimeout = setTimeout;
      this.#byTime = new Map();
    }
    const byTime = this.#byTime;
    const wakesAt = Math.ceil(time);
    let timer = byTime.get(wakesAt);
    if (!timer) {
      timer = new SharedTimer(wakesAt, () => byTime.delete(wakesAt));
      byTime.set(wakesAt, timer);
    }
    return timer;
  }
}

const timers = new SharedTimers();

class RealTask extends Task {
  #timer: SharedTimer | undefined;

  override wake(): void {
    this.#timer = undefined;
    super.wake();
  }

  protected begin(milliseconds: number): void {
    this.#timer = timers.at(performance.now() + Math.max(0, milliseconds));
    this.#timer.add(this);
  }

  protected end(): void {
    this.#timer?.remove(this);
  }
}

/** The time of the machine, since 1970. It does not jump when somebody sets the clock. */
export const realClock: Required<Clock> = {
  epoch: 0,
  now: () => performance.timeOrigin + performance.now(),
  sleep: (milliseconds, signal) => sleepAs(new RealTask(), milliseconds, signal),
  join: () => new RealTask(),
};
