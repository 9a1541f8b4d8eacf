/**
 * The streams of the package: {@link PullStream}, which can be read with `for await` in every engine,
 * and {@link StepStream}, a step with a writable and a readable side.
 *
 * All of them handle backpressure, cancelling and failures in the same way:
 *
 * - Output made before a failure is delivered before the failure.
 * - A failure travels down to the reader and up to the source; a cancel travels up.
 * - Input is taken only when the reader has asked for output that has not been made yet.
 *
 * Streams of the package that are piped into each other are fused: `pipeThrough` connects the steps
 * directly. Passing values through a stream between them would take many times as long as the steps.
 *
 *     body ── platform's pipe ──▶ writable │ step ──▶ step ──▶ step │ readable
 *
 * @module
 */

import { type IteratorOptions, StreamIterator } from "./iterator.ts";
import { Origin, type Outlet } from "./origin.ts";
import { type Failure, ignoreRejection, type Producer, SourceProducer } from "./producer.ts";
import type { Emit, Step } from "./step.ts";

/**
 * A `ReadableStream` that can be read with `for await` in every engine. (WebKit's own streams, and so
 * Safari's, have no iterator, and neither have the types of TypeScript's `dom` library.)
 *
 * The loop locks the stream. Leaving it with `break` or an error cancels the stream, and with it
 * whatever the stream reads from; `values({ preventCancel: true })` does not.
 */
export type PullStream<Value> =
  & PullStreamMethods<Value>
  & ReadableStream<Value>
  & AsyncIterable<Value>;

/** The methods that a {@link PullStream} adds to those of every `ReadableStream`, or replaces. */
export interface PullStreamMethods<Value> {
  /** Iterates over the stream. The options say what happens to it when the loop is left early. */
  values(options?: IteratorOptions): AsyncIterableIterator<Value>;
  /** Pipes the stream through a transform, and returns its readable side, whatever its type. */
  pipeThrough<Readable extends ReadableStream>(
    transform: { readonly readable: Readable; readonly writable: WritableStream<Value> },
    options?: PipeOptions,
  ): Readable;
}

/** The options of `pipeThrough`. (Node's types lack the platform's name for them.) */
export type PipeOptions = Parameters<ReadableStream["pipeThrough"]>[1];

/**
 * A stream of the output of a producer, made on demand.
 *
 * @param outlet Makes the producer, when the stream is first read or cancelled.
 */
export function createPullStream<Value>(outlet: Outlet<Value>): PullStream<Value> {
  const origin = new Origin(outlet);
  const stream = new ReadableStream(origin.underlyingSource(), { highWaterMark: 0 });
  const values = (options: IteratorOptions = {}) =>
    new StreamIterator(origin, stream.getReader(), options);
  const pipeThrough = <Output>(
    transform: ReadableWritablePair<Output, Value>,
    options?: PipeOptions,
  ) => {
    const inlet = inletOf<Value>(transform);
    if (inlet && options === undefined && inlet.fuse(stream, origin)) return transform.readable;
    inlet?.follow(origin);
    return ReadableStream.prototype.pipeThrough.call(stream, transform, options);
  };
  // Properties of the stream rather than a subclass: TypeScript's libraries disagree on the type of `values`.
  const own = { values, pipeThrough, [Symbol.asyncIterator]: values };
  for (const key of Reflect.ownKeys(own)) {
    const value = own[key as keyof typeof own];
    Object.defineProperty(stream, key, { value, configurable: true, writable: true });
  }
  return stream as PullStream<Value>;
}

/** The output of a step that reads a stream, as a stream. */
export function streamFrom<Input, Output>(
  source: ReadableStream<Input>,
  step: Step<Input, Output>,
): PullStream<Output> {
  const producer = new SourceProducer(source.getReader(), step);
  return createPullStream({ connect: () => producer });
}

/** The inlets of all steps, by their writable side. */
// deno-lint-ignore no-explicit-any -- the type of the input is that of the writable side
const inlets = new WeakMap<WritableStream, Inlet<any, unknown>>();

function inletOf<Input>(
  transform: ReadableWritablePair<unknown, Input>,
): Inlet<Input, unknown> | undefined {
  return inlets.get(transform?.writable);
}

/** A step with a writable and a readable side, for `pipeThrough`. */
export class StepStream<Input, Output> implements ReadableWritablePair<Output, Input> {
  /** The output of the step. */
  readonly readable: PullStream<Output>;
  /** The input. A write resolves when its value is taken. A failure of the step shows at the next write. */
  readonly writable: WritableStream<Input>;

  /**
   * Creates the two sides.
   *
   * @param step The step between them.
   */
  constructor(step: Step<Input, Output>) {
    // The step does not run inside the `TransformStream`, which on an error drops output already queued.
    const { readable, writable } = new TransformStream<Input, Input>();
    // A subclass of a public class may do anything with its two sides, so do not fuse it.
    const isOurs = Object.getPrototypeOf(new.target) === StepStream;
    const inlet = new Inlet(readable, writable, step, isOurs);
    inlets.set(writable, inlet);
    this.readable = createPullStream(inlet);
    this.writable = writable;
  }
}

/** The writable end of a {@link StepStream}: where the step gets its input. */
class Inlet<Input, Output> implements Outlet<Output> {
  readonly #readable: ReadableStream<Input>;
  readonly #writable: WritableStream<Input>;
  readonly #isOurs: boolean;
  step: Step<Input, Output>;
  #isConnected = false;
  #fusion: Fusion<Input> | undefined;

  constructor(
    readable: ReadableStream<Input>,
    writable: WritableStream<Input>,
    step: Step<Input, Output>,
    isOurs: boolean,
  ) {
    this.#readable = readable;
    this.#writable = writable;
    this.step = step;
    this.#isOurs = isOurs;
  }

  /**
   * From now on takes the input directly from another stream of the package, as if it were piped into the
   * writable side. Returns whether it does so: not if either side is already in use.
   */
  fuse(stream: ReadableStream<Input>, origin: Origin<Input>): boolean {
    if (stream.locked || origin.isSettled || origin.hasQueued) return false;
    if (this.#isConnected || this.#writable.locked || !this.#isOurs) return false;
    const writer = this.#writable.getWriter();
    const isUntouched = writer.desiredSize === 1; // less if values are queued, `null` if it has failed
    if (isUntouched) this.#fusion = new Fusion(origin, stream.getReader(), writer);
    else writer.releaseLock();
    return isUntouched;
  }

  /** Tells the step which step comes before it, if the platform pipes them. */
  follow(origin: Origin<Input>): void {
    const before = origin.isStarted ? undefined : origin.outlet.step;
    if (before) this.step.follow?.(before);
  }

  /** Decides where the input comes from. */
  connect(): Producer<Output> {
    this.#isConnected = true;
    const fusion = this.#fusion;
    if (!fusion) return new SourceProducer(this.#readable.getReader(), this.step);
    const before = fusion.origin.isStarted ? undefined : fusion.origin.outlet;
    const joined = before?.step && this.step.joinTo?.(before.step);
    if (!before || !joined) return new FusedProducer(fusion, this.step);
    // From now on the previous stream makes the output of this one. It is locked, so nobody notices.
    before.step = joined;
    return new FusedProducer<Input, Output>(fusion, undefined);
  }
}

/** Two streams that are fused: the upper one, whose lock is held, and the writable side of the lower. */
class Fusion<Value> {
  readonly origin: Origin<Value>;
  readonly #reader: ReadableStreamDefaultReader<Value>;
  readonly #writer: WritableStreamDefaultWriter<Value>;

  constructor(
    origin: Origin<Value>,
    reader: ReadableStreamDefaultReader<Value>,
    writer: WritableStreamDefaultWriter<Value>,
  ) {
    this.origin = origin;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Leaves both streams as a pipe does when the upper one has ended. */
  close(): void {
    this.origin.close();
    ignoreRejection(this.#writer.close());
    this.#release();
  }

  /** Leaves both streams as a pipe does when the upper one has failed. */
  fail(error: unknown): void {
    this.origin.fail(error);
    ignoreRejection(this.#writer.abort(error));
    this.#release();
  }

  /** Leaves both streams as a pipe does when the lower one has failed or was cancelled. */
  cancel(reason: unknown): Promise<void> {
    const cancelled = this.#reader.cancel(reason);
    ignoreRejection(this.#writer.abort(reason));
    this.#release();
    return cancelled;
  }

  #release(): void {
    this.#reader.releaseLock();
    this.#writer.releaseLock();
  }
}

/** The output of a step that takes the values of another stream of the package directly. */
class FusedProducer<Input, Output> implements Producer<Output> {
  readonly #fusion: Fusion<Input>;
  readonly #step: Step<Input, Output> | undefined;
  #isSettled = false;

  /** @param step The step; `undefined` if the previous step does the work of both. */
  constructor(fusion: Fusion<Input>, step: Step<Input, Output> | undefined) {
    this.#fusion = fusion;
    this.#step = step;
  }

  read(): Promise<unknown> {
    return this.#fusion.origin.producer.read();
  }

  take(input: unknown, emit: Emit<Output>): boolean {
    if (this.#isSettled) return false;
    const step = this.#step;
    let failure: Failure | undefined;
    const push = (value: Input) => {
      // Hide a failure of the step from the producer, which would treat it as its own.
      if (failure) return;
      try {
        step!.push(value, emit);
      } catch (error) {
        failure = { error };
      }
    };
    let mayGoOn = true;
    try {
      mayGoOn = this.#fusion.origin.producer.take(input, step ? push : emit as Emit<unknown>);
    } catch (error) {
      if (!failure) {
        this.fail(error);
        throw error;
      }
    }
    if (failure) this.#throw(failure.error);
    if (!mayGoOn) this.#end(emit);
    return mayGoOn;
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#fusion.fail(error);
  }

  cancel(reason: unknown): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    this.#isSettled = true;
    return this.#fusion.cancel(reason);
  }

  #end(emit: Emit<Output>): void {
    this.#isSettled = true;
    this.#fusion.close();
    this.#step?.end(emit);
  }

  /** Cancels the upper stream, because the step has failed, and throws. */
  #throw(error: unknown): never {
    ignoreRejection(this.cancel(error));
    throw error;
  }
}
