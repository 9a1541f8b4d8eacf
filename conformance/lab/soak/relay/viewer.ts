/**
 * Those who watch a pull through the relay, each in a way of its own.
 *
 * @module
 */

import type { PullProgress } from "../../../../mod.ts";
import { watchPull } from "../../../../src/relay/mod.ts";
import type { Dice } from "../../fuzz/dice.ts";
import { BrokenPromise, Watch } from "../pulls.ts";
import { failureToText, isNotRunning, kindOfFailure, SUCCESS } from "./pull_end.ts";
import { ListenedController } from "./listened_controller.ts";
import { ONE_REQUEST_A_CONNECTION, type Stage } from "./stage.ts";
import type { Tally } from "./tally.ts";

/** The longest pause of a viewer that is slow, in milliseconds of its clock: the relay cuts off some of them. */
const LONGEST_PAUSE_MS = 40_000;

/** How a viewer watches. */
export interface Habit {
  /** How long it waits before each read, in milliseconds of its clock. */
  readonly pauseMs: number;
  /** By what it leaves, when it does. */
  readonly leavesBy: "stream" | "signal";
  /** Whether it watches without HTTP, so that the relay sees at what pace it reads. */
  readonly isInside: boolean;
  /** Whether it starts the pull, if that does not run. */
  readonly start: boolean;
}

/** Decides by chance how a viewer watches: most of them keep up. */
export function decideHabit(dice: Dice, start: boolean): Habit {
  return {
    pauseMs: dice.isOneIn(3) ? dice.below(LONGEST_PAUSE_MS) : 0,
    isInside: dice.isOneIn(2),
    leavesBy: dice.isOneIn(2) ? "stream" : "signal",
    start,
  };
}

/** How it ended for a viewer. */
export type Sight =
  | { readonly end: "left" }
  | { readonly end: "told"; readonly text: string; readonly kind: string }
  | { readonly end: "not running" };

/** What viewers count together. */
export interface ViewerCounts {
  readonly reconnects: Tally;
  snapshots: number;
}

/** One who watches until the pull ends, or until it is told to leave. */
export class Viewer {
  readonly #stage: Stage;
  readonly #habit: Habit;
  readonly #counts: ViewerCounts;
  readonly #controller = new ListenedController();
  readonly #watch = new Watch();
  readonly #reader: ReadableStreamDefaultReader<PullProgress>;
  #hasLeft = false;

  constructor(stage: Stage, model: string, habit: Habit, counts: ViewerCounts, dice: Dice) {
    this.#stage = stage;
    this.#habit = habit;
    this.#counts = counts;
    const { now, sleep } = stage.viewerClock;
    this.#reader = watchPull(stage.url, model, {
      start: habit.start,
      ...(habit.isInside && { fetch: stage.fetchInside }),
      headers: ONE_REQUEST_A_CONNECTION,
      signal: this.#controller.signal,
      retries: Infinity,
      random: () => dice.below(1000) / 1000,
      onRetry: ({ error }) => counts.reconnects.add(kindOfFailure(error)),
      now,
      sleep,
    }).getReader();
  }

  /**
   * Watches, and holds what it sees to what is promised.
   *
   * @param onProgress Is told of each snapshot.
   * @throws {BrokenPromise} If progress falls, or is wrong in another way, or a listener is left.
   */
  async watch(onProgress: (progress: PullProgress) => void = () => {}): Promise<Sight> {
    const sight = await this.#watchToTheEnd(onProgress);
    const { listeners } = this.#controller;
    if (listeners > 0) throw new BrokenPromise(`${listeners} listeners stay at the signal`);
    return sight;
  }

  async #watchToTheEnd(onProgress: (progress: PullProgress) => void): Promise<Sight> {
    try {
      for (;;) {
        await this.#rest();
        const result = await this.#reader.read();
        if (result.done) return this.#hasLeft ? { end: "left" } : this.#finish();
        this.#counts.snapshots++;
        this.#watch.see(result.value);
        onProgress(result.value);
      }
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** Leaves, wherever the pull is. */
  leave(): void {
    this.#hasLeft = true;
    if (this.#habit.leavesBy === "signal") this.#controller.abort();
    else this.#reader.cancel().catch(() => {}); // the pull may have failed
  }

  async #rest(): Promise<void> {
    const { pauseMs } = this.#habit;
    if (pauseMs > 0 && !this.#hasLeft) await this.#stage.viewerClock.sleep(pauseMs);
  }

  #finish(): Sight {
    if (this.#watch.last?.phase === "success") return { end: "told", text: SUCCESS, kind: SUCCESS };
    throw new BrokenPromise(`It ends without success, at ${JSON.stringify(this.#watch.last)}`);
  }

  #fail(error: unknown): Sight {
    if (error instanceof BrokenPromise) throw error;
    if (this.#hasLeft) return { end: "left" };
    if (isNotRunning(error)) return { end: "not running" };
    return { end: "told", text: failureToText(error), kind: kindOfFailure(error) };
  }
}
