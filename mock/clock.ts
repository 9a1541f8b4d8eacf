/**
 * Time, for the mock: real when it listens, virtual in tests.
 *
 * @module
 */

/** Tells the time and waits. */
export interface Clock {
  /** The time in milliseconds since some moment. */
  now(): number;
  /** Waits for a number of milliseconds. Rejects with the signal's reason when that aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /**
   * Begins a task that the clock should know of. A virtual clock moves on at once when all of its
   * tasks sleep, and gives others time to get on when they do not.
   */
  join?(): ClockTask;
}

/** A task that lives by a clock. */
export interface ClockTask {
  /** Waits as {@link Clock.sleep} does. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Ends the task. */
  leave(): void;
}

/** Begins a task on any clock. */
export function joinClock(clock: Clock): ClockTask {
  return clock.join?.() ?? {
    sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    leave() {},
  };
}

/** The longest wait that a timer of the runtimes takes; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The time of the machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      await timeout(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  },
};

function timeout(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

interface Sleeper {
  readonly wakesAt: number;
  /** Breaks ties: who went to sleep first wakes first. */
  readonly order: number;
  readonly isTask: boolean;
  readonly wake: () => void;
  gone: boolean;
}

function wakesBefore(a: Sleeper, b: Sleeper): boolean {
  return a.wakesAt < b.wakesAt || (a.wakesAt === b.wakesAt && a.order < b.order);
}

/** Sleepers by the time at which they wake: a binary heap. */
class SleeperQueue {
  readonly #heap: Sleeper[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): Sleeper | undefined {
    return this.#heap[0];
  }

  add(sleeper: Sleeper): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!wakesBefore(sleeper, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = sleeper;
  }

  removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && wakesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!wakesBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

/** Runs a function once everything that is ready to run has run. */
const soon: (run: () => void) => void = "setImmediate" in globalThis
  ? (run) =>
    void (globalThis as unknown as { setImmediate(run: () => void): void }).setImmediate(run)
  : (run) => void setTimeout(run, 0);

/**
 * A clock that costs no time: it moves to the next moment that somebody waits for as soon as nobody
 * has anything else to do. The same program sees the same times in every run and runtime.
 *
 * ```ts
 * import { VirtualClock } from "@ollama-pull/kit/mock";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * await clock.sleep(3_600_000);
 * assertEquals(clock.now(), 3_600_000);
 * ```
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #tasks = 0;
  #sleepingTasks = 0;
  #moving = false;
  readonly #sleepers = new SleeperQueue();

  /** The virtual time in milliseconds. It begins at 0. */
  now(): number {
    return this.#now;
  }

  /** Waits for a number of virtual milliseconds. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return this.#sleep(milliseconds, signal, false);
  }

  /** Begins a task: the clock moves on at once when all tasks sleep. */
  join(): ClockTask {
    this.#tasks++;
    let joined = true;
    return {
      sleep: (milliseconds, signal) => this.#sleep(milliseconds, signal, true),
      leave: () => {
        if (joined) this.#tasks--;
        joined = false;
      },
    };
  }

  #sleep(milliseconds: number, signal: AbortSignal | undefined, isTask: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = () => {
        sleeper.gone = true;
        if (isTask) this.#sleepingTasks--;
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const wakesAt = this.#now + Math.max(0, milliseconds);
      const sleeper: Sleeper = { wakesAt, order: this.#order++, isTask, wake, gone: false };
      signal?.addEventListener("abort", stop, { once: true });
      // Who waits forever is woken by nothing but the signal.
      if (wakesAt < Infinity) this.#sleepers.add(sleeper);
      if (isTask) this.#sleepingTasks++;
      this.#moveWhenIdle();
    });
  }

  #moveWhenIdle(): void {
    if (this.#moving || this.#sleepers.size === 0) return;
    this.#moving = true;
    const move = () => this.#move();
    if (this.#tasks > 0 && this.#sleepingTasks >= this.#tasks) queueMicrotask(move);
    else soon(move);
  }

  /** Moves to the next moment and wakes everybody who waits for it. */
  #move(): void {
    this.#moving = false;
    const sleepers = this.#sleepers;
    while (sleepers.first?.gone) sleepers.removeFirst();
    if (!sleepers.first) return;
    this.#now = Math.max(this.#now, sleepers.first.wakesAt);
    while (sleepers.first && sleepers.first.wakesAt <= this.#now) {
      const { gone, isTask, wake } = sleepers.first;
      sleepers.removeFirst();
      if (gone) continue;
      if (isTask) this.#sleepingTasks--;
      wake();
    }
    this.#moveWhenIdle();
  }
}
