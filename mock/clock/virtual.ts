/**
 * Time that costs none, for tests.
 *
 * @module
 */

import { type Clock, type ClockTask, sleepAs, Task } from "./clock.ts";

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
