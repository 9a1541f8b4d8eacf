/**
 * The client: `POST /api/pull` as a stream of progress. The only file that touches the network.
 *
 *     PullSource ── bytes of one connection after another ──▶ PullStep ──▶ PullProgress
 *
 * A {@link PullSource} opens a {@link Connection} when bytes are first asked for, and another one when
 * it is told to retry. One {@link ProgressTracker} outlives them all, so progress never falls.
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
/** As much of the body of a failed request as is read. */
const MAX_ERROR_BODY_BYTES = 16 * 1024;

/** Options of {@link pull}. */
export interface PullOptions extends DecodeProgressOptions {
  /**
   * The address of the server. A path is kept, for servers behind a proxy; a user name and password
   * are sent as basic authentication.
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
  headers?: HeadersInit;
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
   * and HTTP 5xx. A pull that got further than before counts from the start again.
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
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** The options with their defaults, and what is the same for every request. */
interface PullPlan {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly stallTimeoutMs: number;
  readonly retries: number;
  readonly onRetry: (error: PullError, delayMs: number) => void;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

function planPull(model: string, options: PullModelOptions): PullPlan {
  if (typeof model !== "string" || model === "") {
    throw new TypeError(
      `The model must be a name such as "llama3.2", got ${JSON.stringify(model)}`,
    );
  }
  const { insecure, stream = true } = options;
  const host = parseHost(options.host ?? DEFAULT_HOST);
  const headers = new Headers(options.headers);
  headers.set("Content-Type", "application/json");
  headers.set("Accept", "application/x-ndjson");
  if (host.username + host.password !== "" && !headers.has("Authorization")) {
    headers.set("Authorization", basicAuthorization(host));
  }
  // A request refuses an address with credentials, and says so with the password in the message.
  host.username = "";
  host.password = "";
  return {
    url: new URL("api/pull", host),
    headers,
    body: JSON.stringify({ model, ...(insecure && { insecure }), stream }),
    fetch: options.fetch ?? ((request) => fetch(request)),
    stallTimeoutMs: options.stallTimeoutMs ?? Infinity,
    retries: options.retries ?? 0,
    onRetry: options.onRetry ?? (() => {}),
    now: options.now ?? (() => performance.now()),
    sleep: options.sleep ?? sleepOnTimer,
    random: options.random ?? Math.random,
  };
}

function parseHost(host: string | URL): URL {
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    const example = quote(DEFAULT_HOST);
    throw new TypeError(`The host must be an http or https address such as ${example}`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function basicAuthorization({ username, password }: URL): string {
  const credentials = `${decodePercent(username)}:${decodePercent(password)}`;
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(credentials)))}`;
}

/** Decodes what an address has percent-encoded; a stray `%` in a password stays what it is. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The words of the innermost cause: the outer ones say no more than that a fetch failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}

/** Reads a body as text, up to a number of bytes or to where it breaks, and leaves the rest. */
async function readStart(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<string> {
  const utf8 = new TextDecoder();
  let text = "";
  try {
    for (let bytes = 0; bytes < maxBytes;) {
      const { done, value } = await reader.read();
      if (done) return text;
      bytes += value.length;
      text += utf8.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // That the answer was an error says more than that it broke off.
  }
  return text;
}

/** What an answer says of why it failed: an error in JSON, or whatever a proxy has put there. */
function describeBody(body: string): string {
  const text = body.trim();
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string") return `: ${error}`;
  } catch {
    // Not Ollama's own words; they are quoted below.
  }
  return text === "" ? " with an empty body" : `, which is not an answer of Ollama: ${quote(text)}`;
}

/** What came of a request. */
interface Answer {
  readonly response: Response;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/** One request and its answer. Ends at the first failure, or when it is told to. */
class Connection implements Source<Uint8Array> {
  readonly #plan: PullPlan;
  readonly #controller = new AbortController();
  /** Reads the body, be it that of an error. */
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The same, once it is known to be the body of a pull. */
  #opened: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Since when bytes are waited for, or `undefined` while nobody asks for them. */
  #waitingSince: number | undefined;
  /** Fails what is being waited for. */
  #interrupt: (reason: unknown) => void = () => {};

  constructor(plan: PullPlan) {
    this.#plan = plan;
  }

  async read(): Promise<ReadResult<Uint8Array>> {
    const reader = this.#opened ??= await this.#open();
    const { signal } = this.#controller;
    signal.throwIfAborted();
    try {
      return await this.#wait(reader.read());
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw new PullError("network", `The connection broke: ${reasonOf(cause)}`, { cause });
    }
  }

  async cancel(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    this.#interrupt(reason);
    // A body that has failed cannot be cancelled, and need not be.
    await this.#reader?.cancel(reason).catch(() => {});
  }

  async #open(): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    this.#watchForStall().catch(() => {});
    const { response, reader } = await this.#wait(this.#request());
    if (response.ok) return reader;
    const text = await this.#wait(readStart(reader, MAX_ERROR_BODY_BYTES));
    const { status, statusText } = response;
    const message = `HTTP ${status} ${statusText}`.trimEnd() + describeBody(text);
    throw new PullError("http", message, { status });
  }

  async #request(): Promise<Answer> {
    const { url, headers, body, fetch } = this.#plan;
    const { signal } = this.#controller;
    try {
      const response = await fetch(new Request(url, { method: "POST", headers, body, signal }));
      // Taken hold of at once, so that it is let go of even if nobody waits for it any more.
      const reader = this.#reader = (response.body ?? new Blob().stream()).getReader();
      if (signal.aborted) await reader.cancel(signal.reason);
      return { response, reader };
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw new PullError("network", `Cannot reach ${url.origin}: ${reasonOf(cause)}`, { cause });
    }
  }

  /**
   * Waits for something, until it is interrupted. (A race with one promise that lasts as long as the
   * connection would keep every promise alive that it was raced with.)
   */
  #wait<Value>(work: Promise<Value>): Promise<Value> {
    this.#waitingSince = this.#plan.now();
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      work.then((value) => {
        this.#waitingSince = undefined;
        resolve(value);
      }, reject);
    });
  }

  /** Fails the connection when the server has been silent for too long. */
  async #watchForStall(): Promise<void> {
    const { stallTimeoutMs, now, sleep } = this.#plan;
    const { signal } = this.#controller;
    while (stallTimeoutMs < Infinity && !signal.aborted) {
      const silentMs = this.#waitingSince === undefined ? 0 : now() - this.#waitingSince;
      if (silentMs >= stallTimeoutMs) {
        const message = `The server sent nothing for ${stallTimeoutMs / 1000} s`;
        return await this.cancel(new PullError("stalled", message));
      }
      await sleep(Math.min(stallTimeoutMs - silentMs, LONGEST_TIMER_MS), signal);
    }
  }
}

/** Whether the same request may fare better another time. */
function mayPass(error: unknown): error is PullError {
  if (!(error instanceof PullError)) return false;
  const { code, status = 0 } = error;
  return code === "network" || code === "truncated" || code === "stalled" ||
    (code === "http" && status >= 500);
}

/** The bytes of a pull, from as many connections as it takes. */
class PullSource implements Source<Uint8Array> {
  readonly #plan: PullPlan;
  readonly #tracker: ProgressTracker;
  readonly #stopped = new AbortController();
  readonly #release: () => void;
  #connection: Connection;
  #finished = false;
  #attempts = 1;
  #failuresInARow = 0;
  #completedAtFailure = 0;

  constructor(plan: PullPlan, tracker: ProgressTracker, signal?: AbortSignal) {
    this.#plan = plan;
    this.#tracker = tracker;
    this.#connection = new Connection(plan);
    const stop = () => void this.cancel(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    this.#release = () => signal?.removeEventListener("abort", stop);
    if (signal?.aborted) stop();
  }

  async read(): Promise<ReadResult<Uint8Array>> {
    if (this.#finished) return { done: true };
    this.#stopped.signal.throwIfAborted();
    return await this.#connection.read();
  }

  async cancel(reason: unknown): Promise<void> {
    this.#release();
    this.#stopped.abort(reason);
    await this.#connection.cancel(reason);
  }

  /** Ends the pull without waiting for the server to end it. */
  finish(): void {
    this.#finished = true;
    void this.cancel(undefined);
  }

  /** Waits and prepares another connection, or throws the failure if it is not to be retried. */
  async retry(error: unknown): Promise<void> {
    const { retries, onRetry, sleep } = this.#plan;
    if (this.#stopped.signal.aborted) throw error;
    if (this.#tracker.completed > this.#completedAtFailure) this.#failuresInARow = 0;
    if (!mayPass(error) || this.#failuresInARow >= retries) throw this.#withAttempts(error);
    this.#completedAtFailure = this.#tracker.completed;
    this.#failuresInARow++;
    this.#attempts++;

    await this.#connection.cancel(error);
    const delayMs = this.#retryDelay();
    onRetry(error, delayMs);
    await sleep(delayMs, this.#stopped.signal);
    this.#connection = new Connection(this.#plan);
  }

  /** Twice as long after each failure, and up to half of it left to chance. */
  #retryDelay(): number {
    const longest = Math.min(FIRST_RETRY_MS * 2 ** (this.#failuresInARow - 1), LONGEST_RETRY_MS);
    return longest * (1 - this.#plan.random() / 2);
  }

  #withAttempts(error: unknown): unknown {
    if (!(error instanceof PullError) || this.#attempts === 1) return error;
    const message = `${error.message} (gave up after ${this.#attempts} attempts)`;
    const { code, status, line, excerpt } = error;
    const details = { status, line, excerpt, attempts: this.#attempts, cause: error };
    return new PullError(code, message, details);
  }
}

function startPull(model: string, options: PullModelOptions): ReadableStream<PullProgress> {
  const tracker = new ProgressTracker(options.layers);
  const source = new PullSource(planPull(model, options), tracker, options.signal);
  let decoder = new ProgressDecoder(options, tracker);

  const step: Step<Uint8Array, PullProgress> = {
    push(chunk, emit) {
      try {
        decoder.push(chunk, emit);
      } catch (error) {
        if (!tracker.succeeded) throw error; // what comes after success does not count
      }
      if (tracker.succeeded) source.finish();
    },
    end(emit) {
      if (!tracker.succeeded) decoder.end(emit);
      source.finish();
    },
  };

  return readThrough(source, step, async (error) => {
    await source.retry(error);
    tracker.restart();
    decoder = new ProgressDecoder(options, tracker);
  });
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
  return startPull(model, { ...options, stream: true });
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
  const progress = startPull(model, options).getReader();
  for (;;) {
    const { done, value } = await progress.read();
    if (done) return;
    try {
      options.onProgress?.(value);
    } catch (error) {
      await progress.cancel(error);
      throw error;
    }
  }
}
