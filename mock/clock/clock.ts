/**
 * The mock's clock: real when the mock listens, virtual in tests.
 *
 * @module
 */

/** Tells the time and waits. */
export interface Clock {
  /** The time in milliseconds since the clock's own starting point. */
  now(): number;
  /**
   * The date of that starting point, in milliseconds since 1970, from which dates are computed.
   *
   * @default {0}
   */
  readonly epoch?: number | undefined;
  /** Waits for a number of milliseconds. Rejects with the signal's reason when that aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /**
   * Begins a task that the clock tracks. A virtual clock moves on at once when all of its tasks sleep,
   * and gives other code time to run when they do not.
   */
  join?: (() => ClockTask) | undefined;
}

/** A task that waits by a clock, for one thing at a time. */
export interface ClockTask {
  /** Waits for a number of milliseconds. Rejects with the reason given to `leave`. */
  sleep(milliseconds: number): Promise<void>;
  /** Ends the task and its current wait. */
  leave(reason?: unknown): void;
}

/** The clock's current date, in milliseconds since 1970. */
export function dateBy(clock: Clock): number {
  return (clock.epoch ?? 0) + clock.now();
}

/** Begins a task on any clock, including one without `join`. */
export function joinClock(clock: Clock): ClockTask {
  if (clock.join) return clock.join();
  const left = new AbortController();
  return {
    sleep: (milliseconds) => clock.sleep(milliseconds, left.signal),
    leave: (reason) => left.abort(reason),
  };
}

/** Waits as a task, which also ends when a signal aborts. */
export async function sleepAs(
  task: ClockTask,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const leave = () => task.leave(signal?.reason);
  if (signal?.aborted) leave();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    await task.sleep(milliseconds);
  } finally {
    signal?.removeEventListener("abort", leave);
    task.leave();
  }
}

/** A task built on one promise at a time, which the clock settles. */
export abstract class Task implements ClockTask {
  #wake: () => void = () => {};
  #fail: (reason: unknown) => void = () => {};
  #left: { readonly reason: unknown } | undefined;

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#left) return reject(this.#left.reason);
      this.#wake = resolve;
      this.#fail = reject;
      this.begin(milliseconds);
    });
  }

  leave(reason?: unknown): void {
    if (this.#left) return;
    this.#left = { reason };
    this.end();
    this.#fail(reason);
  }

  wake(): void {
    this.#wake();
  }

  protected abstract begin(milliseconds: number): void;
  protected abstract end(): void;
}
