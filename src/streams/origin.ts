/**
 * The inner end of a {@link PullStream}: where its values come from, and how it has ended. The
 * stream's own queue, an iterator and a fused stream all take values here, one of them at a time.
 *
 * @module
 */

import type { Failure, Producer } from "./producer.ts";
import type { Step } from "./step.ts";

/** What a stream is made from. */
export interface Outlet<Output> {
  /** Makes the producer, when it is first needed. */
  connect(): Producer<Output>;
  /** The step that makes the output, if it is one, and can still be replaced. */
  // deno-lint-ignore no-explicit-any -- who replaces it knows only what it makes
  step?: Step<any, any>;
}

/** Where the values of a stream come from. */
export class Origin<Output> {
  /** The controller of the stream. */
  controller!: ReadableStreamDefaultController<Output>;
  /** What makes the producer. */
  readonly outlet: Outlet<Output>;
  #producer: Producer<Output> | undefined;
  /** A failure that is to be seen once the values before it were taken. */
  #failure: Failure | undefined;
  #isSettled = false;
  /** The list that is being added to. Kept, so that no input makes functions. */
  #values: Output[] = [];
  readonly #collect = (value: Output): void => void this.#values.push(value);

  constructor(outlet: Outlet<Output>) {
    this.outlet = outlet;
  }

  /** Whether the stream was closed, has failed or was cancelled. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether values or a failure wait in the stream for its next reader. */
  get hasQueued(): boolean {
    // The high water mark is 0, so anything that is queued makes the desired size negative.
    return this.#failure !== undefined || this.controller.desiredSize! < 0;
  }

  /** What makes the values. */
  get producer(): Producer<Output> {
    return this.#producer ??= this.outlet.connect();
  }

  /** Whether anything was asked for yet. */
  get isStarted(): boolean {
    return this.#producer !== undefined;
  }

  /** Waits for the next input, which is then handed to `take`. */
  read(): Promise<unknown> {
    return this.#failure ? Promise.reject(this.#failure.error) : this.producer.read();
  }

  /**
   * Adds to a list what follows from an input, and returns whether there may be more. A failure comes
   * after the values before it: it is then thrown by the next `read`.
   */
  take(input: unknown, values: Output[]): boolean {
    try {
      this.#values = values;
      return this.producer.take(input, this.#collect);
    } catch (error) {
      if (values.length === 0) throw error;
      this.#failure = { error };
      return true;
    }
  }

  /** Ends the stream after what is queued. */
  close(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.controller.close();
  }

  /** Fails the stream. */
  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.producer.fail(error);
    this.controller.error(error);
  }

  /** Stops making values: the stream was cancelled. */
  cancel(reason: unknown): Promise<void> {
    this.#isSettled = true;
    return this.producer.cancel(reason);
  }

  /** What the stream is made of. */
  underlyingSource(): UnderlyingDefaultSource<Output> {
    return {
      start: (controller) => {
        this.controller = controller;
      },
      pull: async (controller) => {
        try {
          const values: Output[] = [];
          let mayGoOn = true;
          while (mayGoOn && values.length === 0) mayGoOn = this.take(await this.read(), values);
          if (this.#isSettled) return; // it was cancelled meanwhile
          for (const value of values) controller.enqueue(value);
          if (!mayGoOn) this.close();
        } catch (error) {
          this.fail(error);
        }
      },
      cancel: (reason) => this.cancel(reason),
    };
  }
}
