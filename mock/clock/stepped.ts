/**
 * Virtual time that a test moves, step by step.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { soon } from "./turns.ts";
import { VirtualClock } from "./virtual.ts";

/**
 * How many turns of the event loop the tasks that are awake get before time moves on without them. To
 * write a line to a socket takes one or two.
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
   * Moves on by a number of milliseconds, through every moment on the way at which something is due: those
   * who wait for it wake and do their work, such as to send a line, before time moves on. Resolves when all
   * that has happened. One call begins when the one before is over.
   *
   * Each moment gets at least one turn of the event loop, and more of them, up to 32, as long as a task is
   * busy. The clock cannot see what keeps a task busy beyond that, such as a client that has stopped
   * reading, and moves on without it. Nor can it see what has not reached the mock, such as a request that
   * is still on its way.
   *
   * @throws {ConfigurationError} If it is not a finite number, 0 or more.
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

  /** Lets those who are awake do their work. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn === 0 || (this.awake > 0 && turn < TURNS_PER_MOMENT); turn++) {
      await new Promise<void>(soon);
    }
  }
}
