/**
 * The registry that the server pulls from: as much of an OCI registry as the real server uses, with the
 * bytes of every blob, so that a real server can pull from the mock.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { ConfigurationError, show } from "../configuration_error.ts";
import type { SentAction } from "../exchange/actions.ts";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { findLayer, isMeantFor, requireModelAndLayer } from "../faults/faults.ts";
import {
  type Catalog,
  type FoundBlob,
  MANIFEST_MEDIA_TYPE,
  manifestOf,
} from "../models/catalog.ts";
import { type ModelName, parseModelName } from "../models/model_name.ts";
import type { Model } from "../models/models.ts";
import { SEEDED_BLOCK_BYTES, seededBytes } from "../runtime/random.ts";

/** Something that goes wrong when a blob is fetched from the registry. */
export interface LibraryFault {
  /**
   * `corrupt` changes the first byte of the blob, `slow` waits before it answers with a range, `broken`
   * breaks the connection in the middle of a range, and `missing` answers that there is no such blob.
   */
  kind: "corrupt" | "slow" | "broken" | "missing";
  /** The model whose blobs it strikes. @default all models */
  model?: string | undefined;
  /** The layer: its position, counted from 0 (the config is the last one). @default all layers */
  layer?: number | undefined;
  /** How many requests it strikes, from the first on. @default all requests */
  times?: number | undefined;
  /** For `slow`: the wait in milliseconds. @default {5000} */
  ms?: number | undefined;
}

/** Options of the registry. */
export interface LibraryOptions {
  /** Whether requests need a token, which the token endpoint gives to anybody. @default {false} */
  requireToken?: boolean | undefined;
  /**
   * The bandwidth of each connection on which a blob is fetched, in bytes per second.
   *
   * @default {Infinity}
   */
  bytesPerSecond?: number | undefined;
  /** What goes wrong. */
  faults?: readonly LibraryFault[] | undefined;
}

type MockContext = Context<MockEnvironment>;

const TOKEN = "mock-token";
const CHUNK_BYTES = SEEDED_BLOCK_BYTES;
const DEFAULT_SLOW_MS = 5_000;
const FAULT_KINDS: readonly LibraryFault["kind"][] = ["corrupt", "slow", "broken", "missing"];

/** Checks the options of a registry that offers some models. */
export function checkLibraryOptions(
  { faults = [], bytesPerSecond = Infinity }: LibraryOptions,
  models: readonly Model[],
): void {
  if (!(bytesPerSecond > 0)) {
    throw new ConfigurationError(
      `Cannot use the library.bytesPerSecond ${show(bytesPerSecond)}: it must be a number above 0`,
    );
  }
  for (const fault of faults) checkLibraryFault(fault, models);
}

function checkLibraryFault(fault: LibraryFault, models: readonly Model[]): void {
  const { kind, model, layer, times = 1, ms = 0 } = fault;
  if (!FAULT_KINDS.includes(kind)) {
    throw new ConfigurationError(
      `Cannot use the registry fault ${show(kind)}: it must be one of ${FAULT_KINDS.join(", ")}`,
    );
  }
  const name = `registry fault "${kind}"`;
  if (!(Number.isSafeInteger(times) && times > 0)) {
    throw new ConfigurationError(
      `Cannot use the times ${show(times)} of the ${name}: it must be a whole number above 0`,
    );
  }
  if (!(ms >= 0)) {
    throw new ConfigurationError(
      `Cannot use the ms ${show(ms)} of the ${name}: it must be a number, 0 or more`,
    );
  }
  requireModelAndLayer(name, { model, layer }, models);
}

/** The endpoints of the registry. */
export class Library {
  readonly #catalog: () => Catalog;
  readonly #requireToken: boolean;
  readonly #bytesPerSecond: number;
  readonly #faults: { readonly fault: LibraryFault; left: number }[];

  constructor(catalog: () => Catalog, options: LibraryOptions) {
    this.#catalog = catalog;
    this.#requireToken = options.requireToken ?? false;
    this.#bytesPerSecond = options.bytesPerSecond ?? Infinity;
    const faults = options.faults ?? [];
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? Infinity }));
  }

  /** Adds the endpoints to an app. */
  register(app: Hono<MockEnvironment>): void {
    app.get("/token", (context) => context.json({ token: TOKEN, access_token: TOKEN }));
    app.use("/v2/*", async (context, next) => {
      if (!this.#requireToken || context.req.header("Authorization") === `Bearer ${TOKEN}`) {
        return await next();
      }
      return this.#challenge(context);
    });
    app.get("/v2/", (context) => context.json({}));
    app.get("/v2/:namespace/:model/manifests/:tag", (context) => this.#manifest(context));
    app.get("/v2/:namespace/:model/blobs/:digest", (context) => this.#redirect(context));
    // As in the real registry, blobs are at another path and host name, where no token is needed.
    app.get("/blobs/:digest", (context) => this.#blob(context));
  }

  /** Lets every fault strike again. */
  reset(): void {
    for (const each of this.#faults) each.left = each.fault.times ?? Infinity;
  }

  #challenge(context: MockContext): Response {
    const { origin, pathname } = new URL(context.req.url);
    const [, , namespace = "", model = ""] = pathname.split("/");
    const scope = `repository:${namespace}/${model}:pull`;
    const challenge = `Bearer realm="${origin}/token",service="mock",scope="${scope}"`;
    return context.json(errorBody("UNAUTHORIZED"), 401, { "WWW-Authenticate": challenge });
  }

  async #manifest(context: MockContext): Promise<Response> {
    const { namespace, model, tag } = context.req.param() as Record<string, string>;
    const name = parseModelName(`${namespace}/${model}:${tag}`);
    const found = name && await this.#find(name, new URL(context.req.url).host);
    if (!found) return context.json(errorBody("MANIFEST_UNKNOWN"), 404);
    return context.body(JSON.stringify(manifestOf(found)), 200, {
      "Content-Type": MANIFEST_MEDIA_TYPE,
    });
  }

  /** Finds a model. A server asks with the registry's host, which the model's name may lack. */
  async #find(name: ModelName, host: string): Promise<Model | undefined> {
    const { namespace, model, tag } = name;
    const withHost = parseModelName(`${host}/${namespace}/${model}:${tag}`);
    return await this.#catalog().find(name) ?? (withHost && await this.#catalog().find(withHost));
  }

  /** Observed: the server needs a redirect to another host name, from which it fetches ranges. */
  async #redirect(context: MockContext): Promise<Response> {
    const found = await this.#catalog().findBlob(context.req.param("digest") ?? "");
    if (!found || this.#strike("missing", found)) {
      return context.json(errorBody("BLOB_UNKNOWN"), 404);
    }
    const { digest, size } = found.blob;
    if (context.req.method === "HEAD") {
      return new Response(null, { headers: { "Content-Length": String(size) } });
    }
    return context.redirect(otherHost(new URL(`/blobs/${digest}`, context.req.url)).href, 307);
  }

  async #blob(context: MockContext): Promise<Response> {
    const { exchange } = context.env;
    const found = await this.#catalog().findBlob(context.req.param("digest") ?? "");
    if (!found) return context.json(errorBody("BLOB_UNKNOWN"), 404);
    const { size } = found.blob;
    const range = parseRange(context.req.header("Range"), size);
    if (range === "unsatisfiable") {
      return context.body(null, 416, { "Content-Range": `bytes */${size}` });
    }
    const slow = this.#strike("slow", found);
    if (slow) await exchange.sleep(slow.ms ?? DEFAULT_SLOW_MS);
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
      // Ends at the boundary of a block, since seeded bytes are made in blocks.
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

  #strike(kind: LibraryFault["kind"], { model, blob }: FoundBlob): LibraryFault | undefined {
    const due = this.#faults.find(({ fault, left }) =>
      fault.kind === kind && left > 0 && isMeantFor(fault, model.name) &&
      (fault.layer === undefined || findLayer(model, fault.layer)?.digest === blob.digest)
    );
    if (due) due.left--;
    return due?.fault;
  }
}

function errorBody(code: string) {
  return { errors: [{ code, message: code.toLowerCase().replace("_", " ") }] };
}

/** The same address with another host name of this machine. Other addresses stay as they are. */
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
