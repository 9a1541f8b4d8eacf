/**
 * Requests to a registry, with a token if the registry wants one.
 *
 *     get ──▶ send ── 401? ──▶ token server ──▶ send again ──▶ read ──▶ RegistryAnswer
 *
 * @module
 */

import { PullError, type PullErrorReason } from "../errors.ts";
import { showHost } from "../host.ts";
import { Client, type ClientOptions, discard } from "./client.ts";
import type { FetchManifestOptions } from "./manifest_options.ts";
import { endpointOf } from "./request.ts";
import { type Challenge, findChallenge, readToken, tokenAddress } from "./token.ts";

/** What a registry answers. */
export interface RegistryAnswer {
  /** The address that answered, at the end of all redirects. */
  readonly url: URL;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const LATER = "wait before you ask again";

const ADVICE: ReadonlyMap<number, string> = new Map([
  [401, "the model may not exist, or may need credentials, which go into headers"],
  [403, "the model may not exist, or may need other credentials"],
  [404, "check the name and the tag"],
  [429, LATER],
]);

/** A registry that has no such model may say so by the status alone. */
const REASONS: ReadonlyMap<number, PullErrorReason> = new Map([[404, "model-not-found"]]);

const TOKEN_ADVICE: ReadonlyMap<number, string> = new Map([
  [401, "if you have credentials, get a token with them and give it in headers"],
  [403, "if you have credentials, get a token with them and give it in headers"],
  [429, LATER],
]);

/** A client of one registry, for one piece of work. */
export class RegistryClient {
  readonly #registry: URL;
  readonly #client: Client;
  /** The tokens, by the origin that wants them. */
  readonly #tokens = new Map<string, string>();

  /**
   * @param registry The address of the registry.
   * @param options How to reach it.
   * @throws {TypeError} If a header cannot be sent.
   * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
   */
  constructor(registry: URL, options: FetchManifestOptions) {
    this.#registry = registry;
    // It makes no requests but such as the options speak of.
    this.#client = new Client(registry, { ...options as ClientOptions, addressOption: "registry" });
  }

  /** Does some work with this client: see {@link Client.run}. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#client.run(work);
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
    const answer = await this.#client.follow(address, (url) => this.#sendWithToken(url, accept));
    const bytes = await this.#client.read(answer, { what, advice: ADVICE, reasons: REASONS });
    return { url: answer.url, headers: answer.response.headers, bytes };
  }

  /** Makes a request, and makes it again with a token if that is wanted. */
  async #sendWithToken(url: URL, accept: string): Promise<Response> {
    const { origin } = url;
    const send = () => this.#client.send(url, { accept, token: this.#tokens.get(origin) });
    const response = await send();
    if (response.status !== 401 || this.#tokens.has(origin)) return response;
    const challenge = findChallenge(response.headers.get("www-authenticate"));
    if (!challenge) return response;
    discard(response);
    this.#tokens.set(origin, await this.#getToken(challenge, url));
    return await send();
  }

  async #getToken(challenge: Challenge, registry: URL): Promise<string> {
    const client = this.#client;
    const address = tokenAddress(challenge, registry, client.allowsHttp);
    const what = `a token for ${registry.origin}`;
    const answer = await client.follow(
      address,
      (url) =>
        client.send(url, { accept: "application/json", token: this.#tokens.get(url.origin) }),
    );
    const bytes = await client.read(answer, { what, advice: TOKEN_ADVICE });
    const token = readToken(new TextDecoder().decode(bytes));
    if (token !== undefined) return token;
    // Without an excerpt, which might show a part of a token.
    throw new PullError(
      "malformed",
      `Cannot get ${what}: the answer of ${showHost(answer.url)} is no JSON object with a token`,
    );
  }
}
