/**
 * The client: `POST /api/pull` as a stream of progress. This folder alone touches the network.
 *
 *     request ──▶ Connection ── bytes ──▶ ProgressDecoder ──▶ PullProgress
 *                     ▲                                           │
 *                     └────────── retry, after a failure ◀────────┘
 *
 * Each attempt has a connection and a decoder of its own. One {@link ProgressTracker} outlives them, so
 * that progress never falls.
 *
 * @module
 */

import { answerDecoder } from "../answer.ts";
import { PullError } from "../errors.ts";
import {
  type Failure,
  ignoreRejection,
  type Producer,
  SourceProducer,
} from "../streams/producer.ts";
import { ProgressDecoder } from "../progress.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { PullProgress } from "../snapshot.ts";
import type { Emit } from "../streams/step.ts";
import { ProgressTracker } from "../tracker.ts";
import { Connection } from "./connection.ts";
import type { PullModelOptions, PullOptions } from "./options.ts";
import { planRequest, type PullRequest } from "./request.ts";
import { Retries } from "./retry.ts";
import { sleepOnTimer } from "./sleep.ts";
import { StallWatch } from "./stall_watch.ts";

/** Puts something before an attempt. The signal aborts when the pull ends. */
type Prepare = (attempt: Producer<PullProgress>, signal: AbortSignal) => Producer<PullProgress>;

/** The progress of a pull, over as many attempts as it takes. */
class PullProducer implements Producer<PullProgress> {
  readonly #request: PullRequest;
  readonly #options: PullModelOptions;
  readonly #prepare: Prepare | undefined;
  readonly #tracker: ProgressTracker;
  readonly #watch: StallWatch;
  readonly #retries: Retries;
  /** Aborts when the pull ends, in whatever way. */
  readonly #ended = new AbortController();
  #connection!: Connection;
  #attempt: Producer<PullProgress>;
  #attempts = 1;
  #hasAnswered = false;
  /** The failure of the last attempt. It is dealt with once the snapshots before it were taken. */
  #failure: Failure | undefined;
  #isStarted = false;

  constructor(request: PullRequest, options: PullModelOptions, prepare: Prepare | undefined) {
    this.#request = request;
    this.#options = options;
    this.#prepare = prepare;
    this.#tracker = new ProgressTracker(options.layers);
    this.#watch = new StallWatch(options, this.#tracker);
    this.#retries = new Retries(options, this.#tracker);
    this.#attempt = this.#newAttempt();
  }

  async read(): Promise<unknown> {
    if (!this.#isStarted) this.#start();
    this.#ended.signal.throwIfAborted();
    if (this.#failure) await this.#retry(this.#failure.error);
    try {
      return await this.#attempt.read();
    } catch (error) {
      this.#attempt.fail(error);
      this.#ended.signal.throwIfAborted();
      this.#failure = { error };
      return undefined;
    }
  }

  take(input: unknown, emit: Emit<PullProgress>): boolean {
    if (input === undefined) return true; // the connection has failed, which the next `read` deals with
    let mayGoOn = true;
    try {
      mayGoOn = this.#attempt.take(input, emit);
    } catch (error) {
      this.#failure = { error };
    }
    // After success nothing counts, and the server need not end the stream for the pull to be over.
    if (!this.#tracker.hasSucceeded) {
      this.#ended.signal.throwIfAborted();
      if (mayGoOn) return true;
    }
    ignoreRejection(this.cancel());
    return false;
  }

  fail(error: unknown): void {
    ignoreRejection(this.cancel(error));
  }

  cancel(reason?: unknown): Promise<void> {
    this.#ended.abort(reason);
    return this.#attempt.cancel(reason);
  }

  /** Begins when the stream is first read: the time counts, and the caller's signal ends the pull. */
  #start(): void {
    this.#isStarted = true;
    this.#retries.start();
    const { signal } = this.#options;
    if (!signal) return;
    const stop = () => ignoreRejection(this.cancel(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { signal: this.#ended.signal });
  }

  /** A connection that is not made yet, and what follows from its bytes. */
  #newAttempt(): Producer<PullProgress> {
    const connection = new Connection(this.#request, this.#options, this.#watch);
    const decoder = new ProgressDecoder(this.#options, this.#tracker);
    const { maxLineBytes } = this.#options;
    this.#connection = connection;
    const attempt = new SourceProducer(
      connection,
      answerDecoder(() => connection.answer!, decoder, maxLineBytes),
    );
    return this.#prepare?.(attempt, this.#ended.signal) ?? attempt;
  }

  /** Waits and makes another attempt, or throws the failure if that is not to be retried. */
  async #retry(error: unknown): Promise<void> {
    if (!(error instanceof PullError)) throw error;
    this.#hasAnswered ||= this.#connection.answer !== undefined || error.status !== undefined;
    const decision = this.#retries.decide(error, this.#hasAnswered);
    if (decision.delayMs === undefined) throw finalError(error, this.#attempts, decision.because);
    const { delayMs } = decision;
    const { onRetry, sleep = sleepOnTimer } = this.#options;
    this.#failure = undefined;
    onRetry?.({ error, delayMs, attempt: this.#attempts + 1 });
    await sleep(delayMs, this.#ended.signal);
    this.#tracker.restart();
    this.#attempt = this.#newAttempt();
    this.#attempts++;
  }
}

/** The error of the last attempt, with the number of attempts and why there is no other one. */
function finalError(error: PullError, attempts: number, because: string | undefined): PullError {
  if (attempts === 1 && because === undefined) return error;
  const { code, message, reason, retryable, retryAfterMs, status, body, line, excerpt } = error;
  const known = { reason, retryable, retryAfterMs, status, body, line, excerpt, cause: error };
  const count = attempts === 1 ? "" : ` (after ${attempts} attempts)`;
  const advice = because === undefined ? "" : `; ${because}`;
  const details = attempts === 1 ? known : { ...known, attempts };
  return new PullError(code, `${message}${count}${advice}`, details);
}

/**
 * The progress of a pull, as a stream.
 *
 * @param prepare Puts something before each attempt, if anything is to be there.
 * @throws {TypeError} If the model, the host, the path, a header or a layer cannot be used.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 */
export function startPull(
  model: string,
  options: PullModelOptions,
  prepare?: Prepare,
): PullStream<PullProgress> {
  const producer = new PullProducer(planRequest(model, options), options, prepare);
  return createPullStream({ connect: () => producer });
}

/**
 * Pulls a model and streams its progress, one snapshot for each chunk that changed anything and one
 * at each change of phase. The request is made when the stream is first read. Cancelling the stream,
 * or aborting `signal`, ends the request at once; the server keeps what was downloaded, and another
 * pull goes on from there (spec: "Cancelled pulls are resumed from where they left off").
 *
 * Fails with {@link PullError}, after the snapshots that came before it; with the reason of `signal`,
 * when that aborts.
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { client } = createMockServer();
 * for await (const { phase, fraction } of pull("llama3.2", client)) {
 *   console.log(phase, `${Math.floor(fraction * 100)} %`);
 * }
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to pull from, and how.
 * @return The progress.
 * @throws {TypeError} If the model is not a name, or the host, a header or a layer cannot be used.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 */
export function pull(model: string, options: PullOptions = {}): PullStream<PullProgress> {
  return startPull(model, { ...options, stream: true });
}

/**
 * Pulls a model and resolves once the server has said `success`.
 *
 * ```ts
 * import { pullModel } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { client } = createMockServer();
 * await pullModel("llama3.2", { ...client, onProgress: ({ completed }) => console.log(completed) });
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to pull from, and how.
 * @throws {PullError} If the pull fails; the reason of `signal`, when that aborts.
 */
export async function pullModel(model: string, options: PullModelOptions = {}): Promise<void> {
  const { onProgress } = options;
  // A pipe, unlike a loop, cancels the pull with what `onProgress` throws.
  await startPull(model, options).pipeTo(
    new WritableStream({ write: (progress) => onProgress?.(progress) }),
  );
}
