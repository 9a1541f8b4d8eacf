/**
 * The other end of a relay: its pull as a stream of progress, over as many connections as it takes.
 *
 *     request ──▶ Connection ── bytes ──▶ records ──▶ Ratchet ──▶ PullProgress
 *                     ▲                       │
 *                     └── GET, after a loss ◀─┘
 *
 * Only the connection is tried again, never the pull: how that ends is for the relay to tell.
 *
 * @module
 */

import { answerDecoder } from "../answer.ts";
import { PullError } from "../errors.ts";
import { type Attempts, AttemptsProducer } from "../pull/attempts.ts";
import { Connection } from "../pull/connection.ts";
import { respond } from "../pull/redirects.ts";
import type { PullProgress } from "../snapshot.ts";
import { type Producer, SourceProducer } from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { Emit, Step } from "../streams/step.ts";
import { Ratchet } from "./ratchet.ts";
import type { RecordDecoder } from "./record_decoder.ts";
import { isNotRunning, planRelayRequest, relayError, type RelayRequest } from "./relay_request.ts";
import { MAX_RECORD_BYTES, RecordLinesDecoder } from "./response.ts";
import { SilenceWatch } from "./silence_watch.ts";
import type { WatchPullOptions } from "./watch_options.ts";

const DEFAULT_RETRIES = 10;
const DEFAULT_SILENCE_TIMEOUT_MS = 45_000;

/** The connections to a relay that show one pull. */
class Watching implements Attempts {
  readonly #first: RelayRequest;
  readonly #again: RelayRequest;
  readonly #options: WatchPullOptions;
  readonly #silence: SilenceWatch;
  readonly #ratchet = new Ratchet();
  #connection: Connection | undefined;
  #records: RecordDecoder | undefined;
  /** Whether the relay has let in a request: it had this pull then. */
  #hasJoined = false;
  /** Whether the latest connection has brought a snapshot. */
  #hasProgressed = false;

  constructor(relay: string | URL, model: string, options: WatchPullOptions) {
    const { start = false, silenceTimeoutMs = DEFAULT_SILENCE_TIMEOUT_MS, sleep } = options;
    this.#again = planRelayRequest("GET", relay, model, options);
    this.#first = start ? planRelayRequest("POST", relay, model, options) : this.#again;
    this.#options = options;
    this.#silence = new SilenceWatch(silenceTimeoutMs, sleep);
  }

  get hasAnswered(): boolean {
    return this.#connection?.answer !== undefined;
  }

  get hasSucceeded(): boolean {
    return this.#ratchet.latest?.phase === "success";
  }

  get hasFailed(): boolean {
    return this.#records?.hasEnded === true;
  }

  next(): Producer<PullProgress> {
    this.#ratchet.restart();
    this.#hasProgressed = false;
    // Not again by POST: a pull that has ended meanwhile would be started anew.
    const request = this.#hasJoined ? this.#again : this.#first;
    const { maxLineBytes = MAX_RECORD_BYTES, fetch: makeRequest = fetch } = this.#options;
    const connection = new Connection({
      origin: request.url.origin,
      respond: (signal) => respond(request, makeRequest, signal),
      errorOf: (response, text) => this.#errorOf(response, text),
    }, this.#silence);
    const lines = new RecordLinesDecoder(maxLineBytes);
    const decoder = answerDecoder(() => connection.answer!, lines, maxLineBytes);
    this.#connection = connection;
    this.#records = lines.records;
    return new SourceProducer(connection, this.#raised(decoder));
  }

  endAttempt(): boolean {
    this.#hasJoined ||= this.#connection?.answer?.response.ok === true;
    return this.#hasProgressed;
  }

  /** What a decoder gives, raised to what was shown before. */
  #raised(decoder: Step<Uint8Array, PullProgress>): Step<Uint8Array, PullProgress> {
    const raised = (emit: Emit<PullProgress>) => (progress: PullProgress) => {
      this.#hasProgressed = true;
      emit(this.#ratchet.push(progress));
    };
    return {
      push: (chunk, emit) => decoder.push(chunk, raised(emit)),
      end: (emit) => decoder.end(raised(emit)),
    };
  }

  #errorOf(response: Response, text: string): PullError {
    const error = relayError(response, text);
    if (!this.#hasJoined || !isNotRunning(error)) return error;
    const message =
      "The connection to the relay was lost, and meanwhile the pull has ended, or the " +
      "relay was restarted: ask the server whether it has the model";
    const { status, reason, body } = error;
    return new PullError("truncated", message, { status, reason, body, retryable: false });
  }
}

/**
 * Watches a pull of a relay, which {@link createRelay} makes: a stream of snapshots, as if the pull were
 * made here. A connection that is lost, or silent for too long, is made again, with the waits of
 * {@link pull}, and what is shown never falls. Requests are made when the stream is first read.
 *
 * Cancelling the stream, or aborting `signal`, closes the connection. The pull goes on: {@link cancelPull}
 * ends it.
 *
 * Fails as the pull did: with the same {@link PullError}, or with an `Error` of the same `name` and
 * `message`, such as an `AbortError` where the pull was cancelled. That is not tried again. Fails besides
 *
 * - as {@link pull} does, if the relay cannot be reached or refuses (`http`, `network`, `stalled`,
 *   `truncated`, `malformed`), and no further retry is allowed or would help;
 * - with `http` for the reason `not-running`, if the relay has no pull of the model;
 * - with `truncated` for the reason `not-running`, if the pull has ended while the connection was lost, and
 *   the relay no longer tells how;
 * - with the reason of `signal`, when that aborts.
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { toResponse, watchPull } from "@ollama-pull/kit/relay";
 *
 * const { client } = createMockServer();
 * const fetch = () => toResponse(pull("llama3.2", client)); // leave it out to ask a relay
 *
 * for await (const { fraction } of watchPull("https://example.com/api", "llama3.2", { fetch })) {
 *   console.log(`${Math.floor(fraction * 100)} %`);
 * }
 * ```
 *
 * @param relay The address of the relay, with the path under which it is served. In a page it may be
 * relative, such as `/api`.
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Whether to start the pull, and how to reach the relay.
 * @return The progress.
 * @throws {TypeError} If the model is not a name, or the address or a header cannot be used.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 */
export function watchPull(
  relay: string | URL,
  model: string,
  options: WatchPullOptions = {},
): PullStream<PullProgress> {
  const attempts = new Watching(relay, model, options);
  const { retries = DEFAULT_RETRIES } = options;
  const producer = new AttemptsProducer(attempts, { ...options, retries });
  return createPullStream({ connect: () => producer });
}
