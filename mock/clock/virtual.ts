/**
 * Virtual time, for tests.
 *
 * @module
 */

import { type Clock, type ClockTask, sleepAs, Task } from "./clock.ts";
import { type Sleeper, SleeperQueue } from "./sleepers.ts";
import { next, soon } from "./turns.ts";

/**
 * The date at which virtual time begins, in milliseconds since 1970. It has a fraction so that dates show
 * digits beyond milliseconds, like those of the real server, and clients meet them.
 */
const EPOCH = Date.UTC(2025, 4, 5, 0, 37, 44) + 706.015396;

/** After this many moves in a row, timers and the network get a turn of the event loop. */
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
  /** The date at which it begins, in milliseconds since 1970: a day in May 2025. */
  readonly epoch: number = EPOCH;
  #now = 0;
  #order = 0;
  /** The tasks, and how many of them are asleep. */
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
      this.rested();
    },
    sleep: (task, milliseconds) => {
      task.wakesAt = this.#now + Math.max(0, milliseconds);
      task.order = this.#order++;
      this.#asleep++;
      // An infinite sleeper is never queued: only `leave` ends it.
      if (task.wakesAt < Infinity) this.#sleepers.add(task);
      this.rested();
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

  /** How many tasks are awake. */
  protected get awake(): number {
    return this.#tasks - this.#asleep;
  }

  /** Called when a task has gone to sleep or ended. */
  protected rested(): void {
    this.#moveWhenIdle();
  }

  /**
   * Moves to the next moment that a task waits for, and wakes every task that waits for it. Returns `false`
   * if there is no such moment up to a given time.
   */
  protected moveOn(until: number): boolean {
    const sleepers = this.#sleepers;
    while (sleepers.first?.hasLeft) sleepers.removeFirst();
    if (!sleepers.first || sleepers.first.wakesAt > until) return false;
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
    return true;
  }

  /** Moves to a time before which no task wakes. */
  protected passTo(time: number): void {
    this.#now = time;
  }

  /**
   * Whether nothing can happen before the next moment: all tasks sleep, and the next one to wake is tracked.
   * The caller of an untracked task may still have work to do first, which the clock cannot know.
   */
  get #isIdle(): boolean {
    return this.awake <= 0 && !this.#sleepers.first?.isUntracked &&
      this.#movesInTurn < MOVES_PER_TURN;
  }

  /** Schedules the next move: at once if nothing else can happen, else after a turn of the event loop. */
  #moveWhenIdle(): void {
    if (!this.#sleepers.first) return;
    if (this.#isIdle) {
      if (!this.#movesNow) next(() => this.#moveNow());
      this.#movesNow = true;
    } else {
      if (!this.#movesSoon) soon(() => this.#moveSoon());
      this.#movesSoon = true;
    }
  }

  #moveNow(): void {
    this.#movesNow = false;
    // A task that began meanwhile may have work to do at this moment.
    if (this.#isIdle) this.moveOn(Infinity);
    this.#moveWhenIdle();
  }

  #moveSoon(): void {
    this.#movesSoon = false;
    this.#movesInTurn = 0;
    this.moveOn(Infinity);
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
