/**
 * The inner end of a {@link PullStream}: where its values come from, and how it ended. The stream's own
 * queue, an iterator or a fused stream takes values here, only one of them at a time.
 *
 * @module
 */

import type { Failure, Producer } from "./producer.ts";
import type { Step } from "./step.ts";

/** What a stream is made from. */
export interface Outlet<Output> {
  /** Makes the producer, when it is first needed. */
  connect(): Producer<Output>;
  /** The step that makes the output, if there is one. It can be replaced until `connect` is called. */
  // deno-lint-ignore no-explicit-any -- whoever replaces it knows only the output type
  step?: Step<any, any>;
}

/** Where the values of a stream come from. */
export class Origin<Output> {
  /** The controller of the stream. */
  controller!: ReadableStreamDefaultController<Output>;
  /** Makes the producer. */
  readonly outlet: Outlet<Output>;
  #producer: Producer<Output> | undefined;
  /** A failure to be reported after the values before it were taken. */
  #failure: Failure | undefined;
  #isSettled = false;
  /** The list for the current values. A field, so that no input allocates closures. */
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

  /** Makes the values. */
  get producer(): Producer<Output> {
    return this.#producer ??= this.outlet.connect();
  }

  /** Whether anything was requested yet. */
  get isStarted(): boolean {
    return this.#producer !== undefined;
  }

  /** Waits for the next input, which must then be passed to `take`. */
  read(): Promise<unknown> {
    return this.#failure ? Promise.reject(this.#failure.error) : this.producer.read();
  }

  /**
   * Adds the output for an input to a list, and returns whether there may be more. A failure after some
   * output is kept back, and rejects the next `read`.
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

  /** Ends the stream after its queued values. */
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

  /** The underlying source of the stream. */
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
