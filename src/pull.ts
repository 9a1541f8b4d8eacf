/**
 * The client: `POST /api/pull` as a stream of progress. The only file that touches the network.
 *
 *     PullSource ── bytes of one connection after another ──▶ ProgressDecoder ──▶ PullProgress
 *
 * A {@link PullSource} connects when bytes are first asked for, and again when it is told to retry. One
 * {@link ProgressTracker} outlives all connections, so progress never falls.
 *
 * @module
 */

import { PullError, quote } from "./errors.ts";
import {
  type DecodeProgressOptions,
  ProgressDecoder,
  ProgressTracker,
  type PullProgress,
} from "./progress.ts";
import { type ReadResult, readThrough, type Source, type Step } from "./streams.ts";

const DEFAULT_HOST = "http://127.0.0.1:11434";
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** The longest wait that a timer of the runtimes takes; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** As much of the body of a failed request as is read, in characters. */
const MAX_ERROR_BODY_LENGTH = 16_384;

/** Options of {@link pull}. */
export interface PullOptions extends DecodeProgressOptions {
  /**
   * The address of the server. A path is kept, for servers behind a proxy, a query is not; a user
   * name and password are sent as basic authentication.
   *
   * @default {"http://127.0.0.1:11434"}
   */
  host?: string | URL;
  /**
   * Lets the server use a library without TLS, or with a certificate that it cannot verify.
   *
   * @default {false}
   */
  insecure?: boolean;
  /** Headers to send besides those of the protocol, such as `Authorization`. */
  headers?: RequestInit["headers"];
  /**
   * What makes the request: the runtime's `fetch`, that of a mock, or one with a proxy or logging.
   *
   * @default {fetch}
   */
  fetch?: (request: Request) => Response | Promise<Response>;
  /** Ends the pull when it aborts. The server keeps what was downloaded, for the next pull. */
  signal?: AbortSignal;
  /**
   * How long the server may send nothing, in milliseconds, before the pull fails with `stalled`. Only
   * the time counts in which bytes were waited for. Verifying a large model can take minutes.
   *
   * @default {Infinity}
   */
  stallTimeoutMs?: number;
  /**
   * How often in a row to start again after a failure that may pass: `network`, `truncated`, `stalled`
   * and HTTP 5xx, unless the server says there that it has no such model or may not ask for it. A pull
   * that got further than before counts from the start again.
   *
   * @default {0}
   */
  retries?: number;
  /** Called before each retry with what failed and the wait in milliseconds. */
  onRetry?: (error: PullError, delayMs: number) => void;
  /**
   * Waits for a number of milliseconds, or rejects when the signal aborts. A virtual clock brings its
   * own, together with `now`.
   *
   * @default {setTimeout}
   */
  sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /**
   * A number from 0 to 1, by which waits before a retry vary, so that clients do not come back in step.
   *
   * @default {Math.random}
   */
  random?: () => number;
}

/** Options of {@link pullModel}. */
export interface PullModelOptions extends PullOptions {
  /** Called with each snapshot. What it throws cancels the pull. */
  onProgress?: (progress: PullProgress) => void;
  /**
   * Whether the server is to report progress. Without, it answers once, when the pull has ended.
   *
   * @default {true}
   */
  stream?: boolean;
}

/** Waits on the runtime's clock. */
function sleepOnTimer(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMER_MS));
    // A listener stays, if it is not called, for no longer than the signal: that of one wait, or one pull.
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Makes the request of a pull, as often as it is needed. */
function planRequest(model: string, options: PullModelOptions): (signal: AbortSignal) => Request {
  if (!model?.length) throw new TypeError("The model must be a name such as llama3.2");
  const { host = DEFAULT_HOST, insecure, stream = true } = options;
  let url: URL | undefined;
  let headers: Headers | undefined;
  try {
    url = new URL(host);
    headers = new Headers(options.headers);
  } catch {
    // The runtime's message may show a password, or the value of a header.
  }
  if (!headers || !url?.protocol.startsWith("http")) {
    throw new TypeError(`The host must be like ${DEFAULT_HOST}, headers valid`);
  }
  headers.set("Content-Type", "application/json");
  const { username, password } = url;
  if (username + password && !headers.has("Authorization")) {
    // In an address each byte of a character that is not ASCII is percent-encoded. `btoa` wants just
    // these bytes, which `decodeURIComponent` would make characters of.
    headers.set("Authorization", `Basic ${btoa(unescape(`${username}:${password}`))}`);
  }
  // Without credentials, which a request refuses, and a query, which may hold some: the messages of
  // the runtimes show addresses.
  const address = url.origin + url.pathname.replace(/\/?$/, "/api/pull");
  const body = JSON.stringify({ model, insecure, stream });
  return (signal) => new Request(address, { method: "POST", headers, body, signal });
}

/** The words of the innermost cause: the outer ones say no more than that a fetch failed. */
function reasonOf(error: unknown): string {
  const { cause, message, code } = Object(error);
  return cause ? reasonOf(cause) : String(message || code || error);
}

/** What an answer says of why it failed: an error in JSON, or whatever a proxy has put there. */
function describeBody(text: string): string {
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string") return `: ${error}`;
  } catch {
    // Not Ollama's own words; they are quoted below.
  }
  return text && `, not from Ollama: ${quote(text)}`;
}

/**
 * The failures, code and message, that may pass when the same request is made another time. With
 * HTTP 500 the server also says, before a stream or without one, that there is no such model, or that
 * its library is not to be trusted (observed).
 */
const MAY_PASS = /^(network|truncated|stalled|http HTTP 5(?![^:]*: ((pull )?model|insecure)))/;

/** The bytes of a pull, from as many connections as it takes. */
class PullSource implements Source<Uint8Array> {
  readonly #request: (signal: AbortSignal) => Request;
  readonly #options: PullOptions;
  readonly #tracker: ProgressTracker;
  /** Ends the pull. */
  readonly #stopped = new AbortController();
  #attempts = 1;
  #failuresInARow = 0;
  #completedAtFailure = 0;

  /** Ends the connection that there is now. */
  #connection = new AbortController();
  /** Reads the body of its answer, be it that of an error. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Fails what is being waited for. */
  #interrupt: ((reason: unknown) => void) | undefined;

  constructor(
    request: (signal: AbortSignal) => Request,
    options: PullOptions,
    tracker: ProgressTracker,
  ) {
    this.#request = request;
    this.#options = options;
    this.#tracker = tracker;
    const { signal } = options;
    const stop = () => this.cancel(signal!.reason);
    // When the pull has ended it listens no longer.
    signal?.addEventListener("abort", stop, { signal: this.#stopped.signal });
    if (signal?.aborted) stop();
  }

  async read(): Promise<ReadResult<Uint8Array>> {
    if (this.#tracker.succeeded) return { done: true };
    this.#stopped.signal.throwIfAborted();
    const { signal } = this.#connection;
    try {
      if (!this.#reader) await this.#connect();
      signal.throwIfAborted();
      return await this.#wait(this.#reader!.read());
    } catch (cause) {
      if (signal.aborted || cause instanceof PullError) throw cause;
      const { origin } = new URL(this.#options.host ?? DEFAULT_HOST);
      const what = this.#reader ? "The connection broke" : `Cannot reach ${origin}`;
      throw new PullError("network", `${what}: ${reasonOf(cause)}`, { cause });
    }
  }

  // deno-lint-ignore require-await -- a source's cancel is a promise
  async cancel(reason?: unknown): Promise<void> {
    this.#stopped.abort(reason);
    this.#disconnect(reason);
  }

  /** Waits and prepares another connection, or throws the failure if it is not to be retried. */
  async retry(error: unknown): Promise<void> {
    const { retries = 0, onRetry, sleep = sleepOnTimer, random = Math.random } = this.#options;
    const { signal } = this.#stopped;
    const { completed } = this.#tracker;
    if (completed > this.#completedAtFailure) this.#failuresInARow = 0;
    this.#completedAtFailure = completed;
    if (signal.aborted || !(error instanceof PullError)) throw error;
    const { code, message } = error;
    if (!MAY_PASS.test(`${code} ${message}`) || this.#failuresInARow >= retries) {
      const attempts = this.#attempts;
      const tried = { message: `${message} (after ${attempts} attempts)`, attempts };
      throw attempts > 1 ? Object.assign(error, tried) : error;
    }

    this.#disconnect(error);
    // Twice as long after each failure, and up to half of it left to chance.
    const longest = Math.min(FIRST_RETRY_MS * 2 ** this.#failuresInARow++, LONGEST_RETRY_MS);
    const delayMs = longest * (1 - random() / 2);
    this.#attempts++;
    onRetry?.(error, delayMs);
    await sleep(delayMs, signal);
    this.#connection = new AbortController();
    this.#reader = undefined;
  }

  async #connect(): Promise<void> {
    const { ok, status, statusText } = await this.#wait(this.#respond());
    if (ok) return;
    const text = await this.#readStart();
    this.#stopped.signal.throwIfAborted();
    const message = `HTTP ${status} ${statusText}`.trimEnd() + describeBody(text);
    throw new PullError("http", message, { status });
  }

  /** Reads the body of an error as text, up to a length or to where it breaks or stalls. */
  async #readStart(): Promise<string> {
    const utf8 = new TextDecoder();
    let text = "";
    let value: Uint8Array | undefined = new Uint8Array();
    try {
      while (value && text.length < MAX_ERROR_BODY_LENGTH) {
        text += utf8.decode(value, { stream: true });
        ({ value } = await this.#wait(this.#reader!.read()));
      }
    } catch {
      // That the answer was an error says more than that it broke off.
    }
    return text;
  }

  async #respond(): Promise<Response> {
    const request = this.#request(this.#connection.signal);
    const response = await (this.#options.fetch ?? fetch)(request);
    // Taken hold of at once, so that it is let go of even if nobody waits for it any more.
    const reader = (response.body ?? new Blob().stream()).getReader();
    // Node forgets to abort a request that nobody holds any more.
    if (request.signal.aborted) await reader.cancel(request.signal.reason);
    else this.#reader = reader;
    return response;
  }

  #disconnect(reason: unknown): void {
    this.#connection.abort(reason);
    this.#interrupt?.(reason);
    // Not waited for: a body may take its time, and one that has failed cannot be cancelled.
    this.#reader?.cancel(reason).catch(() => {});
  }

  /**
   * Waits for something, until it is interrupted or has taken too long. (A race with one promise that
   * lasts as long as the connection would keep every promise alive that it was raced with.)
   */
  async #wait<Value>(work: Promise<Value>): Promise<Value> {
    const { stallTimeoutMs = Infinity, sleep = sleepOnTimer } = this.#options;
    let over: AbortController | undefined;
    if (stallTimeoutMs < Infinity) {
      over = new AbortController();
      const message = `The server sent nothing for ${stallTimeoutMs / 1000} s`;
      sleep(stallTimeoutMs, over.signal)
        .then(() => this.#disconnect(new PullError("stalled", message)), () => {});
    }
    try {
      return await new Promise((resolve, reject) => {
        this.#interrupt = reject;
        work.then(resolve, reject);
      });
    } finally {
      over?.abort();
    }
  }
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
 * const { fetch } = createMockServer();
 * for await (const { phase, fraction } of pull("llama3.2", { fetch })) {
 *   console.log(phase, `${Math.floor(fraction * 100)} %`);
 * }
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to pull from, and how.
 * @return The progress.
 * @throws {TypeError} If the model is empty or an option cannot be used.
 */
export function pull(model: string, options: PullOptions = {}): ReadableStream<PullProgress> {
  const tracker = new ProgressTracker(options.layers);
  const source = new PullSource(planRequest(model, options), options, tracker);
  let decoder = new ProgressDecoder(options, tracker);

  const step: Step<Uint8Array, PullProgress> = {
    push(chunk, emit) {
      try {
        decoder.push(chunk, emit);
      } catch (error) {
        if (!tracker.succeeded) throw error; // what comes after success does not count
      }
      // The server need not end the stream for the pull to be over.
      if (tracker.succeeded) void source.cancel();
    },
    end(emit) {
      if (!tracker.succeeded) decoder.end(emit);
      void source.cancel();
    },
  };

  return readThrough(source, step, async (error) => {
    await source.retry(error);
    tracker.restart();
    decoder = new ProgressDecoder(options, tracker);
  });
}

/**
 * Pulls a model and resolves once the server has said `success`.
 *
 * ```ts
 * import { pullModel } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const { fetch } = createMockServer();
 * await pullModel("llama3.2", { fetch, onProgress: ({ completed }) => console.log(completed) });
 * ```
 *
 * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
 * @param options Where to pull from, and how.
 * @throws {PullError} If the pull fails; the reason of `signal`, when that aborts.
 */
export async function pullModel(model: string, options: PullModelOptions = {}): Promise<void> {
  await pull(model, options).pipeTo(
    new WritableStream({ write: (progress) => options.onProgress?.(progress) }),
  );
}
