/**
 * Aggregates progress: statuses to snapshots of the whole pull.
 *
 *     bytes ── PullDecoder ──▶ statuses ── ProgressTracker ──▶ snapshots
 *
 * @module
 */

import { decodeAnswer, type Recognition, type RecognizingStep } from "./answer.ts";
import { type DecodePullOptions, PullDecoder } from "./pull_decoder.ts";
import { type PullStream, StepStream } from "./streams/pull_stream.ts";
import type { LayerSize, PullPhase, PullProgress } from "./snapshot.ts";
import type { PullStatus } from "./status.ts";
import { PullStatusDecoder } from "./status_stream.ts";
import type { Emit, Step } from "./streams/step.ts";
import { ProgressTracker } from "./tracker.ts";

/** Options of {@link PullProgressStream}. */
export interface PullProgressOptions {
  /**
   * The layers of the model, from its manifest (`layers` and `config`), or a promise of them. With this
   * option, `total` and `fraction` are right from the first snapshot, or from when the promise resolves.
   * Without it, a layer counts once the server has named it.
   *
   * The list is dropped if the server reports a layer that is not in it. A promise that rejects is
   * ignored; one that resolves to anything but layers fails the stream with a `TypeError`.
   */
  layers?: Iterable<LayerSize> | PromiseLike<Iterable<LayerSize>> | undefined;
  /**
   * The time in milliseconds, from any clock that does not run backwards.
   *
   * @default {performance.now}
   */
  now?: (() => number) | undefined;
}

/** Options of {@link decodeProgress}. */
export interface DecodeProgressOptions extends DecodePullOptions, PullProgressOptions {}

/** Whether two consecutive snapshots are equal. While no layer changes, both have the same `layers` array. */
function isSame(before: PullProgress, now: PullProgress): boolean {
  return before.phase === now.phase &&
    before.status === now.status &&
    before.completed === now.completed &&
    before.total === now.total &&
    before.totalIsKnown === now.totalIsKnown &&
    before.fraction === now.fraction &&
    before.layers === now.layers &&
    before.bytesPerSecond === now.bytesPerSecond &&
    before.etaSeconds === now.etaSeconds;
}

function runtimeNow(): number {
  return performance.now();
}

/** Statuses to snapshots, one each. */
export class PullProgressDecoder implements Step<PullStatus, PullProgress> {
  readonly tracker: ProgressTracker;
  readonly now: () => number;

  constructor({ layers, now = runtimeNow }: PullProgressOptions) {
    this.tracker = new ProgressTracker(layers);
    this.now = now;
  }

  push(status: PullStatus, emit: Emit<PullProgress>): void {
    this.tracker.push(status, this.now());
    emit(this.tracker.snapshot());
  }

  end(): void {
    this.tracker.end();
  }

  joinTo(before: Step<never, PullStatus>): Step<unknown, PullProgress> | undefined {
    return before instanceof PullStatusDecoder ? new JoinedDecoder(before, this) : undefined;
  }
}

/**
 * Values or bytes to snapshots, one for each status: does the work of the previous steps and of
 * `PullProgressStream` in one step.
 *
 * The statuses stay inside, so they need no copies, and the clock is read once for each input.
 */
class JoinedDecoder<Input> implements Step<Input, PullProgress> {
  readonly #statuses: Step<Input, PullStatus>;
  readonly #progress: PullProgressDecoder;
  // State of the current input. In fields, so that no input allocates closures.
  #emit: Emit<PullProgress> = () => {};
  #time = 0;

  constructor(statuses: Step<Input, PullStatus>, progress: PullProgressDecoder) {
    this.#statuses = statuses;
    this.#progress = progress;
  }

  push(input: Input, emit: Emit<PullProgress>): void {
    this.#begin(emit);
    this.#statuses.push(input, this.#follow);
  }

  end(emit: Emit<PullProgress>): void {
    this.#begin(emit);
    this.#statuses.end(this.#follow);
    this.#progress.end();
  }

  joinTo(before: Step<never, unknown>): Step<never, PullProgress> | undefined {
    if (!(this.#statuses instanceof PullStatusDecoder)) return undefined;
    const joined = this.#statuses.joinTo(before, "shared");
    return joined && new JoinedDecoder(joined, this.#progress);
  }

  #begin(emit: Emit<PullProgress>): void {
    this.#emit = emit;
    this.#time = this.#progress.now();
  }

  readonly #follow = (status: PullStatus): void => {
    const { tracker } = this.#progress;
    tracker.push(status, this.#time);
    this.#emit(tracker.snapshot());
  };
}

/**
 * Bytes to snapshots: one for each chunk that changed anything, and one at each change of phase.
 *
 * All statuses of a chunk arrived at the same time, so the clock is read once per chunk.
 */
export class ProgressDecoder implements RecognizingStep<PullProgress> {
  readonly #tracker: ProgressTracker;
  readonly #statuses: PullDecoder;
  readonly #now: () => number;
  /** The phase that was last emitted, or `undefined` before the first status. */
  #phase: PullPhase | undefined;
  #emitted: PullProgress | undefined;

  // State of the current chunk. In fields, so that no chunk allocates closures.
  #emit: Emit<PullProgress> = () => {};
  #time = 0;
  /** The latest status and its `completed`, if lines that only raise `completed` may be postponed. */
  #latest: PullStatus | undefined;
  #completed: number | undefined;
  #isPostponed = false;

  /** @param tracker Follows the pull. Pass that of an earlier connection to continue from there. */
  constructor(
    options: DecodeProgressOptions,
    tracker: ProgressTracker = new ProgressTracker(options.layers),
  ) {
    this.#tracker = tracker;
    this.#statuses = new PullDecoder(options);
    this.#now = options.now ?? runtimeNow;
  }

  get recognition(): Recognition {
    return this.#statuses.recognition;
  }

  push(chunk: Uint8Array, emit: Emit<PullProgress>): void {
    this.#begin(emit);
    try {
      this.#statuses.push(chunk, this.#follow);
    } finally {
      this.#finish();
    }
  }

  end(emit: Emit<PullProgress>): void {
    this.#begin(emit);
    try {
      this.#statuses.end(this.#follow);
    } finally {
      this.#finish();
    }
    this.#tracker.end();
  }

  #begin(emit: Emit<PullProgress>): void {
    this.#emit = emit;
    this.#time = this.#now();
    this.#latest = undefined; // so the first line of a chunk is never postponed
  }

  /**
   * Follows a status, and emits a snapshot at a change of phase.
   *
   * The decoder emits the same object for consecutive lines that differ only in `completed`. As long as
   * `completed` grows, only the last of them matters, since they all arrived at the same time. Skipping
   * the others saves a third of the time for a large chunk. (If the sums are too large to be exact, they
   * depend on each step, so then every line counts.)
   */
  readonly #follow = (status: PullStatus): void => {
    if (status === this.#latest && status.completed! >= this.#completed!) {
      this.#completed = status.completed;
      this.#isPostponed = true;
      return;
    }
    this.#catchUp();
    const tracker = this.#tracker;
    tracker.push(status, this.#time);
    const isExact = status.total !== undefined && tracker.total <= Number.MAX_SAFE_INTEGER;
    this.#latest = isExact ? status : undefined;
    this.#completed = status.completed;
    if (tracker.phase === this.#phase) return;
    this.#phase = tracker.phase;
    this.#emitChange();
  };

  /** Pushes the postponed status, if there is one. */
  #catchUp(): void {
    if (!this.#isPostponed) return;
    this.#isPostponed = false;
    this.#tracker.push({ ...this.#latest, completed: this.#completed } as PullStatus, this.#time);
  }

  /** Ends the input: emits what has changed, even if the decoder has failed. */
  #finish(): void {
    this.#catchUp();
    this.#emitChange();
  }

  /** Emits a snapshot, if anything has changed since the last one. */
  #emitChange(): void {
    if (this.#phase === undefined) return;
    const progress = this.#tracker.snapshot();
    if (this.#emitted && isSame(this.#emitted, progress)) return;
    this.#emitted = progress;
    this.#emit(progress);
  }
}

/**
 * Aggregates the statuses of a pull: one snapshot of the whole for each status.
 *
 * Fails with {@link PullError} `server` at an `error` object, `malformed` if the server names more than
 * 10,000 layers, and `truncated` if the statuses end without `success`. After `success`, every status
 * except an `error` is ignored.
 *
 * ```ts
 * import { NdjsonDecoderStream, PullProgressStream, PullStatusStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response([
 *   '{"status":"pulling manifest"}',
 *   '{"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":25}',
 *   '{"status":"success"}',
 * ].join("\n")).body!;
 *
 * const progress = new PullProgressStream();
 * body
 *   .pipeThrough(new NdjsonDecoderStream())
 *   .pipeThrough(new PullStatusStream())
 *   .pipeThrough(progress);
 *
 * const fractions: number[] = [];
 * for await (const { fraction } of progress.readable) fractions.push(fraction);
 * assertEquals(fractions, [0, 0.25, 1]);
 * ```
 */
export class PullProgressStream extends StepStream<PullStatus, PullProgress> {
  /**
   * Creates an aggregator for one pull.
   *
   * @param options The layers, if they are known, and a clock.
   * @throws {TypeError} If a layer has no digest or no size.
   */
  constructor(options: PullProgressOptions = {}) {
    super(new PullProgressDecoder(options));
  }
}

/**
 * Decodes a pull as progress: {@link decodePull} and {@link PullProgressStream} in one
 * step, with one snapshot for each chunk that changed anything and one at each change of phase.
 *
 * Fails as they do. The last snapshot before the failure is delivered first.
 *
 * ```ts
 * import { decodeProgress } from "@ollama-pull/kit";
 *
 * const response = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n');
 * for await (const { phase, fraction } of decodeProgress(response)) {
 *   console.log(phase, `${Math.floor(fraction * 100)} %`); // manifest 0 %, success 100 %
 * }
 * ```
 *
 * @param source The response, or its body.
 * @param options Limits, what to do with malformed lines, the layers if they are known, and a clock.
 * @return The snapshots. Cancelling the stream cancels the body.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 * @throws {TypeError} If the body is locked or was read already, or a layer has no digest or no size.
 */
export function decodeProgress(
  source: ReadableStream<Uint8Array> | Response,
  options: DecodeProgressOptions = {},
): PullStream<PullProgress> {
  return decodeAnswer(source, new ProgressDecoder(options), options.maxLineBytes);
}
