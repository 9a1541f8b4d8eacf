/**
 * What a server has, as far as it says: its list of models, and the blobs of a model.
 *
 *     GET /api/tags ──▶ ListedModel      POST /api/show ──▶ digests      HEAD /api/blobs/… ──▶ yes or no
 *
 * @module
 */

import { DIGEST_PREFIX } from "../digest.ts";
import { PullError } from "../errors.ts";
import { titleOfPage } from "../error_words.ts";
import { parseHost, showHost } from "../host.ts";
import { isSameModel, parseModelName } from "../model_name.ts";
import { isJsonObject } from "../ndjson.ts";
import { isByteCount } from "../status.ts";
import { quote } from "../text.ts";
import { Client, type ClientAnswer, type ClientOptions, type ClientRequest } from "./client.ts";
import type { ModelStateOptions } from "./model_state_options.ts";
import { endpointOf } from "./request.ts";

/** A model that a server has. */
export interface ListedModel {
  /** Its name, as the server lists it. */
  readonly name: string;
  /** The digest of its manifest, with its prefix, if the server gives one. */
  readonly digest: string | undefined;
  /** The size of all layers in bytes, if the server gives it. */
  readonly size: number | undefined;
  /** The name of the model that it was made from, if it was made from one. */
  readonly parent: string | undefined;
  /** Whether it runs in the cloud, not on the server. */
  readonly isCloud: boolean;
}

const JSON_TYPE = "application/json";

/** A server that supports {@link ServerClient.hasBlob} answers 400 to this digest (observed). */
const INVALID_DIGEST = `${DIGEST_PREFIX}x`;

/**
 * The files that a Modelfile names, by their digests: `sha256-…`, in the first versions `sha256:…`
 * (observed). Paths of Windows have backslashes.
 */
const BLOB = /^(?:FROM|ADAPTER|DRAFT) .*[\\/]blobs[\\/]sha256[:-]([0-9a-f]{64})"?\r?$/gm;

/** A client of one server, for one task. */
export class ServerClient {
  readonly #host: URL;
  readonly #path: string;
  readonly #client: Client;
  #tellsOfBlobs: boolean | undefined;

  /**
   * @param options Where the server is, and how to reach it.
   * @throws {TypeError} If the host or a header cannot be used.
   * @throws {RangeError} If `timeoutMs` or `maxBytes` is not above 0.
   */
  constructor(options: ModelStateOptions) {
    const { host = "", path = "", headers, fetch, signal, timeoutMs, maxBytes, sleep } = options;
    this.#host = parseHost(host);
    this.#path = path;
    this.#client = new Client(this.#host, {
      headers,
      fetch: fetch as ClientOptions["fetch"], // this class makes only the requests of `ModelStateRequestInit`
      signal,
      timeoutMs,
      maxBytes,
      sleep,
      addressOption: "host",
    });
  }

  /** Runs a task with this client: see {@link Client.run}. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#client.run(work);
  }

  /**
   * The models that the server lists.
   *
   * @throws {PullError} `http`, `network`, `stalled`, or `malformed` if the answer is not a list.
   */
  async models(): Promise<readonly ListedModel[]> {
    const answer = await this.#send("tags", { accept: JSON_TYPE });
    const bytes = await this.#client.read(answer, { what: "the list of models" });
    const text = new TextDecoder().decode(bytes);
    const list = readList(text);
    if (list) return list;
    const title = titleOfPage(text);
    const what = title === undefined
      ? quote(text)
      : title === ""
      ? "a page without a title"
      : `a page titled ${quote(title)}`;
    throw new PullError(
      "malformed",
      `The answer of ${showHost(answer.url)} is not a list of models, but ${what}`,
      { status: answer.response.status, reason: "wrong-address", retryable: false },
    );
  }

  /** The model with this name, if the server lists it. */
  async find(model: string): Promise<ListedModel | undefined> {
    return (await this.models()).find(({ name }) => isSameModel(name, model));
  }

  /** The digests of the blobs that the server names for a model; empty if it names none. */
  async shownBlobs(model: string): Promise<readonly string[]> {
    const body = JSON.stringify({ model, name: model });
    try {
      const answer = await this.#send("show", { method: "POST", accept: JSON_TYPE, body });
      const bytes = await this.#client.read(answer, { what: `what ${quote(model)} consists of` });
      const { modelfile } = JSON.parse(new TextDecoder().decode(bytes)) as { modelfile?: unknown };
      return Array.from(String(modelfile).matchAll(BLOB), ([, digits]) => DIGEST_PREFIX + digits);
    } catch (error) {
      // A gateway may lack this endpoint, so ignore a permanent HTTP error. Any other failure counts.
      if (error instanceof PullError && (error.code !== "http" || error.retryable)) throw error;
      if (error instanceof PullError || error instanceof SyntaxError) return [];
      throw error;
    }
  }

  /**
   * Whether the server has a blob, of any model; `undefined` if it does not say. A gateway may answer 404
   * to every digest, so the answer counts only if the server rejects an invalid digest (observed: since
   * about v0.1.18).
   */
  async hasBlob(digest: string): Promise<boolean | undefined> {
    this.#tellsOfBlobs ??= await this.#statusOfBlob(INVALID_DIGEST) === 400;
    if (!this.#tellsOfBlobs) return undefined;
    const status = await this.#statusOfBlob(digest);
    return status === 200 ? true : status === 404 ? false : undefined;
  }

  async #statusOfBlob(digest: string): Promise<number> {
    const { response } = await this.#send("blobs", { method: "HEAD", accept: "*/*" }, `/${digest}`);
    return response.status;
  }

  #send(endpoint: string, request: ClientRequest, more = ""): Promise<ClientAnswer> {
    const beside = this.#path.replace(/\/api\/pull(?![^/])/, `/api/${endpoint}`);
    const path = beside === this.#path ? `/api/${endpoint}` : beside;
    const address = endpointOf(this.#host, path + more);
    return this.#client.follow(address, (url) => this.#client.send(url, request));
  }
}

/** Reads a list of models, or returns `undefined` if it is not one. */
function readList(text: string): ListedModel[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const models = isJsonObject(value) && "models" in value ? value.models ?? [] : undefined; // Go's empty list
  if (!Array.isArray(models)) return undefined;
  return models.filter(isJsonObject).flatMap((entry) => {
    const name = textOf(entry.model) ?? textOf(entry.name);
    return name === undefined ? [] : [listedModel(name, entry)];
  });
}

function listedModel(name: string, entry: Readonly<Record<string, unknown>>): ListedModel {
  const { size, remote_host, details } = entry;
  const digest = textOf(entry.digest)?.toLowerCase();
  return {
    name,
    digest: digest === undefined || digest.includes(":") ? digest : DIGEST_PREFIX + digest,
    size: isByteCount(size) ? size : undefined,
    parent: isJsonObject(details) ? textOf(details.parent_model) : undefined,
    isCloud: textOf(remote_host) !== undefined || hasCloudName(name),
  };
}

function hasCloudName(name: string): boolean {
  try {
    return parseModelName(name).source === "cloud";
  } catch {
    return false; // other servers may list any name
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
