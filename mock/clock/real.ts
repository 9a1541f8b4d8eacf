/**
 * The machine's clock, for a mock that listens.
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../../src/pull/sleep.ts";
import { type Clock, sleepAs, Task } from "./clock.ts";

/**
 * One timer for all tasks that wake in the same millisecond. With a timer for each of a thousand pulls, a
 * mock would spend more time on timers than on lines.
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
   * @param onEnd Called when it fires, or when no task waits for it any more.
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

  /** The timer that fires in the first whole millisecond at or after a time. */
  at(time: number): SharedTimer {
    // A test that fakes timers (Vitest, Jest) replaces `setTimeout`, and `performance.now` with it. Then no
    // task may join a timer set before the fake, nor, afterwards, one that the fake set.
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

/** The machine's clock, in milliseconds since 1970. It does not jump when the system time is changed. */
export const realClock: Required<Clock> = {
  epoch: 0,
  now: () => performance.timeOrigin + performance.now(),
  sleep: (milliseconds, signal) => sleepAs(new RealTask(), milliseconds, signal),
  join: () => new RealTask(),
};
