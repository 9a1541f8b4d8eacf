/**
 * Whether the other side still sends anything.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import type { Watch } from "../pull/connection.ts";
import type { PullOptions } from "../pull/options.ts";
import { sleepOnTimer } from "../pull/sleep.ts";

/** Ends waits for a relay that sends no byte. A slow reader is not taken for a silent relay. */
export class SilenceWatch implements Watch {
  readonly #timeoutMs: number;
  readonly #sleep: NonNullable<PullOptions["sleep"]>;

  constructor(timeoutMs: number, sleep: PullOptions["sleep"] = sleepOnTimer) {
    this.#timeoutMs = timeoutMs;
    this.#sleep = sleep;
  }

  /** Each wait has the whole time, so there is nothing to begin anew. */
  restart(): void {}

  async wait<Value>(
    work: () => Promise<Value>,
    giveUp: (error: PullError) => void,
  ): Promise<Value> {
    if (!(this.#timeoutMs < Infinity)) return await work();
    const done = new AbortController();
    this.#sleep(this.#timeoutMs, done.signal).then(
      () => giveUp(this.#silent()),
      () => {}, // something came in time
    );
    try {
      return await work();
    } finally {
      done.abort();
    }
  }

  #silent(): PullError {
    return new PullError("stalled", `The relay sent nothing for ${this.#timeoutMs / 1000} s`);
  }
}
