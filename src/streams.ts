/**
 * Carries synchronous steps over Web Streams. A {@link Step} holds all the rules and no promise; the
 * functions here hold all the promises and no rule, so that every stream of the package treats
 * backpressure, cancelling and failures alike:
 *
 * - What a step gave before it failed is delivered before the failure.
 * - A failure travels down to the reader and up to the source; a cancel travels up.
 * - Input is taken only when the reader has asked for output that is not there yet.
 *
 * @module
 */

/** Turns input into output without waiting. Once it has thrown, it is not called again. */
export interface Step<Input, Output> {
  /** Takes one input and emits what follows from it. */
  push(input: Input, emit: (output: Output) => void): void;
  /** Takes the end of the input and emits what was left. */
  end(emit: (output: Output) => void): void;
}

/** What a read gives: an input, or the end. */
export type ReadResult<Input> = { done: false; value: Input } | { done: true; value?: unknown };

/** What {@link readThrough} reads from: as much of a stream's reader as it needs. */
export interface Source<Input> {
  /** The next input, or the end. */
  read(): Promise<ReadResult<Input>>;
  /** Says that no more is wanted. */
  cancel(reason?: unknown): Promise<void>;
}

/** A failure that waits for its turn: `undefined` can be thrown too, so it is kept in a box. */
interface Failure {
  readonly error: unknown;
}

/**
 * A writable and a readable side with the step between them, for `pipeThrough`.
 *
 * The step is not that of the `TransformStream`, which would drop what it gave before it failed. So a
 * write is done when its value is taken, and what the step makes of it is known by the next one.
 */
export function transformPair<Input, Output>(
  step: Step<Input, Output>,
): { writable: WritableStream<Input>; readable: ReadableStream<Output> } {
  const { writable, readable } = new TransformStream<Input, Input>();
  return { writable, readable: readThrough(readable.getReader(), step) };
}

/**
 * What the step makes of a source, read as it is asked for.
 *
 * @param source Where the input comes from.
 * @param step What to make of it.
 * @param recover Called with a failure of the source or the step. It throws what the reader is to
 * see, or comes back when the source can be read again.
 */
export function readThrough<Input, Output>(
  source: Source<Input>,
  step: Step<Input, Output>,
  recover?: (error: unknown) => Promise<void>,
): ReadableStream<Output> {
  let failure: Failure | undefined;
  let closed = false;

  return new ReadableStream<Output>({
    async pull(controller) {
      if (failure) throw failure.error;
      let emitted = false;
      const emit = (value: Output) => {
        emitted = true;
        controller.enqueue(value);
      };
      while (!emitted && !closed) {
        try {
          const result = await source.read();
          if (closed) return;
          if (result.done) {
            step.end(emit);
            closed = true;
            controller.close();
          } else {
            step.push(result.value, emit);
          }
        } catch (error) {
          try {
            if (!recover) throw error;
            await recover(error);
          } catch (reason) {
            source.cancel(reason).catch(() => {});
            if (!emitted) throw reason;
            failure = { error: reason }; // the reader is to have what was emitted first
          }
        }
      }
    },
    cancel(reason) {
      closed = true;
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
