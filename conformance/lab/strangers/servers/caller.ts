/**
 * Someone who waits for a pull.
 *
 * @module
 */

import { type Clock, joinClock, sleepAs } from "../../../../mock/clock/clock.ts";
import type { ModelName } from "./registry.ts";

/** What a request for a pull asks for. */
export interface PullOrder {
  readonly model: ModelName;
  readonly isStreamed: boolean;
  readonly isInsecure: boolean;
}

/** A caller, who may leave at any time. */
export class Caller {
  readonly order: PullOrder;
  /** Aborts when the caller has left. */
  readonly left: AbortSignal;
  readonly #clock: Clock;

  constructor(order: PullOrder, left: AbortSignal, clock: Clock) {
    this.order = order;
    this.left = left;
    this.#clock = clock;
  }

  /** Waits for a number of milliseconds. Rejects when the caller leaves. */
  async sleep(milliseconds: number): Promise<void> {
    await sleepAs(joinClock(this.#clock), milliseconds, this.left);
  }
}
