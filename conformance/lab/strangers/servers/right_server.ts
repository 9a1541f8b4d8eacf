/**
 * A pull server on a real socket that breaks nothing, in parts that can be replaced one by one.
 *
 *     socket ─▶ Connection ─▶ route ─▶ orderOf ─▶ pull: a generator of objects ─▶ lines, or the last object alone
 *                                                  ├── manifestOf ── Registry
 *                                                  ├── download ──── Disk: bytes, downloads and their callers
 *                                                  ├── verify
 *                                                  └── install
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import { type Clock, realClock } from "../../../../mock/mod.ts";
import { firstValueIn } from "../../mutation/small_server.ts";
import { Caller, type PullOrder } from "./caller.ts";
import { Connection, type WireAnswer, type WireRequest } from "./connection.ts";
import { Disk } from "./disk.ts";
import { type Layer, layerOf, type ModelName, parseName, Registry } from "./registry.ts";

/** An object of a pull. */
export interface Status {
  readonly status: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}

/** The fields of a request. */
export type Fields = Readonly<Record<string, unknown>>;

/** Options of a server. */
export interface ServerOptions {
  /** @default {realClock} */
  readonly clock?: Clock | undefined;
  /**
   * How fast a layer is downloaded.
   *
   * @default {60_000}
   */
  readonly bytesPerMs?: number | undefined;
}

/** Other parts of a server than those that are right. */
export interface ServerParts {
  readonly Connection?: typeof Connection;
  readonly Disk?: typeof Disk;
}

/** A model that is installed. */
export interface InstalledModel {
  readonly name: ModelName;
  readonly layers: readonly Layer[];
}

/** A server that listens. */
export interface RunningServer {
  /** Its address, without a path. */
  readonly url: string;
  /** A model that the registry has. */
  readonly model: string;
  /** Another one, which shares a layer with the first. */
  readonly otherModel: string;
  /** The layers of `model`, in the order of the pull, config last. */
  readonly layers: readonly Layer[];
  /** The layers of `otherModel`. */
  readonly otherLayers: readonly Layer[];
  /** Publishes models, for the first time or anew, and makes layers fail. */
  readonly registry: Registry;
  /** How many pulls have a caller now. */
  pulls(): number;
  /** Stops listening, and closes all connections. */
  close(): Promise<void>;
}

/** A request that is refused. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How long it takes from one object of a download to the next one. */
export const TICK_MS = 60;

const MODEL = "stranger";
const OTHER_MODEL = "relative";
const SHARED = layerOf("shared", 27_000_123);
const LAYERS = [
  layerOf("weights", 60_000_011),
  SHARED,
  layerOf("template", 5_120),
  layerOf("config", 487),
];
const OTHER_LAYERS = [SHARED, layerOf("adapter", 24_000_077), layerOf("other config", 491)];

/** The methods of each path. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  "/": ["GET", "HEAD"],
  "/api/version": ["GET", "HEAD"],
  "/api/tags": ["GET", "HEAD"],
  "/api/delete": ["DELETE"],
  "/api/pull": ["POST"],
};

/** An answer that is one JSON value. */
export function jsonAnswer(value: unknown, status = 200): WireAnswer {
  return { status, type: "application/json; charset=utf-8", body: JSON.stringify(value) };
}

/** A server that is right. */
export class RightServer {
  protected readonly clock: Clock;
  protected readonly registry = new Registry();
  protected readonly disk: Disk;
  /** The layers of the models that are installed, by the key of the model. */
  protected readonly installed = new Map<string, InstalledModel>();
  /** The layers of the pulls that go on. */
  protected readonly running = new Map<Caller, readonly Layer[]>();

  readonly #Connection: typeof Connection;

  constructor(options: ServerOptions = {}, parts: ServerParts = {}) {
    const { clock = realClock, bytesPerMs = 60_000 } = options;
    this.clock = clock;
    this.#Connection = parts.Connection ?? Connection;
    this.registry.publish(MODEL, LAYERS);
    this.registry.publish(OTHER_MODEL, OTHER_LAYERS);
    this.disk = new (parts.Disk ?? Disk)(clock, this.registry, bytesPerMs);
  }

  /** Listens on a free port of this machine. */
  async start(): Promise<RunningServer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      const connection = new this.#Connection(socket, (...call) => this.#answer(...call));
      void connection.serve();
    });
    const port = await listen(server);
    return {
      url: `http://127.0.0.1:${port}`,
      model: MODEL,
      otherModel: OTHER_MODEL,
      layers: LAYERS,
      otherLayers: OTHER_LAYERS,
      registry: this.registry,
      pulls: () => this.running.size,
      close: () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const socket of sockets) socket.destroy();
        return closed;
      },
    };
  }

  async #answer(request: WireRequest, left: AbortSignal): Promise<WireAnswer> {
    try {
      return await this.route(request, left);
    } catch (error) {
      return jsonAnswer(
        { error: (error as Error).message },
        error instanceof Refusal ? error.status : 500,
      );
    }
  }

  protected async route(request: WireRequest, left: AbortSignal): Promise<WireAnswer> {
    const { pathname } = new URL(request.target, "http://stranger.invalid");
    const methods = METHODS[pathname];
    if (!methods) return { status: 404, type: "text/plain", body: "404 page not found" };
    if (!methods.includes(request.method)) {
      const headers = { Allow: methods.join(", ") };
      return { status: 405, type: "text/plain", headers, body: "405 method not allowed" };
    }
    switch (pathname) {
      case "/api/version":
        return jsonAnswer({ version: "0.33.0" });
      case "/api/tags":
        return jsonAnswer({ models: this.#list() });
      case "/api/delete":
        this.delete(this.modelIn(fieldsOf(request.body)));
        return { status: 200, type: "text/plain", body: "" };
      case "/api/pull":
        return await this.#answerPull(fieldsOf(request.body), left);
      default:
        return { status: 200, type: "text/plain; charset=utf-8", body: "Ollama is running" };
    }
  }

  /** The models that `/api/tags` lists, by their keys. */
  protected listed(): ReadonlyMap<string, InstalledModel> {
    return this.installed;
  }

  #list(): { name: string; model: string; size: number }[] {
    return [...this.listed().values()].map(({ name: { display }, layers }) => ({
      name: display,
      model: display,
      size: layers.reduce((sum, { size }) => sum + size, 0),
    }));
  }

  /** Deletes a model, and the layers of it that nothing else needs. */
  protected delete(model: ModelName): void {
    const layers = this.installed.get(model.key)?.layers;
    if (!layers) throw new Refusal(404, `model '${model.display}' not found`);
    this.installed.delete(model.key);
    this.#removeUnused(layers);
  }

  /** Removes the layers that no model has and no pull needs. Returns how many there were. */
  #removeUnused(layers: readonly Layer[]): number {
    const needed = [...this.installed.values()].map((each) => each.layers);
    const used = new Set([...needed, ...this.running.values()].flat().map(({ digest }) => digest));
    const unused = layers.filter(({ digest }) => !used.has(digest));
    for (const layer of unused) this.disk.remove(layer);
    return unused.length;
  }

  async #answerPull(fields: Fields, left: AbortSignal): Promise<WireAnswer> {
    const order = this.orderOf(fields);
    const caller = new Caller(order, left, this.clock);
    if (order.model.isPlainHttp && !order.isInsecure) {
      throw new Refusal(500, "insecure protocol http");
    }
    if (!order.isStreamed) return await this.answerSingle(caller);
    return { status: 200, type: "application/x-ndjson", body: this.linesOf(caller) };
  }

  /** Reads what a request asks for. */
  protected orderOf(fields: Fields): PullOrder {
    for (const name of ["insecure", "stream"]) {
      if (!["boolean", "undefined"].includes(typeof (fields[name] ?? undefined))) {
        throw new Refusal(400, `the field ${name} must be a boolean`);
      }
    }
    return {
      model: this.modelIn(fields),
      isStreamed: this.wantsStream(fields),
      isInsecure: fields.insecure === true,
    };
  }

  protected wantsStream(fields: Fields): boolean {
    return (fields.stream ?? true) === true;
  }

  /** The model that a request names. */
  protected modelIn(fields: Fields): ModelName {
    for (const name of ["model", "name"]) {
      if (!["string", "undefined"].includes(typeof (fields[name] ?? undefined))) {
        throw new Refusal(400, `the field ${name} must be a string`);
      }
    }
    const model = parseName(this.nameIn(fields).trim());
    if (!model) throw new Refusal(400, "invalid model name");
    return model;
  }

  /** Which of the names counts. */
  protected nameIn({ model, name }: Fields): string {
    return `${model || name || ""}`;
  }

  /** Answers with one object when the pull has ended. */
  protected async answerSingle(caller: Caller): Promise<WireAnswer> {
    let last: Status | undefined;
    for await (const status of this.pull(caller)) last = status;
    return jsonAnswer(last);
  }

  /** What a pull streams: an object a line, and an error in place of those that are left. */
  protected async *linesOf(caller: Caller): AsyncGenerator<string, void, void> {
    try {
      for await (const status of this.pull(caller)) yield `${this.encode(status)}\n`;
    } catch (error) {
      if (!caller.left.aborted) yield `${this.encodeError((error as Error).message)}\n`;
    }
  }

  /** An object as JSON, without its fields that are zero. */
  protected encode(status: Status): string {
    return JSON.stringify(status, (_key, value) => value === 0 ? undefined : value);
  }

  protected encodeError(message: string): string {
    return JSON.stringify({ error: message });
  }

  /** Pulls a model: the objects that tell of it. Throws if it fails. */
  protected async *pull(caller: Caller): AsyncGenerator<Status, void, void> {
    this.running.set(caller, []);
    try {
      yield { status: "pulling manifest" };
      const layers = await this.manifestOf(caller);
      this.running.set(caller, layers);
      for (const layer of layers) yield* this.download(layer, caller);
      yield { status: "verifying sha256 digest" };
      for (const layer of layers) this.verify(layer, caller);
      yield { status: "writing manifest" };
      if (this.install(caller.order.model, layers)) yield { status: "removing unused layers" };
      yield { status: "success" };
    } finally {
      this.running.delete(caller);
    }
  }

  /** Asks the registry for the layers of a model. */
  protected manifestOf({ order: { model } }: Caller): Promise<readonly Layer[]> {
    const layers = this.registry.manifestOf(model.key);
    if (layers) return Promise.resolve(layers);
    return Promise.reject(new Error("pull model manifest: file does not exist"));
  }

  /** Downloads what is missing of a layer, and tells how far it is at every tick. */
  protected async *download(layer: Layer, caller: Caller): AsyncGenerator<Status, void, void> {
    if (this.disk.bytesOf(layer, caller) >= layer.size) return yield this.report(layer, caller);
    const download = this.disk.join(layer, caller);
    try {
      yield this.report(layer, caller);
      for (let left: number; (left = this.disk.msLeft(layer, caller)) > 0;) {
        await caller.sleep(Math.min(TICK_MS, Math.ceil(left)));
        yield this.report(layer, caller);
      }
      if (this.disk.bytesOf(layer, caller) < layer.size) {
        throw new Error("max retries exceeded: unexpected EOF");
      }
    } finally {
      this.disk.leave(download, caller);
    }
  }

  /** What is told of a layer. */
  protected report(layer: Layer, caller: Caller): Status {
    const { digest, size: total } = layer;
    const completed = this.disk.bytesReported(layer, caller);
    return { status: `pulling ${digest.slice(7, 19)}`, digest, total, completed };
  }

  /** Checks the bytes of a layer. */
  protected verify(layer: Layer, caller: Caller): void {
    if (this.disk.isSound(layer, caller)) return;
    this.disk.remove(layer);
    const got = layerOf("other bytes", layer.size).digest;
    throw new Error(
      `digest mismatch, file must be downloaded again: want ${layer.digest}, got ${got}`,
    );
  }

  /** Makes a model one that is there. Returns whether layers were removed that it had before. */
  protected install(name: ModelName, layers: readonly Layer[]): boolean {
    const before = this.installed.get(name.key)?.layers ?? [];
    this.installed.set(name.key, { name, layers });
    return this.#removeUnused(before) > 0;
  }
}

/** How many characters of a body that is not JSON a refusal repeats. */
const MOST_REPEATED = 40;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("The server has no port");
  return address.port;
}

/** Reads the fields of a request, by their names in lower case, as Go takes them. */
function fieldsOf(body: Uint8Array): Fields {
  if (body.length === 0) throw new Refusal(400, "missing request body");
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  let value: unknown;
  try {
    value = firstValueIn(text);
  } catch {
    throw new Refusal(400, `cannot read ${text.slice(0, MOST_REPEATED)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "the body must be an object");
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]),
  );
}
