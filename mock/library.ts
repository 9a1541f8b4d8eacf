/**
 * The library behind the server: an OCI registry, as far as the real server asks it for things, with
 * the bytes of every blob, so that a real server can pull from the mock.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { type Catalog, MANIFEST_MEDIA_TYPE, manifestOf } from "./catalog.ts";
import { type Clock, joinClock } from "./clock.ts";
import { ConfigurationError } from "./configuration_error.ts";
import { type ModelName, parseModelName } from "./model_name.ts";
import type { Blob } from "./models.ts";
import { seededBytes } from "./random.ts";
import type { MockEnvironment } from "./request_log.ts";

/** Something that goes wrong when a blob is fetched from the library. */
export interface LibraryFault {
  /**
   * `corrupt` changes the first byte of the blob, `slow` waits before it answers with a range, and
   * `broken` breaks the connection in the middle of a range.
   */
  kind: "corrupt" | "slow" | "broken";
  /** The digest of the blob. All blobs, unless told. */
  digest?: string;
  /** How many requests it strikes, from the first on. All of them, unless told. */
  times?: number;
  /** For `slow`: the wait in milliseconds. @default {5000} */
  ms?: number;
}

/** Options of the library. */
export interface LibraryOptions {
  /** Whether it wants a token, which its token endpoint gives to anybody. @default {false} */
  requireToken?: boolean;
  /** What goes wrong. */
  faults?: readonly LibraryFault[];
}

const TOKEN = "mock-token";
const CHUNK_BYTES = 256 * 1024;

/** Checks the options of a library. */
export function checkLibraryOptions({ faults = [] }: LibraryOptions): void {
  for (const { kind } of faults) {
    if (kind === "corrupt" || kind === "slow" || kind === "broken") continue;
    throw new ConfigurationError(
      `There is no library fault ${JSON.stringify(kind)}; there are corrupt, slow, broken`,
    );
  }
}

/** The endpoints of the library. */
export class Library {
  readonly #catalog: () => Catalog;
  readonly #clock: () => Clock;
  readonly #requireToken: boolean;
  readonly #faults: { readonly fault: LibraryFault; left: number }[];

  constructor(catalog: () => Catalog, clock: () => Clock, options: LibraryOptions) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#requireToken = options.requireToken ?? false;
    this.#faults = (options.faults ?? []).map((fault) => ({
      fault,
      left: fault.times ?? Infinity,
    }));
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
    // Another path and host name than the one above, as with the real library: no token is wanted.
    app.get("/blobs/:digest", (context) => this.#blob(context));
  }

  #challenge(context: Context): Response {
    const { origin, pathname } = new URL(context.req.url);
    const [, , namespace, model] = pathname.split("/");
    const scope = `repository:${namespace}/${model}:pull`;
    const challenge = `Bearer realm="${origin}/token",service="mock",scope="${scope}"`;
    return context.json(errorBody("UNAUTHORIZED"), 401, { "WWW-Authenticate": challenge });
  }

  async #manifest(context: Context): Promise<Response> {
    const { namespace, model, tag } = context.req.param() as Record<string, string>;
    const name = parseModelName(`${namespace}/${model}:${tag}`);
    const found = name && await this.#find(name, new URL(context.req.url).host);
    if (!found) return context.json(errorBody("MANIFEST_UNKNOWN"), 404);
    return context.body(JSON.stringify(manifestOf(found)), 200, {
      "Content-Type": MANIFEST_MEDIA_TYPE,
    });
  }

  /** A server asks for a model by the library's address, which its name in the mock may not have. */
  async #find(name: ModelName, host: string) {
    return await this.#catalog().find(name) ?? await this.#catalog().find({ ...name, host });
  }

  /** Observed: the server wants to be sent to another host name, and asks that one for ranges. */
  async #redirect(context: Context): Promise<Response> {
    const blob = await this.#catalog().findBlob(context.req.param("digest") ?? "");
    if (!blob) return context.json(errorBody("BLOB_UNKNOWN"), 404);
    if (context.req.method === "HEAD") {
      return new Response(null, { headers: { "Content-Length": String(blob.size) } });
    }
    const url = new URL(`/blobs/${blob.digest}`, context.req.url);
    url.hostname = url.hostname === "localhost" ? "127.0.0.1" : "localhost";
    return context.redirect(url.href, 307);
  }

  async #blob(context: Context<MockEnvironment>): Promise<Response> {
    const blob = await this.#catalog().findBlob(context.req.param("digest") ?? "");
    if (!blob) return context.json(errorBody("BLOB_UNKNOWN"), 404);
    const range = parseRange(context.req.header("Range"), blob.size);
    if (!range) {
      return context.body(null, 416, { "Content-Range": `bytes */${blob.size}` });
    }
    const slow = this.#strike("slow", blob);
    if (slow) {
      const task = joinClock(this.#clock());
      await task.sleep(slow.ms ?? 5_000, context.env.signal).finally(() => task.leave());
    }
    const [start, end] = range;
    const isPart = context.req.header("Range") !== undefined;
    const headers = {
      "Accept-Ranges": "bytes",
      "Content-Type": "application/octet-stream",
      "Content-Length": String(end - start),
      ...(isPart && { "Content-Range": `bytes ${start}-${end - 1}/${blob.size}` }),
    };
    return new Response(this.#bytes(blob, start, end), { status: isPart ? 206 : 200, headers });
  }

  #bytes(blob: Blob, start: number, end: number): ReadableStream<Uint8Array> {
    const isCorrupt = start === 0 && this.#strike("corrupt", blob) !== undefined;
    const breaksAt = this.#strike("broken", blob)
      ? start + Math.floor((end - start) / 2)
      : Infinity;
    let offset = start;
    return new ReadableStream({
      pull(controller) {
        if (offset >= breaksAt) {
          return controller.error(new Error("The library broke the connection"));
        }
        if (offset >= end) return controller.close();
        const next = Math.min(offset + CHUNK_BYTES, end, breaksAt);
        const bytes = seededBytes(blob.key, offset, next);
        if (isCorrupt && offset === 0) bytes[0]! ^= 0xff;
        offset = next;
        controller.enqueue(bytes);
      },
    }, { highWaterMark: 0 });
  }

  #strike(kind: LibraryFault["kind"], blob: Blob): LibraryFault | undefined {
    const due = this.#faults.find(({ fault, left }) =>
      fault.kind === kind && left > 0 && (fault.digest ?? blob.digest) === blob.digest
    );
    if (due) due.left--;
    return due?.fault;
  }
}

function errorBody(code: string) {
  return { errors: [{ code, message: code.toLowerCase().replace("_", " ") }] };
}

/** The first and the last byte but one of a range, or `undefined` for one that cannot be had. */
function parseRange(header: string | undefined, size: number): [number, number] | undefined {
  if (header === undefined) return [0, size];
  const match = /^bytes=(\d+)-(\d*)$/.exec(header);
  if (!match) return undefined;
  const start = Number(match[1]);
  const end = match[2] === "" ? size : Math.min(Number(match[2]) + 1, size);
  return start < end ? [start, end] : undefined;
}
