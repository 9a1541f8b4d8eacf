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

/** A task that lives by a clock. It waits for one thing at a time. */
export interface ClockTask {
  /** Waits for a number of milliseconds. Rejects with the reason for which the task was ended. */
  sleep(milliseconds: number): Promise<void>;
  /** Ends the task, and what it waits for. */
  leave(reason?: unknown): void;
}

/** Begins a task on any clock. */
export function joinClock(clock: Clock): ClockTask {
  if (clock.join) return clock.join();
  const left = new AbortController();
  return {
    sleep: (milliseconds) => clock.sleep(milliseconds, left.signal),
    leave: (reason) => left.abort(reason),
  };
}

/** Waits as a task does, with a signal in place of its end. */
async function sleepAs(task: ClockTask, milliseconds: number, signal?: AbortSignal): Promise<void> {
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

/** A promise that is settled from outside, of which a task has one at a time. */
abstract class Task implements ClockTask {
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

/** Something that waits for a moment of a virtual clock. */
interface Sleeper {
  wakesAt: number;
  /** Breaks ties: who went to sleep first wakes first. */
  order: number;
}

function wakesBefore(a: Sleeper, b: Sleeper): boolean {
  return a.wakesAt < b.wakesAt || (a.wakesAt === b.wakesAt && a.order < b.order);
}

/** Sleepers by the time at which they wake: a binary heap. */
class SleeperQueue<Item extends Sleeper> {
  readonly #heap: Item[] = [];

  get first(): Item | undefined {
    return this.#heap[0];
  }

  add(sleeper: Item): void {
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

/** How many moments pass before timers and the network of the runtime get their turn. */
const MOVES_PER_TURN = 512;

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
  /** The tasks, and how many of them sleep. */
  #tasks = 0;
  #asleep = 0;
  #movesNow = false;
  #movesSoon = false;
  #movesInTurn = 0;
  readonly #sleepers = new SleeperQueue<VirtualTask>();
  readonly #schedule: VirtualSchedule = {
    join: () => void this.#tasks++,
    leave: (isAsleep) => {
      this.#tasks--;
      if (isAsleep) this.#asleep--;
      // Whoever waited for the task may have something to do at this very moment.
      this.#movesInTurn = MOVES_PER_TURN;
      this.#moveWhenIdle();
    },
    sleep: (task, milliseconds) => {
      task.wakesAt = this.#now + Math.max(0, milliseconds);
      task.order = this.#order++;
      this.#asleep++;
      // Who waits forever is woken by nothing but its end.
      if (task.wakesAt < Infinity) this.#sleepers.add(task);
      this.#moveWhenIdle();
    },
  };

  /** The virtual time in milliseconds. It begins at 0. */
  now(): number {
    return this.#now;
  }

  /** Waits for a number of virtual milliseconds. Rejects with the signal's reason when that aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const task = new VirtualTask(this.#schedule);
    task.isGuest = true;
    return sleepAs(task, milliseconds, signal);
  }

  /** Begins a task: the clock moves on at once when all tasks sleep. */
  join(): ClockTask {
    return new VirtualTask(this.#schedule);
  }

  /**
   * Whether nothing can happen before the next moment: all tasks sleep, and the next one to wake is
   * one of them. A guest may have something to do before, of which the clock knows nothing.
   */
  get #isIdle(): boolean {
    return this.#asleep >= this.#tasks && !this.#sleepers.first?.isGuest &&
      this.#movesInTurn < MOVES_PER_TURN;
  }

  /** Sees to it that the clock moves on: at once where it is idle, else when all have had a chance. */
  #moveWhenIdle(): void {
    if (!this.#sleepers.first) return;
    if (this.#isIdle) {
      if (!this.#movesNow) queueMicrotask(() => this.#moveNow());
      this.#movesNow = true;
    } else {
      if (!this.#movesSoon) soon(() => this.#moveSoon());
      this.#movesSoon = true;
    }
  }

  #moveNow(): void {
    this.#movesNow = false;
    // A task that has begun since then may be about to do something at this very moment.
    if (this.#isIdle) this.#move();
    else this.#moveWhenIdle();
  }

  #moveSoon(): void {
    this.#movesSoon = false;
    this.#movesInTurn = 0;
    this.#move();
  }

  /** Moves to the next moment and wakes everybody who waits for it. */
  #move(): void {
    const sleepers = this.#sleepers;
    while (sleepers.first?.hasLeft) sleepers.removeFirst();
    if (!sleepers.first) return;
    this.#movesInTurn++;
    this.#now = sleepers.first.wakesAt;
    while (sleepers.first && sleepers.first.wakesAt <= this.#now) {
      const task = sleepers.first;
      sleepers.removeFirst();
      if (task.hasLeft) continue;
      this.#asleep--;
      // What a guest does when it wakes is to happen at this very moment, not after the next one.
      if (task.isGuest) this.#movesInTurn = MOVES_PER_TURN;
      task.wakeUp();
    }
    this.#moveWhenIdle();
  }
}

/** What a virtual clock lets its tasks do with it. */
interface VirtualSchedule {
  join(): void;
  leave(isAsleep: boolean): void;
  sleep(task: VirtualTask, milliseconds: number): void;
}

class VirtualTask extends Task implements Sleeper {
  wakesAt = 0;
  order = 0;
  hasLeft = false;
  /** Whether it is somebody who only waits, and of whom the clock knows nothing else. */
  isGuest = false;
  #isAsleep = false;
  readonly #schedule: VirtualSchedule;

  constructor(schedule: VirtualSchedule) {
    super();
    this.#schedule = schedule;
    schedule.join();
  }

  wakeUp(): void {
    this.#isAsleep = false;
    this.wake();
  }

  protected begin(milliseconds: number): void {
    this.#isAsleep = true;
    this.#schedule.sleep(this, milliseconds);
  }

  protected end(): void {
    this.hasLeft = true;
    this.#schedule.leave(this.#isAsleep);
  }
}
