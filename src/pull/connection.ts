/**
 * One connection to the server: a request, and the bytes of its answer.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { ignoreRejection, type ReadResult, type Source } from "../producer.ts";
import { quote } from "../text.ts";
import type { PullOptions } from "./options.ts";
import type { PullRequest } from "./request.ts";
import { serverMessage } from "./retry.ts";
import { sleepOnTimer } from "./sleep.ts";

/** How much of the body of a failed request is read, in characters. */
const MAX_ERROR_BODY_LENGTH = 16_384;

/** Makes a request when bytes are first asked for. */
export class Connection implements Source<Uint8Array> {
  readonly #request: PullRequest;
  readonly #options: PullOptions;
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Rejects what is being waited for. */
  #interrupt: ((reason: unknown) => void) | undefined;

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
      signal.throwIfAborted();
      const reader = this.#reader ?? await this.#connect();
      if (!reader) return { done: true };
      return await this.#wait(reader.read());
    } catch (cause) {
      if (signal.aborted || cause instanceof PullError) throw cause;
      const what = this.#reader
        ? "The connection broke"
        : `Cannot reach ${this.#request.url.origin}`;
      throw new PullError("network", `${what}: ${innermostMessage(cause)}`, { cause });
    }
  }

  /** Ends the connection. What is being waited for rejects with the reason. */
  cancel(reason?: unknown): Promise<void> {
    this.#controller.abort(reason);
    this.#interrupt?.(reason);
    // Not waited for: a body may take its time, and one that has failed cannot be cancelled.
    if (this.#reader) ignoreRejection(this.#reader.cancel(reason));
    return Promise.resolve();
  }

  /** Makes the request, and returns the reader of the answer, unless that has no body. */
  async #connect(): Promise<ReadableStreamDefaultReader<Uint8Array> | undefined> {
    const response = await this.#wait(this.#respond());
    if (response.ok) return this.#reader;
    throw httpError(response, await this.#readErrorBody());
  }

  async #respond(): Promise<Response> {
    const { signal } = this.#controller;
    const makeRequest = this.#options.fetch ?? fetch;
    const response = await makeRequest(this.#request.url.href, this.#request.init(signal));
    // Lock the body at once, so that `cancel` can end it even if the answer came too late.
    this.#reader = response.body?.getReader();
    if (signal.aborted && this.#reader) ignoreRejection(this.#reader.cancel(signal.reason));
    return response;
  }

  /** Reads the body of an error as text, up to a length or to where it breaks or stalls. */
  async #readErrorBody(): Promise<string> {
    const utf8 = new TextDecoder();
    let text = "";
    try {
      while (this.#reader && text.length < MAX_ERROR_BODY_LENGTH) {
        const { done, value } = await this.#wait(this.#reader.read());
        if (done) break;
        text += utf8.decode(value, { stream: true });
      }
    } catch {
      // The status of the answer says more than that its body broke off.
    }
    return text;
  }

  /**
   * Waits for something, until it is interrupted or has taken too long. (A race with one promise that
   * lasts as long as the connection would keep all promises alive that it was raced with.)
   */
  async #wait<Value>(work: Promise<Value>): Promise<Value> {
    const stallWatch = this.#watchForStall();
    try {
      return await new Promise((resolve, reject) => {
        this.#interrupt = reject;
        work.then(resolve, reject);
      });
    } finally {
      stallWatch?.abort();
    }
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
function innermostMessage(error: unknown): string {
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

/** The error for an answer with a status that is not 2xx. */
function httpError({ status, statusText }: Response, text: string): PullError {
  const body = parseBody(text);
  const words = serverMessage(body);
  const title = `HTTP ${status} ${statusText}`.trimEnd();
  if (words !== undefined) return new PullError("http", `${title}: ${words}`, { status, body });
  const message = text === "" ? title : `${title}, not from Ollama: ${quote(text)}`;
  return new PullError("http", message, { status, body });
}

/** The body of an error: parsed if it is JSON, `undefined` if it is empty. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? undefined : text;
  }
}
