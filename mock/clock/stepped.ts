/**
 * A virtual clock that a test moves step by step.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { soon } from "./turns.ts";
import { VirtualClock } from "./virtual.ts";

/**
 * How many turns of the event loop to wait for tasks that are awake before time moves on without them.
 * Writing a line to a socket takes one or two.
 */
const TURNS_PER_MOMENT = 32;

/**
 * A virtual clock that stands still until it is told to move on.
 *
 * ```ts
 * import { createMockServer, SteppedClock } from "@ollama-pull/kit/mock";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new SteppedClock();
 * const { client } = createMockServer({ clock });
 * let isOver = false;
 * const nap = client.sleep(3_000).then(() => isOver = true);
 * await clock.advance(2_999);
 * assertEquals(isOver, false);
 * await clock.advance(1);
 * assertEquals(isOver, true);
 * ```
 */
export class SteppedClock extends VirtualClock {
  #latest: Promise<void> = Promise.resolve();

  /**
   * Moves on by a number of milliseconds, stopping at each moment on the way at which something is due:
   * whatever waits for that moment wakes and does its work, such as sending a line, before time moves on.
   * Resolves when all of that has happened. Calls run one after another.
   *
   * Each moment gets at least one turn of the event loop, and up to 32 while a task is busy. After that the
   * clock moves on: it cannot see what keeps the task busy, such as a client that has stopped reading. Nor
   * can it see a request that has not reached the mock yet.
   *
   * @throws {ConfigurationError} If `milliseconds` is negative or not finite.
   */
  async advance(milliseconds: number): Promise<void> {
    if (!(Number.isFinite(milliseconds) && milliseconds >= 0)) {
      throw new ConfigurationError(
        `Cannot advance the clock by ${show(milliseconds)}: ` +
          "it must be a finite number of milliseconds, 0 or more",
      );
    }
    this.#latest = this.#latest.then(() => this.#pass(milliseconds));
    await this.#latest;
  }

  /** Time does not move by itself. */
  protected override rested(): void {}

  async #pass(milliseconds: number): Promise<void> {
    const end = this.now() + milliseconds;
    do await this.#settle(); while (this.moveOn(end));
    this.passTo(end);
  }

  /** Lets the tasks that are awake do their work. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn === 0 || (this.awake > 0 && turn < TURNS_PER_MOMENT); turn++) {
      await new Promise<void>(soon);
    }
  }
}
