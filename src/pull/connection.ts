/**
 * One connection to the server: a request, and the bytes of its answer.
 *
 * @module
 */

import { abortable } from "../abortable.ts";
import type { Answer } from "../answer.ts";
import { PullError } from "../errors.ts";
import { readErrorBody } from "../http_error.ts";
import { ignoreRejection, type ReadResult, type Source } from "../streams/producer.ts";
import { diagnose } from "./diagnosis.ts";

/** How to make the request, and the error for a refusal. */
export interface Asking {
  /** The origin of the server, for messages. */
  readonly origin: string;
  /** Makes the request. The signal aborts when the answer is no longer wanted. */
  respond(signal: AbortSignal): Promise<Answer>;
  /** The error for an answer with a status other than 2xx, given the text of its body. */
  errorOf(response: Response, text: string): PullError;
}

/** Ends waits that take too long. */
export interface Watch {
  /** Starts again: a request was made or answered. */
  restart(): void;
  /**
   * Waits for the server.
   *
   * @param giveUp Called with the error if it takes too long. It must make the work reject.
   */
  wait<Value>(work: () => Promise<Value>, giveUp: (error: PullError) => void): Promise<Value>;
}

/** A connection, which makes its request at the first read. */
export class Connection implements Source<Uint8Array> {
  readonly #asking: Asking;
  readonly #watch: Watch;
  readonly #controller = new AbortController();
  #answer: Answer | undefined;
  /** Reads the body of the answer, if it has one. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #giveUp = (error: PullError): void => ignoreRejection(this.cancel(error));

  constructor(asking: Asking, watch: Watch) {
    this.#asking = asking;
    this.#watch = watch;
  }

  /** The answer of the server, once there is one. */
  get answer(): Answer | undefined {
    return this.#answer;
  }

  /**
   * The next bytes of the answer, or its end.
   *
   * @throws {PullError} `network`, `http` or `stalled`.
   */
  async read(): Promise<ReadResult<Uint8Array>> {
    const { signal } = this.#controller;
    try {
      if (!this.#answer) await this.#connect();
      return await this.#readBody();
    } catch (cause) {
      if (cause instanceof PullError) throw cause;
      if (signal.aborted) throw signal.reason;
      throw networkError(cause, this.#asking.origin, this.#answer !== undefined);
    }
  }

  /** Ends the connection. A pending read rejects with the reason. */
  cancel(reason?: unknown): Promise<void> {
    this.#controller.abort(reason);
    // Do not wait: cancelling a body may take time, and fails if the body has failed.
    if (this.#reader) ignoreRejection(this.#reader.cancel(reason));
    return Promise.resolve();
  }

  async #connect(): Promise<void> {
    const { signal } = this.#controller;
    signal.throwIfAborted();
    this.#watch.restart();
    const answer = await this.#watch.wait(() => abortable(this.#respond(), signal), this.#giveUp);
    this.#answer = answer;
    this.#watch.restart();
    const { response } = answer;
    if (response.ok) return;
    throw this.#asking.errorOf(response, await readErrorBody(() => this.#readBody()));
  }

  async #respond(): Promise<Answer> {
    const { signal } = this.#controller;
    const answer = await this.#asking.respond(signal);
    // Lock the body at once, so that it is cancelled even if the answer comes too late.
    this.#reader = answer.response.body?.getReader();
    if (signal.aborted && this.#reader) ignoreRejection(this.#reader.cancel(signal.reason));
    return answer;
  }

  /** The next bytes of the body. */
  async #readBody(): Promise<ReadResult<Uint8Array>> {
    const reader = this.#reader;
    if (!reader) return { done: true };
    const result = await this.#watch.wait(() => reader.read(), this.#giveUp);
    // A cancelled read looks like the end of the body.
    this.#controller.signal.throwIfAborted();
    return result;
  }
}

/** The error for a request without an answer, or an answer that broke off. */
function networkError(cause: unknown, origin: string, isAnswered: boolean): PullError {
  const { reason, retryable, words } = diagnose(cause);
  const what = isAnswered ? "The connection broke" : `Cannot reach ${origin}`;
  const message = reason === "runtime-limit"
    ? "The runtime's own limit on silence is over (300 s in Node, 360 s in Bun), though the server may " +
      "still be at work: to wait longer, pass a fetch that has no such limit"
    : `${what}: ${words}`;
  return new PullError("network", message, { reason, retryable, cause });
}
