/**
 * Requests to a registry, with a token if it requires one.
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

/** The answer of a registry. */
export interface RegistryAnswer {
  /** The address that answered, after all redirects. */
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

/** A registry without the model may say so by the status alone. */
const REASONS: ReadonlyMap<number, PullErrorReason> = new Map([[404, "model-not-found"]]);

const TOKEN_ADVICE: ReadonlyMap<number, string> = new Map([
  [401, "if you have credentials, get a token with them and give it in headers"],
  [403, "if you have credentials, get a token with them and give it in headers"],
  [429, LATER],
]);

/** A client of one registry, for one task. */
export class RegistryClient {
  readonly #registry: URL;
  readonly #client: Client;
  /** The tokens, by the origin that requires them. */
  readonly #tokens = new Map<string, string>();

  /**
   * @param registry The address of the registry.
   * @param options How to reach it.
   * @throws {TypeError} If a header cannot be sent.
   * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
   */
  constructor(registry: URL, options: FetchManifestOptions) {
    this.#registry = registry;
    // This class makes only the requests of `ManifestRequestInit`.
    this.#client = new Client(registry, { ...options as ClientOptions, addressOption: "registry" });
  }

  /** Runs a task with this client: see {@link Client.run}. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#client.run(work);
  }

  /**
   * Gets a document from the registry.
   *
   * @param path Its path, which is appended to the path of the registry's address.
   * @param accept The media types that the caller accepts.
   * @param what What the document is, for messages.
   * @throws {PullError} `http`, `network`, `stalled` or `malformed`.
   */
  async get(path: string, accept: string, what: string): Promise<RegistryAnswer> {
    const address = endpointOf(this.#registry, path);
    const answer = await this.#client.follow(address, (url) => this.#sendWithToken(url, accept));
    const bytes = await this.#client.read(answer, { what, advice: ADVICE, reasons: REASONS });
    return { url: answer.url, headers: answer.response.headers, bytes };
  }

  /** Makes a request, and repeats it with a token if the registry requires one. */
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
    // No excerpt: it might contain part of a token.
    throw new PullError(
      "malformed",
      `Cannot get ${what}: the answer of ${showHost(answer.url)} is not a JSON object with a token`,
    );
  }
}
