/**
 * Requests with limits on time and size, whose redirects leak no secrets: to a registry, and to the server
 * for its list of models and blobs.
 *
 *     send ── redirect? ──▶ send again ── … ──▶ read ──▶ bytes
 *
 * @module
 */

import { abortable } from "../abortable.ts";
import { concatBytes } from "../bytes.ts";
import { PullError, type PullErrorReason } from "../errors.ts";
import { errorWords } from "../error_words.ts";
import { showHost } from "../host.ts";
import { httpError } from "../http_error.ts";
import { ignoreRejection } from "../streams/producer.ts";
import { quote } from "../text.ts";
import { diagnose } from "./diagnosis.ts";
import { headersFor } from "./request.ts";
import { sleepOnTimer } from "./sleep.ts";

/** How to make requests. */
export interface ClientOptions {
  readonly headers?: RequestInit["headers"] | undefined;
  readonly fetch?:
    | ((url: string, init: ClientRequestInit) => Response | Promise<Response>)
    | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** The option that names the address, for messages. */
  readonly addressOption: "host" | "registry";
  /** Whether requests without TLS are allowed, wherever a redirect leads. */
  readonly insecure?: boolean | undefined;
}

/** The options that `fetch` is called with. */
export interface ClientRequestInit extends RequestInit {
  method: string;
  headers: Record<string, string>;
  redirect: "manual";
  signal: AbortSignal;
}

/** A request, without its address. */
export interface ClientRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "HEAD" | "POST" | undefined;
  /** The media types that the caller accepts. */
  readonly accept: string;
  /** The body, which is JSON. */
  readonly body?: string | undefined;
  /** A token for the origin of the request. */
  readonly token?: string | undefined;
}

/** An answer, and the address that it came from, after all redirects. */
export interface ClientAnswer {
  readonly url: URL;
  readonly response: Response;
}

/** What is requested, for messages: its name, and advice and reasons for some HTTP statuses. */
export interface Wanted {
  readonly what: string;
  readonly advice?: ReadonlyMap<number, string>;
  readonly reasons?: ReadonlyMap<number, PullErrorReason>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/** How much of the body of an error is read. */
const MAX_ERROR_BYTES = 16_384;

/** As many as the reference follows (observed: `http.Client` in Go). */
const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A client of one server, for one task. */
export class Client {
  readonly #address: URL;
  readonly #options: ClientOptions;
  readonly #headers: Headers;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  readonly #controller = new AbortController();
  /** The address of the latest request. */
  #asked: URL;

  /**
   * @param address The address of the server.
   * @param options How to reach it.
   * @throws {TypeError} If a header cannot be sent.
   * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
   */
  constructor(address: URL, options: ClientOptions) {
    const { timeoutMs, maxBytes } = options;
    this.#address = address;
    this.#asked = address;
    this.#options = options;
    this.#headers = headersFor(address, options.headers);
    this.#timeoutMs = aboveZero("timeoutMs", timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#maxBytes = aboveZero("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES);
  }

  /** Whether requests without TLS are allowed. */
  get allowsHttp(): boolean {
    return this.#options.insecure === true || this.#address.protocol === "http:";
  }

  /**
   * Runs a task with this client, until the signal aborts or `timeoutMs` is over.
   *
   * @throws {PullError} `stalled`, if `timeoutMs` is over; the reason of the signal, when that aborts.
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal, sleep = sleepOnTimer } = this.#options;
    signal?.throwIfAborted();
    const ended = new AbortController();
    const stop = (reason: unknown) => this.#controller.abort(reason);
    signal?.addEventListener("abort", () => stop(signal.reason), { signal: ended.signal });
    if (this.#timeoutMs < Infinity) {
      sleep(this.#timeoutMs, ended.signal).then(() => stop(this.#timeoutError()), () => {});
    }
    try {
      return await work();
    } finally {
      ended.abort();
    }
  }

  /** Makes a request and follows its redirects. */
  async follow(start: URL, send: (url: URL) => Promise<Response>): Promise<ClientAnswer> {
    let url = start;
    for (let redirects = 0;; redirects++) {
      const response = await send(url);
      const { status, type, headers } = response;
      if (type === "opaqueredirect") {
        throw new PullError(
          "network",
          `${
            showHost(url)
          } redirects, which a page cannot follow: set ${this.#options.addressOption} ` +
            "to where it leads",
        );
      }
      const location = REDIRECTS.has(status) ? headers.get("location") : null;
      if (location === null) return { url, response };
      discard(response);
      const to = this.#redirect(url, location, status);
      if (redirects === MAX_REDIRECTS) {
        const message = `${showHost(start)} redirects more than ${MAX_REDIRECTS} times`;
        throw new PullError("http", `${message}, last to ${showHost(to)}`, { status });
      }
      url = to;
    }
  }

  /** Where a redirect leads, if it may be followed. */
  #redirect(from: URL, location: string, status: number): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const fail = (where: string, problem: string) =>
      new PullError("http", `${showHost(from)} redirects to ${where}, ${problem}`, { status });
    if (!to || !/^https?:$/.test(to.protocol) || to.username || to.password) {
      throw fail("an address that cannot be used", "which must begin with https:// or http://");
    }
    if (to.protocol === "http:" && !this.allowsHttp) {
      const hint = this.#options.addressOption === "registry" ? "; insecure: true allows that" : "";
      throw fail(showHost(to), `which has no TLS${hint}`);
    }
    return to;
  }

  /** Makes one request. */
  async send(url: URL, { method = "GET", body, ...request }: ClientRequest): Promise<Response> {
    this.#asked = url;
    const { signal } = this.#controller;
    const init: ClientRequestInit = {
      method,
      headers: this.#headersFor(url, request, body !== undefined),
      redirect: "manual",
      signal,
      ...(body !== undefined && { body }),
    };
    try {
      signal.throwIfAborted();
      return await abortable(this.#respond(url, init), signal);
    } catch (cause) {
      throw this.#failure(`Cannot reach ${url.origin}`, cause);
    }
  }

  async #respond(url: URL, init: ClientRequestInit): Promise<Response> {
    const makeRequest = this.#options.fetch ?? fetch;
    const response = await makeRequest(url.href, init);
    if (init.signal.aborted) discard(response); // it came too late
    return response;
  }

  /** The headers of a request. The caller's headers and tokens are sent to their own origin only. */
  #headersFor(
    url: URL,
    { accept, token }: ClientRequest,
    hasBody: boolean,
  ): Record<string, string> {
    const headers = new Headers(url.origin === this.#address.origin ? this.#headers : undefined);
    if (!headers.has("accept")) headers.set("accept", accept);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (hasBody) headers.set("content-type", "application/json");
    return Object.fromEntries(headers);
  }

  /**
   * Reads an answer.
   *
   * @throws {PullError} `http`, if its status is not 2xx; `malformed`, if it is too long.
   */
  async read(
    { url, response }: ClientAnswer,
    wanted: Wanted,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!response.ok) throw answerError(response, await this.#readError(response), url, wanted);
    const chunks: Uint8Array[] = [];
    try {
      if (!await this.#readBody(response, this.#maxBytes, chunks)) {
        throw new PullError(
          "malformed",
          `Cannot get ${wanted.what}: ${
            showHost(url)
          } sends more than maxBytes, ${this.#maxBytes} bytes`,
        );
      }
    } catch (cause) {
      throw this.#failure(`The connection to ${url.origin} broke`, cause);
    }
    return concatBytes(chunks);
  }

  /** The body of an error, up to a maximum size or to where it breaks off. */
  async #readError(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    try {
      await this.#readBody(response, MAX_ERROR_BYTES, chunks);
    } catch {
      // The status of the answer matters more than a body that broke off or took too long.
      this.#options.signal?.throwIfAborted();
    }
    return new TextDecoder().decode(concatBytes(chunks));
  }

  /** Reads a body in chunks. Returns whether it ended within the limit. */
  async #readBody({ body }: Response, limit: number, chunks: Uint8Array[]): Promise<boolean> {
    if (!body) return true;
    const reader = body.getReader();
    try {
      for (let length = 0; length <= limit;) {
        const { done, value } = await abortable(reader.read(), this.#controller.signal);
        if (done) return true;
        chunks.push(value);
        length += value.length;
      }
      return false;
    } finally {
      ignoreRejection(reader.cancel());
    }
  }

  /** The error for a failed request. */
  #failure(what: string, cause: unknown): unknown {
    const { signal } = this.#controller;
    if (signal.aborted) return signal.reason;
    if (cause instanceof PullError) return cause;
    const { reason, retryable, words } = diagnose(cause);
    const message = `${what}: ${words}`;
    const { search } = this.#asked;
    if (search === "") return new PullError("network", message, { reason, retryable, cause });
    // Leave out the cause: runtimes show the whole address there, and the query of a redirect may be a
    // signature.
    return new PullError("network", message.replaceAll(search, ""), { reason, retryable });
  }

  #timeoutError(): PullError {
    const seconds = this.#timeoutMs / 1000;
    return new PullError(
      "stalled",
      `No complete answer from ${showHost(this.#asked)} after ${seconds} s (timeoutMs)`,
    );
  }
}

/** The error for an answer whose status is not 2xx. */
function answerError(
  response: Response,
  text: string,
  url: URL,
  { what, advice, reasons }: Wanted,
): PullError {
  const { status, statusText } = response;
  const error = httpError(response, text);
  const words = errorWords(typeof error.body === "string" ? undefined : error.body) ?? text;
  const parts = [`HTTP ${status} ${statusText}`.trimEnd(), ...(words === "" ? [] : [quote(words)])];
  const hint = advice?.has(status) ? `; ${advice.get(status)}` : "";
  const message = `Cannot get ${what} from ${showHost(url)}: ${parts.join(": ")}${hint}`;
  const reason = reasons?.get(status) ?? error.reason;
  return PullError.from({ ...error.toJSON(), message, reason }) ?? error;
}

function aboveZero(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Cannot use the ${name} ${value}: it must be above 0`);
}

/** Cancels the body of an answer that nobody will read. */
export function discard({ body }: Response): void {
  if (body) ignoreRejection(body.cancel());
}
