/**
 * Virtual time, for tests.
 *
 * @module
 */

import { type Clock, type ClockTask, sleepAs, Task } from "./clock.ts";

/** A task that waits for a moment of a virtual clock. */
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

interface Scheduler {
  setImmediate?: (run: () => void) => unknown;
  setTimeout: (run: () => void, milliseconds: number) => unknown;
  queueMicrotask: (run: () => void) => void;
}

// Taken when this module loads. A test that fakes timers, as those of Vitest and Jest do, replaces them later,
// and does not mean to stop the mock.
const { setImmediate, setTimeout, queueMicrotask }: Scheduler = globalThis as unknown as Scheduler;

/** Runs a function in the next turn of the event loop. */
const soon: (run: () => void) => void = setImmediate
  ? (run) => void setImmediate(run)
  : (run) => void setTimeout(run, 0);

/**
 * When virtual time begins, in milliseconds since 1970. Dates have nanoseconds, as those of the real
 * server do, so that clients meet them.
 */
const EPOCH = Date.UTC(2025, 4, 5, 0, 37, 44) + 706.015396;

/** After how many moves in a row timers and the network of the runtime get a turn. */
const MOVES_PER_TURN = 512;

/**
 * A clock that takes no time: as soon as all its tasks wait, it moves to the next moment that one of
 * them waits for. The same program sees the same times in every run and runtime.
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
  /** When it begins, in milliseconds since 1970: a date in May 2025. */
  readonly epoch: number = EPOCH;
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
      // Code that waited for the task may have work to do at this moment.
      this.#movesInTurn = MOVES_PER_TURN;
      this.#moveWhenIdle();
    },
    sleep: (task, milliseconds) => {
      task.wakesAt = this.#now + Math.max(0, milliseconds);
      task.order = this.#order++;
      this.#asleep++;
      // An infinite sleeper is never queued: only `leave` ends it.
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
    task.isUntracked = true;
    return sleepAs(task, milliseconds, signal);
  }

  /** Begins a task: the clock moves on at once when all tasks sleep. */
  join(): ClockTask {
    return new VirtualTask(this.#schedule);
  }

  /**
   * Whether nothing can happen before the next moment: all tasks sleep, and the next one to wake is
   * tracked. The caller of an untracked one may have work to do before, which the clock cannot know.
   */
  get #isIdle(): boolean {
    return this.#asleep >= this.#tasks && !this.#sleepers.first?.isUntracked &&
      this.#movesInTurn < MOVES_PER_TURN;
  }

  /** Schedules the next move: at once if nothing else can happen, else after a turn of the event loop. */
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
    // A task that began since then may have work to do at this moment.
    if (this.#isIdle) this.#move();
    else this.#moveWhenIdle();
  }

  #moveSoon(): void {
    this.#movesSoon = false;
    this.#movesInTurn = 0;
    this.#move();
  }

  /** Moves to the next moment and wakes every task that waits for it. */
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
      // The caller of an untracked task must act at this moment, not after the next one.
      if (task.isUntracked) this.#movesInTurn = MOVES_PER_TURN;
      task.wakeUp();
    }
    this.#moveWhenIdle();
  }
}

/** The part of a virtual clock that its tasks use. */
interface VirtualSchedule {
  join(): void;
  leave(isAsleep: boolean): void;
  sleep(task: VirtualTask, milliseconds: number): void;
}

class VirtualTask extends Task implements Sleeper {
  wakesAt = 0;
  order = 0;
  hasLeft = false;
  /**
   * Whether this is a plain `sleep` outside any task. The clock cannot tell whether its caller still has
   * work to do.
   */
  isUntracked = false;
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
