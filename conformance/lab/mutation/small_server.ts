/**
 * A small correct server, to be broken by mutations: as much of Ollama's server as the rules require,
 * in the plainest code.
 *
 *     request ─▶ route ─▶ readPull ─▶ pull: a generator of objects ─▶ lines, or the last object alone
 *                                       └── Disk: bytes of each layer, and its download with its callers
 *
 * @module
 */

import { type Clock, joinClock } from "../../../mock/clock/clock.ts";
import { InstalledModels, type Layer } from "./installed_models.ts";

/** An object of a pull. */
interface Status {
  readonly status: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}

/** The fields of a request for a pull. */
interface PullOrder {
  readonly name: string;
  readonly isStreamed: boolean;
  readonly isInsecure: boolean;
}

const BYTES_PER_MS = 100_000;
const TICK_MS = 60;

/** Thrown for a refused request. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A download that goes on as long as somebody waits for it. */
interface Download {
  readonly startedAt: number;
  readonly from: number;
  callers: number;
}

/** The layers on the disk of a server, complete or partial. */
class Disk {
  readonly #clock: Clock;
  readonly #bytes = new Map<string, number>();
  readonly #downloads = new Map<string, Download>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many bytes of a layer are there now. */
  bytesOf({ digest, size }: Layer): number {
    const download = this.#downloads.get(digest);
    if (!download) return this.#bytes.get(digest) ?? 0;
    const downloaded = Math.floor((this.#clock.now() - download.startedAt) * BYTES_PER_MS);
    return Math.min(size, download.from + downloaded);
  }

  /** Begins to wait for a layer, and starts its download if necessary. Returns a function that stops waiting. */
  join(layer: Layer): () => void {
    const { digest } = layer;
    const download = this.#downloads.get(digest) ??
      { startedAt: this.#clock.now(), from: this.bytesOf(layer), callers: 0 };
    this.#downloads.set(digest, download);
    download.callers++;
    return () => {
      download.callers--;
      if (download.callers > 0) return;
      this.#bytes.set(digest, this.bytesOf(layer));
      this.#downloads.delete(digest);
    };
  }

  /** How long the rest of a layer takes, in milliseconds. */
  msLeft(layer: Layer): number {
    return (layer.size - this.bytesOf(layer)) / BYTES_PER_MS;
  }

  /** Removes a layer. */
  remove(digest: string): void {
    this.#bytes.delete(digest);
  }
}

/** A small server. */
export class SmallServer {
  /** The models of its registry, by name. */
  readonly registry = new Map<string, readonly Layer[]>();
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #installed = new Map<string, readonly Layer[]>();
  readonly #models: InstalledModels;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#disk = new Disk(clock);
    this.#models = new InstalledModels(this.#installed, (digest) => this.#disk.remove(digest));
  }

  /** Answers a request. */
  async fetch(request: Request): Promise<Response> {
    try {
      return await this.#route(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return Response.json({ error: error.message }, { status: error.status });
    }
  }

  async #route(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "POST /api/pull":
        return await this.#answerPull(await request.text(), request.signal);
      default:
        return await this.#models.answer(request);
    }
  }

  async #answerPull(text: string, signal: AbortSignal): Promise<Response> {
    const order = readPull(text);
    if (order.isStreamed) return this.#answerWithStream(order, signal);
    let last: Status | undefined;
    try {
      for await (const status of this.#pull(order, signal)) last = status;
    } catch (error) {
      throw new Refusal(500, (error as Error).message);
    }
    return Response.json(last);
  }

  #answerWithStream(order: PullOrder, signal: AbortSignal): Response {
    const objects = this.#linesOf(order, signal);
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await objects.next();
        if (done) return controller.close();
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
      },
      async cancel() {
        await objects.return();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
  }

  /** The objects that a pull streams, or an error in place of the remaining ones. */
  async *#linesOf(
    order: PullOrder,
    signal: AbortSignal,
  ): AsyncGenerator<Status | { error: string }, void, void> {
    try {
      yield* this.#pull(order, signal);
    } catch (error) {
      yield { error: (error as Error).message };
    }
  }

  async *#pull(order: PullOrder, signal: AbortSignal): AsyncGenerator<Status, void, void> {
    yield { status: "pulling manifest" };
    const layers = this.#manifestOf(order);
    for (const layer of layers) yield* this.#download(layer, signal);
    yield { status: "verifying sha256 digest" };
    yield { status: "writing manifest" };
    const before = this.#installed.get(order.name) ?? [];
    this.#installed.set(order.name, layers);
    const unused = before.filter(({ digest }) => layers.every((each) => each.digest !== digest));
    for (const { digest } of unused) this.#disk.remove(digest);
    if (unused.length > 0) yield { status: "removing any unused layers" };
    yield { status: "success" };
  }

  #manifestOf({ name, isInsecure }: PullOrder): readonly Layer[] {
    if (name.startsWith("http://")) {
      throw new Error(isInsecure ? "connection refused" : "insecure protocol http");
    }
    const layers = this.registry.get(name);
    if (!layers) throw new Error("pull model manifest: file does not exist");
    return layers;
  }

  /** Downloads the missing part of a layer, and reports the progress at every tick. */
  async *#download(layer: Layer, signal: AbortSignal): AsyncGenerator<Status, void, void> {
    const { digest, size: total } = layer;
    const status = `pulling ${digest.slice(7, 19)}`;
    const report = () => ({ status, digest, total, completed: this.#disk.bytesOf(layer) });
    yield report();
    if (this.#disk.msLeft(layer) <= 0) return;
    const leave = this.#disk.join(layer);
    const task = joinClock(this.#clock);
    const stop = () => task.leave(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      while (this.#disk.msLeft(layer) > 0) {
        await task.sleep(Math.min(TICK_MS, this.#disk.msLeft(layer)));
        yield report();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      task.leave();
      leave();
    }
  }
}

/** Reads the body of a request for a pull. */
function readPull(text: string): PullOrder {
  const fields = readFields(text);
  const { stream = true, insecure = false } = fields;
  if (typeof stream !== "boolean") throw new Refusal(400, "stream must be a boolean");
  if (typeof insecure !== "boolean") throw new Refusal(400, "insecure must be a boolean");
  return { name: nameIn(fields), isStreamed: stream, isInsecure: insecure };
}

/** The fields of the object at the start of a text, by their names in lower case. */
function readFields(text: string): Record<string, unknown> {
  if (text.trim() === "") throw new Refusal(400, "missing request body");
  const value = firstValueIn(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "the body must be an object");
  }
  const known = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(known.map(([key, field]) => [key.toLowerCase(), field]));
}

/** The JSON value at the start of a text. Anything after an object is ignored. */
export function firstValueIn(text: string): unknown {
  const ends = [...text.matchAll(/\}/g)].map(({ index }) => index + 1);
  for (const end of [...ends, text.length]) {
    try {
      return JSON.parse(text.slice(0, end));
    } catch {
      continue; // there is more to come
    }
  }
  throw new Refusal(400, "the body must be JSON");
}

const PARTS = /^(https?:\/\/)?([\w.:-]+\/)?([\w.-]+\/)?\w[\w.-]*(:[\w.-]+)?$/;

/** The model that a request names. */
function nameIn({ model, name }: Record<string, unknown>): string {
  const named = model || name;
  if (typeof named !== "string") throw new Refusal(400, "the model must be a string");
  if (named.length > 250 || !PARTS.test(named)) throw new Refusal(400, "invalid model name");
  return named.replace(/:latest$/, "");
}
