/**
 * Drives a {@link Step} with what is read from a source, one input at a time and only when asked.
 *
 * @module
 */

import type { Emit, Step } from "./step.ts";

/** What a read gives: an input, or the end. */
export type ReadResult<Input> = { done: false; value: Input } | { done: true; value?: unknown };

/** Where input is read from: as much of a stream's reader as is needed. */
export interface Source<Input> {
  /** The next input, or the end. */
  read(): Promise<ReadResult<Input>>;
  /** Says that no more is wanted. */
  cancel(reason?: unknown): Promise<void>;
}

/**
 * Makes output when asked, in two parts: waiting for input, and turning it into output without waiting.
 * So however many steps are fused, there is one promise for each input.
 */
export interface Producer<Output> {
  /** Waits for the next input, which is then handed to `take`. */
  read(): Promise<unknown>;
  /**
   * Emits what follows from an input, which may be nothing. Returns whether there may be more. What was
   * emitted before it throws counts.
   */
  take(input: unknown, emit: Emit<Output>): boolean;
  /** Is called when `read` has rejected: there is no more. */
  fail(error: unknown): void;
  /** Says that no more is wanted. Nothing is emitted after that. */
  cancel(reason?: unknown): Promise<void>;
}

/** A failure that waits for its turn, in a box since `undefined` can be thrown, too. */
export interface Failure {
  readonly error: unknown;
}

/** Ignores a rejection that has nobody to go to. */
export function ignoreRejection(promise: Promise<unknown>): void {
  promise.catch(() => {});
}

/** What a step makes of a source. A failure of the step cancels the source. */
export class SourceProducer<Input, Output> implements Producer<Output> {
  readonly #source: Source<Input>;
  readonly #step: Step<Input, Output>;
  #isCancelled = false;

  constructor(source: Source<Input>, step: Step<Input, Output>) {
    this.#source = source;
    this.#step = step;
  }

  read(): Promise<ReadResult<Input>> {
    return this.#source.read();
  }

  take(input: ReadResult<Input>, emit: Emit<Output>): boolean {
    if (this.#isCancelled) return false;
    try {
      if (input.done) this.#step.end(emit);
      else this.#step.push(input.value, emit);
    } catch (error) {
      ignoreRejection(this.cancel(error));
      throw error;
    }
    return !input.done;
  }

  fail(error: unknown): void {
    // A source that has failed may still hold something.
    ignoreRejection(this.cancel(error));
  }

  cancel(reason?: unknown): Promise<void> {
    this.#isCancelled = true;
    return this.#source.cancel(reason);
  }
}
