/**
 * Reads a stream with `for await`, even in engines whose streams have no iterator (WebKit).
 *
 * It behaves like the iterator of the WHATWG specification, but takes values directly from where they are
 * made. Through the queue of the stream, each value would cost a promise. If the loop leaves the stream
 * open, values that were taken but not returned yet go back into that queue.
 *
 * @module
 */

import type { Origin } from "./origin.ts";

/** Options of `values()`, as in the platform's streams. */
export interface IteratorOptions {
  /**
   * Whether leaving the loop early keeps the stream open for another reader, instead of cancelling it.
   *
   * @default {false}
   */
  preventCancel?: boolean | undefined;
}

/** Iterates over a stream that it has locked. */
export class StreamIterator<Value> implements AsyncIterableIterator<Value, undefined> {
  readonly #origin: Origin<Value>;
  readonly #reader: ReadableStreamDefaultReader<Value>;
  readonly #preventCancel: boolean;
  /** The values that were taken last, and how many of them were returned. */
  #values: Value[] = [];
  #handedOut = 0;
  /** Whether the origin has ended: only `#values` are left. */
  #hasEnded = false;
  #isFinished = false;
  /** How many calls are pending, and the latest of them. */
  #pendingCalls = 0;
  #latestCall: Promise<unknown> | undefined;

  constructor(
    origin: Origin<Value>,
    reader: ReadableStreamDefaultReader<Value>,
    { preventCancel = false }: IteratorOptions,
  ) {
    this.#origin = origin;
    this.#reader = reader;
    this.#preventCancel = preventCancel;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#pendingCalls === 0 && this.#handedOut < this.#values.length) {
      return Promise.resolve({ done: false, value: this.#values[this.#handedOut++]! });
    }
    return this.#inTurn(this.#readNext);
  }

  return(value?: unknown): Promise<IteratorResult<Value, undefined>> {
    return this.#inTurn(() => this.#leave(value));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Runs calls one after the other. */
  #inTurn<Result>(call: () => Promise<Result>): Promise<Result> {
    const isFirst = this.#pendingCalls++ === 0;
    const result = isFirst ? call() : this.#latestCall!.then(call, call);
    this.#latestCall = result;
    return result;
  }

  readonly #readNext = async (): Promise<IteratorResult<Value, undefined>> => {
    const origin = this.#origin;
    try {
      while (this.#handedOut === this.#values.length) {
        if (this.#isFinished) return { done: true, value: undefined };
        if (this.#hasEnded) {
          origin.close();
          this.#release();
        } else if (origin.isSettled || origin.hasQueued) {
          return await this.#readQueued();
        } else {
          const values: Value[] = [];
          this.#hasEnded = !origin.take(await origin.read(), values);
          this.#values = values;
          this.#handedOut = 0;
        }
      }
      return { done: false, value: this.#values[this.#handedOut++]! };
    } catch (error) {
      origin.fail(error);
      this.#release();
      throw error;
    } finally {
      this.#pendingCalls--;
    }
  };

  /** Reads what an earlier reader has left in the queue, or the end or failure of the stream. */
  async #readQueued(): Promise<IteratorResult<Value, undefined>> {
    const result = await this.#reader.read();
    if (!result.done) return result;
    this.#release();
    return { done: true, value: undefined };
  }

  async #leave(value: unknown): Promise<IteratorResult<Value, undefined>> {
    try {
      // The specification returns the given value, which TypeScript's types do not allow for.
      const result = { done: true, value } as IteratorReturnResult<undefined>;
      if (this.#isFinished) return result;
      if (this.#preventCancel) {
        this.#giveBack();
        this.#release();
        return result;
      }
      const cancelled = this.#reader.cancel(value);
      this.#release();
      await cancelled;
      return result;
    } finally {
      this.#pendingCalls--;
    }
  }

  /** Puts values that were taken but not returned into the queue of the stream. */
  #giveBack(): void {
    for (const value of this.#values.slice(this.#handedOut)) {
      this.#origin.controller.enqueue(value);
    }
    if (this.#hasEnded) this.#origin.close();
  }

  #release(): void {
    this.#isFinished = true;
    this.#values = [];
    this.#handedOut = 0;
    this.#reader.releaseLock();
  }
}
