/**
 * Drives a {@link Step} with input from a source, one input at a time and only on demand.
 *
 * @module
 */

import type { Emit, Step } from "./step.ts";

/** The result of a read: an input, or the end. */
export type ReadResult<Input> = { done: false; value: Input } | { done: true; value?: unknown };

/** Where input is read from: the part of a stream's reader that is needed. */
export interface Source<Input> {
  /** The next input, or the end. */
  read(): Promise<ReadResult<Input>>;
  /** Stops: no more input is wanted. */
  cancel(reason?: unknown): Promise<void>;
}

/**
 * Makes output on demand, in two parts: waiting for input, and turning it into output synchronously. So
 * however many steps are fused, there is only one promise for each input.
 */
export interface Producer<Output> {
  /** Waits for the next input, which must then be passed to `take`. */
  read(): Promise<unknown>;
  /**
   * Emits the output for an input, which may be none. Returns whether there may be more. If it throws, the
   * output emitted before that is still valid.
   */
  take(input: unknown, emit: Emit<Output>): boolean;
  /** Called when `read` has rejected: there will be no more output. */
  fail(error: unknown): void;
  /** Stops: no more output is wanted. Nothing is emitted after that. */
  cancel(reason?: unknown): Promise<void>;
}

/** A failure to be reported later. Boxed, because `undefined` can be thrown too. */
export interface Failure {
  readonly error: unknown;
}

/** Ignores a rejection that nobody can handle. */
export function ignoreRejection(promise: Promise<unknown>): void {
  promise.catch(() => {});
}

/** The output of a step that reads from a source. A failure of the step cancels the source. */
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
    // A failed source may still hold resources.
    ignoreRejection(this.cancel(error));
  }

  cancel(reason?: unknown): Promise<void> {
    this.#isCancelled = true;
    return this.#source.cancel(reason);
  }
}
