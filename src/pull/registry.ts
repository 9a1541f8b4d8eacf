/**
 * Requests to a registry: within a time and up to a size, with a token if the registry wants one, and
 * with redirects that take no secret along.
 *
 *     get ──▶ send ── 401? ──▶ token server ──▶ send again ── redirect? ──▶ … ──▶ read ──▶ RegistryAnswer
 *
 * @module
 */

import { abortable } from "../abortable.ts";
import { concatBytes } from "../bytes.ts";
import { PullError } from "../errors.ts";
import { errorWords } from "../error_words.ts";
import { showHost } from "../host.ts";
import { ignoreRejection } from "../streams/producer.ts";
import { quote } from "../text.ts";
import { httpError } from "../http_error.ts";
import { diagnose } from "./diagnosis.ts";
import type { FetchManifestOptions, ManifestRequestInit } from "./manifest_options.ts";
import { endpointOf, headersFor } from "./request.ts";
import { sleepOnTimer } from "./sleep.ts";
import { type Challenge, findChallenge, readToken, tokenAddress } from "./token.ts";

/** What a registry answers. */
export interface RegistryAnswer {
  /** The address that answered, at the end of all redirects. */
  readonly url: URL;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/** How much of the body of an error is read. */
const MAX_ERROR_BYTES = 16_384;

/** As many as the client of the reference follows (observed: `http.Client` in Go). */
const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What is asked for: what messages call it, and what they advise for some statuses of HTTP. */
interface Wanted {
  readonly what: string;
  readonly advice: ReadonlyMap<number, string>;
}

const LATER = "wait before you ask again";

const ADVICE: ReadonlyMap<number, string> = new Map([
  [401, "the model may not exist, or may need credentials, which go into headers"],
  [403, "the model may not exist, or may need other credentials"],
  [404, "check the name and the tag"],
  [429, LATER],
]);

const TOKEN_ADVICE: ReadonlyMap<number, string> = new Map([
  [401, "if you have credentials, get a token with them and give it in headers"],
  [403, "if you have credentials, get a token with them and give it in headers"],
  [429, LATER],
]);

/** A client of one registry, for one piece of work. */
export class RegistryClient {
  readonly #registry: URL;
  readonly #options: FetchManifestOptions;
  readonly #headers: Headers;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  /** Whether requests without TLS are allowed. */
  readonly #allowsHttp: boolean;
  /** The tokens, by the origin that wants them. */
  readonly #tokens = new Map<string, string>();
  readonly #controller = new AbortController();
  /** The address that was asked last. */
  #asked: URL;

  /**
   * @param registry The address of the registry.
   * @param options How to reach it.
   * @throws {TypeError} If a header cannot be sent.
   * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
   */
  constructor(registry: URL, options: FetchManifestOptions) {
    const { insecure = false, timeoutMs, maxBytes } = options;
    this.#registry = registry;
    this.#asked = registry;
    this.#options = options;
    this.#headers = headersFor(registry, options.headers);
    this.#timeoutMs = aboveZero("timeoutMs", timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#maxBytes = aboveZero("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES);
    this.#allowsHttp = insecure || registry.protocol === "http:";
  }

  /**
   * Does some work with this client, until the signal aborts or the time is over.
   *
   * @throws {PullError} `stalled`, if the time is over; the reason of the signal, when that aborts.
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

  /**
   * Gets what is at a path of the registry.
   *
   * @param path The path, which is appended to that of the registry.
   * @param accept The media types that the caller takes.
   * @param what What it is, for messages.
   * @throws {PullError} `http`, `network`, `stalled` or `malformed`.
   */
  async get(path: string, accept: string, what: string): Promise<RegistryAnswer> {
    const address = endpointOf(this.#registry, path);
    const answer = await this.#follow(address, (url) => this.#sendWithToken(url, accept));
    return await this.#read(answer, { what, advice: ADVICE });
  }

  /** Makes a request, and makes it again with a token if that is wanted. */
  async #sendWithToken(url: URL, accept: string): Promise<Response> {
    const response = await this.#send(url, accept);
    if (response.status !== 401 || this.#tokens.has(url.origin)) return response;
    const challenge = findChallenge(response.headers.get("www-authenticate"));
    if (!challenge) return response;
    discard(response);
    this.#tokens.set(url.origin, await this.#getToken(challenge, url));
    return await this.#send(url, accept);
  }

  async #getToken(challenge: Challenge, registry: URL): Promise<string> {
    const address = tokenAddress(challenge, registry, this.#allowsHttp);
    const what = `a token for ${registry.origin}`;
    const answer = await this.#follow(address, (url) => this.#send(url, "application/json"));
    const { url, bytes } = await this.#read(answer, { what, advice: TOKEN_ADVICE });
    const token = readToken(new TextDecoder().decode(bytes));
    if (token !== undefined) return token;
    // Without an excerpt, which might show a part of a token.
    throw new PullError(
      "malformed",
      `Cannot get ${what}: the answer of ${showHost(url)} is no JSON object with a token`,
    );
  }

  /** Makes a request and follows its redirects. */
  async #follow(
    start: URL,
    send: (url: URL) => Promise<Response>,
  ): Promise<{ url: URL; response: Response }> {
    let url = start;
    for (let redirects = 0;; redirects++) {
      const response = await send(url);
      const { status, type, headers } = response;
      if (type === "opaqueredirect") {
        throw new PullError(
          "network",
          `${showHost(url)} redirects, which a page cannot follow: set registry to where it leads`,
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
    if (to.protocol === "http:" && !this.#allowsHttp) {
      throw fail(showHost(to), "which has no TLS; insecure: true allows that");
    }
    return to;
  }

  /** Makes one request. */
  async #send(url: URL, accept: string): Promise<Response> {
    this.#asked = url;
    const { signal } = this.#controller;
    const init: ManifestRequestInit = {
      method: "GET",
      headers: this.#headersFor(url, accept),
      redirect: "manual",
      signal,
    };
    try {
      signal.throwIfAborted();
      return await abortable(this.#respond(url, init), signal);
    } catch (cause) {
      throw this.#failure(`Cannot reach ${url.origin}`, cause);
    }
  }

  async #respond(url: URL, init: ManifestRequestInit): Promise<Response> {
    const makeRequest = this.#options.fetch ?? fetch;
    const response = await makeRequest(url.href, init);
    if (init.signal.aborted) discard(response); // it came too late
    return response;
  }

  /** The headers of a request. What the caller gave, and tokens, go to one origin and no other. */
  #headersFor(url: URL, accept: string): Record<string, string> {
    const headers = new Headers(url.origin === this.#registry.origin ? this.#headers : undefined);
    const token = this.#tokens.get(url.origin);
    if (!headers.has("accept")) headers.set("accept", accept);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return Object.fromEntries(headers);
  }

  /** Reads an answer, which must be a success. */
  async #read(
    { url, response }: { url: URL; response: Response },
    wanted: Wanted,
  ): Promise<RegistryAnswer> {
    if (!response.ok) throw registryError(response, await this.#readError(response), url, wanted);
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
    return { url, headers: response.headers, bytes: concatBytes(chunks) };
  }

  /** What the body of an error says, up to a size or to where it breaks. */
  async #readError(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    try {
      await this.#readBody(response, MAX_ERROR_BYTES, chunks);
    } catch {
      // The status of the answer says more than that its body broke off, or took too long.
      this.#options.signal?.throwIfAborted();
    }
    return new TextDecoder().decode(concatBytes(chunks));
  }

  /** Reads a body in chunks, and returns whether it has ended before it was longer than a limit. */
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

  /** The error for a request that has failed for some cause. */
  #failure(what: string, cause: unknown): unknown {
    const { signal } = this.#controller;
    if (signal.aborted) return signal.reason;
    if (cause instanceof PullError) return cause;
    const { reason, retryable, words } = diagnose(cause);
    const message = `${what}: ${words}`;
    const { search } = this.#asked;
    if (search === "") return new PullError("network", message, { reason, retryable, cause });
    // Runtimes show the whole address in causes. The query of a redirect may be a signature.
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

/** The error for an answer that is no success, with all that is known of an HTTP error. */
function registryError(
  response: Response,
  text: string,
  url: URL,
  { what, advice }: Wanted,
): PullError {
  const { status, statusText } = response;
  const error = httpError(response, text);
  const words = errorWords(typeof error.body === "string" ? undefined : error.body) ?? text;
  const parts = [`HTTP ${status} ${statusText}`.trimEnd(), ...(words === "" ? [] : [quote(words)])];
  const hint = advice.has(status) ? `; ${advice.get(status)}` : "";
  const message = `Cannot get ${what} from ${showHost(url)}: ${parts.join(": ")}${hint}`;
  // A registry that has no such model may say so by the status alone.
  const isMissing = advice === ADVICE && status === 404;
  const reason = isMissing ? "model-not-found" : error.reason;
  return PullError.from({ ...error.toJSON(), message, reason }) ?? error;
}

function aboveZero(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Cannot use the ${name} ${value}: it must be above 0`);
}

/** Ends an answer whose body nobody reads. */
function discard({ body }: Response): void {
  if (body) ignoreRejection(body.cancel());
}
