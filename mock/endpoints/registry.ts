/**
 * The registry that the server pulls from: the parts of an OCI registry that the real server uses. It serves
 * the bytes of every blob, so a real server can pull from the mock.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { ConfigurationError, show } from "../configuration_error.ts";
import type { SentAction } from "../exchange/actions.ts";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { findLayer } from "../faults/points.ts";
import { isMeantFor } from "../faults/targets.ts";
import type { Catalog, FoundBlob } from "../models/catalog.ts";
import {
  attestationDocument,
  INDEX_MEDIA_TYPE,
  indexDocument,
  manifestDocument,
  type RegistryDocument,
} from "../models/manifests.ts";
import { parseModelName } from "../models/model_name.ts";
import type { Model } from "../models/models.ts";
import { SEEDED_BLOCK_BYTES, seededBytes } from "../runtime/random.ts";
import {
  checkRegistryFault,
  type RegistryFault,
  RegistryFaults,
  type RegistryTarget,
} from "./registry_faults.ts";

/** Options of the registry. */
export interface RegistryOptions {
  /** Whether requests need a token, which the token endpoint gives to everybody. @default {false} */
  requireToken?: boolean | undefined;
  /**
   * Whether a tag leads to an index of several manifests, of which one is the model's. Clients that do not
   * accept an index (`Accept`) get the model's manifest directly.
   *
   * @default {false}
   */
  serveIndex?: boolean | undefined;
  /**
   * The bandwidth of each connection that fetches a blob, in bytes per second.
   *
   * @default {Infinity}
   */
  bytesPerSecond?: number | undefined;
  /** What goes wrong. */
  faults?: readonly RegistryFault[] | undefined;
}

type MockContext = Context<MockEnvironment>;

const TOKEN = "mock-token";
const CHUNK_BYTES = SEEDED_BLOCK_BYTES;
const DEFAULT_SLOW_MS = 5_000;
const DEFAULT_MALFORMED_TEXT = '{"schemaVersion":2,';
const DEFAULT_OVERSIZED_BYTES = 8 * 1024 * 1024;
const JSON_ONLY = { "Content-Type": "application/json" };
const PAGE = "<!DOCTYPE html>\n<title>Log in</title>\n<p>Log in to use this network.</p>\n";

/** The registry's message for each status, as in the OCI distribution specification. */
const ERROR_CODES: ReadonlyMap<number, string> = new Map([
  [401, "UNAUTHORIZED"],
  [403, "DENIED"],
  [404, "NAME_UNKNOWN"],
  [429, "TOOMANYREQUESTS"],
]);

/** Checks the options of a registry with these models. */
export function checkRegistryOptions(
  { faults = [], bytesPerSecond = Infinity }: RegistryOptions,
  models: readonly Model[],
): void {
  if (!(bytesPerSecond > 0)) {
    throw new ConfigurationError(
      `Cannot use the registry.bytesPerSecond ${show(bytesPerSecond)}: it must be a number above 0`,
    );
  }
  for (const fault of faults) checkRegistryFault(fault, models);
}

/** Whether a fault applies to the requested item. */
type IsMeant = (fault: RegistryFault) => boolean;

/** The endpoints of the registry. */
export class RegistryEndpoints {
  readonly #catalog: Catalog;
  readonly #requireToken: boolean;
  readonly #serveIndex: boolean;
  readonly #bytesPerSecond: number;
  readonly #faults: RegistryFaults;

  constructor(catalog: Catalog, options: RegistryOptions) {
    this.#catalog = catalog;
    this.#requireToken = options.requireToken ?? false;
    this.#serveIndex = options.serveIndex ?? false;
    this.#bytesPerSecond = options.bytesPerSecond ?? Infinity;
    this.#faults = new RegistryFaults(options.faults ?? []);
  }

  /** Adds the endpoints to an app. */
  register(app: Hono<MockEnvironment>): void {
    app.get("/token", (context) => this.#token(context));
    app.use("/v2/*", async (context, next) => {
      if (!this.#requireToken || context.req.header("Authorization") === `Bearer ${TOKEN}`) {
        return await next();
      }
      return this.#challenge(context);
    });
    app.get("/v2/", (context) => context.json({}));
    app.get("/v2/:namespace/:model/manifests/:reference", (context) => this.#manifest(context));
    app.get("/v2/:namespace/:model/blobs/:digest", (context) => this.#redirect(context));
    // As in the real registry, blobs are at another path and host name, where no token is needed.
    app.get("/blobs/:digest", (context) => this.#blob(context));
  }

  #challenge(context: MockContext): Response {
    const { origin, pathname } = new URL(context.req.url);
    const [, , namespace = "", model = ""] = pathname.split("/");
    const repository = `${namespace}/${model}`;
    const details = `service="mock",scope="repository:${repository}:pull"`;
    const challenge = this.#faults.strike("no-realm", "token", isMeantForRepository(repository))
      ? `Bearer ${details}`
      : `Bearer realm="${origin}/token",${details}`;
    return context.json(errorBody("UNAUTHORIZED"), 401, { "WWW-Authenticate": challenge });
  }

  async #token(context: MockContext): Promise<Response> {
    const [, repository = ""] = (context.req.query("scope") ?? "").split(":");
    const bytes = new TextEncoder().encode(JSON.stringify({ token: TOKEN, access_token: TOKEN }));
    return await this.#answer(context, "token", isMeantForRepository(repository), bytes, JSON_ONLY);
  }

  async #manifest(context: MockContext): Promise<Response> {
    const found = await this.#findDocument(context);
    if (!found) return context.json(errorBody("MANIFEST_UNKNOWN"), 404);
    const { model, document: { mediaType, bytes, digest } } = found;
    const headers = { "Content-Type": mediaType, "Docker-Content-Digest": digest };
    const isMeant: IsMeant = (fault) => isMeantFor(fault, model.name);
    return await this.#answer(context, "manifest", isMeant, bytes, headers);
  }

  /** Finds what a tag or a digest refers to. */
  async #findDocument(
    context: MockContext,
  ): Promise<{ model: Model; document: RegistryDocument } | undefined> {
    const { namespace, model: base, reference = "" } = context.req.param() as Record<
      string,
      string
    >;
    const repository = `${namespace}/${base}`;
    if (reference.startsWith("sha256:")) return await this.#findByDigest(repository, reference);
    const model = await this.#findByTag(repository, reference, new URL(context.req.url).host);
    if (!model) return undefined;
    const takesIndex = context.req.header("Accept")?.includes(INDEX_MEDIA_TYPE) ?? false;
    const document = this.#serveIndex && takesIndex
      ? indexDocument(model)
      : manifestDocument(model);
    return { model, document };
  }

  /**
   * Finds a model. The mock stands in for every registry, so the model's name may contain the host name of
   * this request, none, or any other.
   */
  async #findByTag(repository: string, tag: string, host: string): Promise<Model | undefined> {
    const catalog = this.#catalog;
    for (const name of [`${host}/${repository}:${tag}`, `${repository}:${tag}`]) {
      const parsed = parseModelName(name);
      const model = parsed && await catalog.findOffered(parsed);
      if (model) return model;
    }
    const models = await catalog.offered();
    const elsewhere = models.find(({ name }) =>
      isRepositoryOf(name, repository) && name.tag.toLowerCase() === tag.toLowerCase()
    );
    const name = parseModelName(`${repository}:${tag}`);
    return elsewhere ?? (name && await catalog.find(name));
  }

  async #findByDigest(
    repository: string,
    digest: string,
  ): Promise<{ model: Model; document: RegistryDocument } | undefined> {
    for (const model of await this.#catalog.offered()) {
      if (!isRepositoryOf(model.name, repository)) continue;
      for (const toDocument of [manifestDocument, attestationDocument, indexDocument]) {
        const document = toDocument(model);
        if (document.digest === digest) return { model, document };
      }
    }
    return undefined;
  }

  /** Answers with JSON, unless a fault strikes. */
  async #answer(
    context: MockContext,
    target: RegistryTarget,
    isMeant: IsMeant,
    bytes: Uint8Array<ArrayBuffer>,
    headers: Record<string, string>,
  ): Promise<Response> {
    const { exchange } = context.env;
    const strike = (kind: RegistryFault["kind"]) => this.#faults.strike(kind, target, isMeant);
    const slow = strike("slow");
    if (slow) await exchange.wait({ ms: slow.ms ?? DEFAULT_SLOW_MS });
    if (strike("missing")) return context.json(errorBody("MANIFEST_UNKNOWN"), 404);
    const error = strike("http-error");
    if (error) return answerError(error);
    const page = strike("html");
    if (page) {
      const init = { status: page.status ?? 200, headers: { "Content-Type": "text/html" } };
      return new Response(PAGE, init);
    }
    if (strike("redirect")) return context.redirect(otherHost(new URL(context.req.url)).href, 307);

    const malformed = strike("malformed");
    if (malformed) {
      return new Response(malformed.text ?? DEFAULT_MALFORMED_TEXT, { headers: JSON_ONLY });
    }

    const oversized = strike("oversized");
    const corrupt = strike("corrupt");
    const length = oversized ? oversized.bytes ?? DEFAULT_OVERSIZED_BYTES : bytes.length;
    const body = pad(bytes, corrupt ? length + 1 : length);
    if (!strike("broken")) return new Response(body, { headers });
    const half = body.slice(0, Math.floor(body.length / 2));
    const actions: SentAction[] = [{ do: "send", bytes: half }, { do: "reset" }];
    return new Response(exchange.stream(actions.values()), { headers });
  }

  /** Observed: the server needs a redirect to another host name, from which it then fetches ranges. */
  async #redirect(context: MockContext): Promise<Response> {
    const found = await this.#catalog.findBlob(context.req.param("digest") ?? "");
    if (!found || this.#strike("missing", found)) {
      return context.json(errorBody("BLOB_UNKNOWN"), 404);
    }
    const error = this.#strike("http-error", found);
    if (error) return answerError(error);
    const { digest, size } = found.blob;
    if (context.req.method === "HEAD") {
      return new Response(null, { headers: { "Content-Length": String(size) } });
    }
    return context.redirect(otherHost(new URL(`/blobs/${digest}`, context.req.url)).href, 307);
  }

  async #blob(context: MockContext): Promise<Response> {
    const { exchange } = context.env;
    const found = await this.#catalog.findBlob(context.req.param("digest") ?? "");
    if (!found) return context.json(errorBody("BLOB_UNKNOWN"), 404);
    const { size } = found.blob;
    const range = parseRange(context.req.header("Range"), size);
    if (range === "unsatisfiable") {
      return context.body(null, 416, { "Content-Range": `bytes */${size}` });
    }
    const slow = this.#strike("slow", found);
    if (slow) await exchange.wait({ ms: slow.ms ?? DEFAULT_SLOW_MS });
    const [start, end] = range ?? [0, size];
    const headers = {
      "Accept-Ranges": "bytes",
      "Content-Type": "application/octet-stream",
      "Content-Length": String(end - start),
      // Observed: without a redirect to another host name, the server uses this address instead.
      ...(range ? { "Content-Range": `bytes ${start}-${end - 1}/${size}` } : {
        "Location": context.req.url,
      }),
    };
    const init = { status: range ? 206 : 200, headers };
    if (context.req.method === "HEAD") return new Response(null, init);
    return new Response(exchange.stream(this.#bytes(found, start, end)), init);
  }

  *#bytes(found: FoundBlob, start: number, end: number): Generator<SentAction, void, void> {
    const { key } = found.blob;
    const isCorrupt = start === 0 && this.#strike("corrupt", found) !== undefined;
    const isBroken = this.#strike("broken", found) !== undefined;
    const stop = isBroken ? start + Math.floor((end - start) / 2) : end;
    for (let offset = start; offset < stop;) {
      // Stop at a block boundary, because seeded bytes are made in blocks.
      const next = Math.min((Math.floor(offset / CHUNK_BYTES) + 1) * CHUNK_BYTES, stop);
      const bytes = seededBytes(key, offset, next);
      if (isCorrupt && offset === 0) bytes[0]! ^= 0xff;
      if (this.#bytesPerSecond < Infinity) {
        yield { do: "wait", ms: bytes.length / this.#bytesPerSecond * 1000 };
      }
      yield { do: "send", bytes };
      offset = next;
    }
    if (isBroken) yield { do: "reset" };
  }

  #strike(kind: RegistryFault["kind"], { model, blob }: FoundBlob): RegistryFault | undefined {
    return this.#faults.strike(kind, "blob", (fault) =>
      isMeantFor(fault, model.name) &&
      (fault.layer === undefined || findLayer(model, fault.layer)?.digest === blob.digest));
  }
}

/** Whether a repository, as named in a request path, belongs to a model. */
function isRepositoryOf({ namespace, model }: Model["name"], repository: string): boolean {
  return `${namespace}/${model}`.toLowerCase() === repository.toLowerCase();
}

/** Which faults apply to a repository, if the tag is unknown. */
function isMeantForRepository(repository: string): IsMeant {
  return ({ model }) => {
    const name = model === undefined ? undefined : parseModelName(model);
    return name === undefined || isRepositoryOf(name, repository);
  };
}

function answerError({ status = 500, message, retryAfterSeconds }: RegistryFault): Response {
  const headers = new Headers({ "Content-Type": "application/json" });
  if (retryAfterSeconds !== undefined) headers.set("Retry-After", String(retryAfterSeconds));
  const body = errorBody(ERROR_CODES.get(status) ?? "UNKNOWN", message);
  return new Response(JSON.stringify(body), { status, headers });
}

function errorBody(code: string, message = code.toLowerCase().replace("_", " ")) {
  return { errors: [{ code, message }] };
}

/** JSON padded with spaces to a length. */
function pad(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.max(length, bytes.length)).fill(0x20);
  padded.set(bytes);
  return padded;
}

/** The same address with another host name of this machine. Other addresses are unchanged. */
function otherHost(url: URL): URL {
  if (url.hostname === "localhost") url.hostname = "127.0.0.1";
  else if (url.hostname.startsWith("127.") || url.hostname === "[::1]") url.hostname = "localhost";
  return url;
}

/**
 * Start (inclusive) and end (exclusive) of the requested range. `undefined` means to send the whole
 * blob: the header is absent or malformed, or asks for several ranges.
 */
function parseRange(
  header: string | undefined,
  size: number,
): [number, number] | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  return start < end ? [start, end] : "unsatisfiable";
}
