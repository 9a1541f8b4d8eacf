/**
 * One connection to the server: a request, and the bytes of its answer.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { ignoreRejection, type ReadResult, type Source } from "../streams/producer.ts";
import { abortable } from "../abortable.ts";
import { httpError } from "./http_error.ts";
import type { PullOptions } from "./options.ts";
import type { PullRequest } from "./request.ts";
import { sleepOnTimer } from "./sleep.ts";

/** How much of the body of a failed request is read, in characters. */
const MAX_ERROR_BODY_LENGTH = 16_384;

/** Makes a request when bytes are first asked for. */
export class Connection implements Source<Uint8Array> {
  readonly #request: PullRequest;
  readonly #options: PullOptions;
  readonly #controller = new AbortController();
  /** Whether the server has answered. */
  #isAnswered = false;
  /** Reads the body of the answer, if it has one. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(request: PullRequest, options: PullOptions) {
    this.#request = request;
    this.#options = options;
  }

  /**
   * The next bytes of the answer, or its end.
   *
   * @throws {PullError} `network`, `http` or `stalled`.
   */
  async read(): Promise<ReadResult<Uint8Array>> {
    const { signal } = this.#controller;
    try {
      if (!this.#isAnswered) await this.#connect();
      return await this.#readBody();
    } catch (cause) {
      if (cause instanceof PullError) throw cause;
      if (signal.aborted) throw signal.reason;
      const what = this.#isAnswered
        ? "The connection broke"
        : `Cannot reach ${this.#request.url.origin}`;
      throw new PullError("network", `${what}: ${innermostMessage(cause)}`, { cause });
    }
  }

  /** Ends the connection. A read that is under way rejects with the reason. */
  cancel(reason?: unknown): Promise<void> {
    this.#controller.abort(reason);
    // Not waited for: a body may take its time, and one that has failed cannot be cancelled.
    if (this.#reader) ignoreRejection(this.#reader.cancel(reason));
    return Promise.resolve();
  }

  async #connect(): Promise<void> {
    const { signal } = this.#controller;
    signal.throwIfAborted();
    const watch = this.#watchForStall();
    const response = await abortable(this.#respond(), signal).finally(() => watch?.abort());
    this.#isAnswered = true;
    if (!response.ok) throw httpError(response, await this.#readErrorBody());
  }

  async #respond(): Promise<Response> {
    const { signal } = this.#controller;
    const makeRequest = this.#options.fetch ?? fetch;
    const response = await makeRequest(this.#request.url.href, this.#request.init(signal));
    // Lock the body at once, so that it is cancelled even if the answer comes too late.
    this.#reader = response.body?.getReader();
    if (signal.aborted && this.#reader) ignoreRejection(this.#reader.cancel(signal.reason));
    return response;
  }

  /** The next bytes of the body. */
  async #readBody(): Promise<ReadResult<Uint8Array>> {
    if (!this.#reader) return { done: true };
    const watch = this.#watchForStall();
    try {
      const result = await this.#reader.read();
      // A read that is cancelled ends as if the body had ended.
      this.#controller.signal.throwIfAborted();
      return result;
    } finally {
      watch?.abort();
    }
  }

  /** Reads the body of an error as text, up to a length or to where it breaks or stalls. */
  async #readErrorBody(): Promise<string> {
    const utf8 = new TextDecoder();
    let text = "";
    try {
      while (text.length < MAX_ERROR_BODY_LENGTH) {
        const { done, value } = await this.#readBody();
        if (done) break;
        text += utf8.decode(value as Uint8Array, { stream: true });
      }
    } catch {
      // The status of the answer says more than that its body broke off.
    }
    return text;
  }

  /** Ends the connection once nothing came for too long. Returns what stops the watch. */
  #watchForStall(): AbortController | undefined {
    const { stallTimeoutMs = Infinity, sleep = sleepOnTimer } = this.#options;
    if (!(stallTimeoutMs < Infinity)) return undefined;
    const watch = new AbortController();
    const message = `The server sent nothing for ${stallTimeoutMs / 1000} s`;
    sleep(stallTimeoutMs, watch.signal).then(
      () => this.cancel(new PullError("stalled", message)),
      () => {}, // the watch was stopped
    );
    return watch;
  }
}

/** The message of the innermost cause: the outer ones only say that a fetch failed. */
export function innermostMessage(error: unknown): string {
  const seen = new Set<unknown>();
  let innermost = error;
  while (innermost instanceof Error && innermost.cause && !seen.has(innermost)) {
    seen.add(innermost);
    innermost = innermost.cause;
  }
  if (!(innermost instanceof Error)) return String(innermost);
  const { code } = innermost as { code?: unknown };
  return innermost.message || String(code ?? innermost.name);
}
