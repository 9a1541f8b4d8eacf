/**
 * The client: `POST /api/pull` as a stream of progress. All that touches the network goes through this folder.
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
import { httpError } from "../http_error.ts";
import { ProgressDecoder } from "../progress.ts";
import type { PullProgress } from "../snapshot.ts";
import { type Producer, SourceProducer } from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import { ProgressTracker } from "../tracker.ts";
import { type Attempts, AttemptsProducer } from "./attempts.ts";
import { Connection } from "./connection.ts";
import type { PullModelOptions, PullOptions } from "./options.ts";
import { respond } from "./redirects.ts";
import { planRequest, type PullRequest } from "./request.ts";
import { AttemptProgress } from "./retry.ts";
import { StallWatch } from "./stall_watch.ts";

/** Puts something before an attempt. The signal aborts when the pull ends. */
type Prepare = (attempt: Producer<PullProgress>, signal: AbortSignal) => Producer<PullProgress>;

/** The attempts of a pull. */
class PullAttempts implements Attempts {
  readonly hasFailed = false; // any failure is one of the attempt
  readonly #request: PullRequest;
  readonly #options: PullModelOptions;
  readonly #prepare: Prepare | undefined;
  readonly #tracker: ProgressTracker;
  readonly #watch: StallWatch;
  readonly #progress: AttemptProgress;
  #connection: Connection | undefined;

  constructor(request: PullRequest, options: PullModelOptions, prepare: Prepare | undefined) {
    this.#request = request;
    this.#options = options;
    this.#prepare = prepare;
    this.#tracker = new ProgressTracker(options.layers);
    this.#watch = new StallWatch(options, this.#tracker);
    this.#progress = new AttemptProgress(this.#tracker);
  }

  get hasAnswered(): boolean {
    return this.#connection?.answer !== undefined;
  }

  get hasSucceeded(): boolean {
    return this.#tracker.hasSucceeded;
  }

  next(ended: AbortSignal): Producer<PullProgress> {
    if (this.#connection) this.#tracker.restart();
    const { maxLineBytes, fetch: makeRequest = fetch } = this.#options;
    const { url } = this.#request;
    const connection = new Connection({
      origin: url.origin,
      respond: (signal) => respond(this.#request, makeRequest, signal),
      errorOf: (response, text) => httpError(response, text),
    }, this.#watch);
    const decoder = new ProgressDecoder(this.#options, this.#tracker);
    this.#connection = connection;
    const attempt = new SourceProducer(
      connection,
      answerDecoder(() => connection.answer!, decoder, maxLineBytes),
    );
    return this.#prepare?.(attempt, ended) ?? attempt;
  }

  endAttempt(): boolean {
    return this.#progress.endAttempt();
  }
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
  const attempts = new PullAttempts(planRequest(model, options), options, prepare);
  const producer = new AttemptsProducer(attempts, options);
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
