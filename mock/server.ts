/**
 * The mock server: checks what it is asked to be, puts its parts together, and serves requests.
 *
 *     Request ─▶ app ─▶ pull endpoint ─▶ PullJob ─▶ FaultInjector ─▶ Response
 *                 │           │             └── BlobStore: what is on disk, and one download per blob
 *                 │           └── Catalog: what the library offers, and what was pulled
 *                 ├── neighbours
 *                 └── library
 *
 * @module
 */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { Catalog, type Manifest, manifestOf, requireModelName } from "./catalog.ts";
import { type Clock, realClock, VirtualClock } from "./clock.ts";
import { ConfigurationError } from "./configuration_error.ts";
import { type DialectName, dialectNamed } from "./dialects.ts";
import { BlobStore } from "./downloads.ts";
import {
  type ArmedFault,
  armFault,
  type Fault,
  type FaultKind,
  faultKinds,
  isMeantFor,
  randomFault,
  type RandomFaults,
  requireLayer,
} from "./faults.ts";
import { checkLibraryOptions, Library, type LibraryOptions } from "./library.ts";
import { listen, type Listener, type ListenOptions } from "./listen.ts";
import { modelKey, type ModelName } from "./model_name.ts";
import { type MockModel, type Model, presets } from "./models.ts";
import { registerNeighbours } from "./neighbours.ts";
import { answerPull, type PullEndpointOptions } from "./pull_endpoint.ts";
import { seededNumbers } from "./random.ts";
import { type LoggedRequest, type MockEnvironment, RequestLog } from "./request_log.ts";

/** Options of {@link createMockServer}. */
export interface MockServerOptions {
  /**
   * The models that the library offers: descriptions, or names of {@link presets}.
   *
   * @default all presets
   */
  models?: Iterable<MockModel | string>;
  /**
   * How the server reports a pull.
   *
   * @default {"spec"}
   */
  dialect?: DialectName;
  /**
   * The bandwidth that all downloads share, in bytes per second.
   *
   * @default {100_000_000}
   */
  bytesPerSecond?: number;
  /**
   * The time between two lines about a layer, in milliseconds.
   *
   * @default that of the dialect
   */
  tickMs?: number;
  /** What goes wrong: listed one by one, or by chance. */
  faults?: readonly Fault[] | RandomFaults;
  /**
   * The clock.
   *
   * @default a {@link VirtualClock}, and {@link realClock} once the server listens
   */
  clock?: Clock;
  /**
   * What digests, bytes and chance follow from.
   *
   * @default {0}
   */
  seed?: number;
  /**
   * Whether digests are those of the real bytes of the layers, which a real server that pulls from
   * the library checks. Takes time and memory that grow with the layers.
   *
   * @default {false}
   */
  realBytes?: boolean;
  /** The library behind the server. */
  library?: LibraryOptions;
  /**
   * The origins that browsers may call from, besides those that the real server allows: pages of the
   * same machine. `"*"` is any.
   */
  origins?: readonly string[];
  /**
   * The largest body of a request, in bytes.
   *
   * @default {1048576}
   */
  maxBodyBytes?: number;
  /** Called with each request when it has ended. */
  onRequest?: (request: LoggedRequest) => void;
}

/** What the library offers. */
export interface MockLibrary {
  /** Offers a model, in place of one of the same name if there is one. */
  publish(model: MockModel | string): void;
  /** Offers a model no longer. Those who pulled it keep it. */
  withdraw(name: string): boolean;
  /** The manifest of a model. Its `layers` and `config` are what the `layers` option of `pull` takes. */
  manifest(name: string): Promise<Manifest>;
}

/** A mock of the server. */
export interface MockServer {
  /** Answers a request without a port. Takes what `fetch` takes, so that clients can be given it. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** Listens on a port of this machine. */
  listen(options?: ListenOptions): Promise<Listener>;
  /** The requests that arrived, in order, and how each of them ended. */
  readonly requests: readonly LoggedRequest[];
  /** What the library offers. */
  readonly library: MockLibrary;
  /** The clock. */
  readonly clock: Clock;
  /** How many downloads are being waited for. */
  readonly activeDownloads: number;
  /** Forgets what was pulled, the requests, and what faults have struck. Running pulls go on. */
  reset(): void;
  /** Stops listening. */
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_BYTES_PER_SECOND = 100_000_000;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** The origins that the real server allows. */
const LOCAL_ORIGIN =
  /^(https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d+)?|(app|file|tauri|vscode-webview|vscode-file):\/\/.*)$/;

/**
 * Makes a mock server.
 *
 * ```ts
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { assertEquals } from "@std/assert";
 *
 * const server = createMockServer({ models: [{ name: "tiny", layers: [{ size: 1_000 }] }] });
 * const response = await server.fetch("http://localhost/api/pull", {
 *   method: "POST",
 *   body: JSON.stringify({ model: "tiny", stream: false }),
 * });
 * assertEquals(await response.json(), { status: "success" });
 * assertEquals(server.requests[0]?.outcome, "finished");
 * ```
 *
 * @param options What it offers, and how it behaves.
 * @throws {ConfigurationError} If it cannot be that.
 */
export function createMockServer(options: MockServerOptions = {}): MockServer {
  return new KitMockServer(options);
}

/** What is forgotten at a reset. */
interface State {
  readonly store: BlobStore;
  readonly catalog: Catalog;
  /** How many pulls each fault has been armed for. */
  readonly armed: Map<Fault, number>;
  readonly nextRandom: () => number;
}

class KitMockServer implements MockServer {
  readonly library: MockLibrary;
  readonly fetch: MockServer["fetch"];
  readonly #options: MockServerOptions;
  readonly #offered: readonly (MockModel | string)[];
  readonly #tickMs: number;
  readonly #bytesPerSecond: number;
  readonly #app = new Hono<MockEnvironment>();
  readonly #log: RequestLog;
  readonly #listeners = new Set<Listener>();
  #clock: Clock;
  #state: State;

  constructor(options: MockServerOptions) {
    this.#options = options;
    this.#offered = [...options.models ?? Object.keys(presets)];
    this.#tickMs = options.tickMs ?? dialectNamed(options.dialect ?? "spec").tickMs;
    this.#bytesPerSecond = options.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
    this.#clock = options.clock ?? new VirtualClock();
    requirePositive("bytesPerSecond", this.#bytesPerSecond);
    requirePositive("tickMs", this.#tickMs);
    requirePositive("maxBodyBytes", options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    checkLibraryOptions(options.library ?? {});
    this.#state = this.#newState();
    checkFaults(options.faults, this.#offerModels(this.#state.catalog));
    this.#log = new RequestLog(() => this.#clock.now(), (request) => options.onRequest?.(request));
    this.library = this.#openLibrary();
    this.#register();
    this.fetch = (input, init) => this.#fetch(toRequest(input, init));
  }

  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get activeDownloads(): number {
    return this.#state.store.callers;
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    if (!this.#options.clock) this.#clock = realClock;
    const listener = await listen((request) => this.#fetch(request), options);
    const close = async () => {
      this.#listeners.delete(opened);
      await listener.close();
    };
    const opened: Listener = { url: listener.url, close, [Symbol.asyncDispose]: close };
    this.#listeners.add(opened);
    return opened;
  }

  reset(): void {
    this.#state = this.#newState();
    this.#offerModels(this.#state.catalog);
    this.#log.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }

  #newState(): State {
    const { seed = 0, realBytes = false } = this.#options;
    const store = new BlobStore(this.#bytesPerSecond);
    return {
      store,
      catalog: new Catalog({ seed, realBytes }, store),
      armed: new Map(),
      nextRandom: seededNumbers(seed, "faults"),
    };
  }

  #offerModels(catalog: Catalog): readonly Model[] {
    const models = this.#offered.map((description) => catalog.offer(description));
    const names = new Set<string>();
    for (const { name } of models) {
      const key = modelKey(name);
      if (names.has(key)) {
        throw new ConfigurationError(`The model ${JSON.stringify(name.model)} is given twice`);
      }
      names.add(key);
    }
    return models;
  }

  #openLibrary(): MockLibrary {
    return {
      publish: (model) => void this.#state.catalog.offer(model),
      withdraw: (name) => this.#state.catalog.withdraw(requireModelName(name)),
      manifest: async (name) => {
        const model = await this.#state.catalog.find(requireModelName(name));
        if (model) return manifestOf(model);
        throw new ConfigurationError(`The library has no model ${JSON.stringify(name)}`);
      },
    };
  }

  async #fetch(request: Request): Promise<Response> {
    const entry = this.#log.begin(request.method, new URL(request.url).pathname);
    const response = await this.#app.fetch(request, { entry, signal: request.signal });
    entry.status = response.status;
    if (request.signal.aborted) {
      this.#log.end(entry, "cancelled");
      await response.body?.cancel(request.signal.reason);
      throw request.signal.reason;
    }
    if (!isPull(entry) || !response.ok) this.#log.end(entry, "finished");
    return response;
  }

  #register(): void {
    const app = this.#app;
    const { origins = [], maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = this.#options;
    const isAllowed = (origin: string) =>
      LOCAL_ORIGIN.test(origin) || origins.includes("*") || origins.includes(origin);
    app.use(async (context, next) => {
      const origin = context.req.header("Origin");
      const isForeign = origin !== undefined && new URL(context.req.url).origin !== origin;
      return isForeign && !isAllowed(origin) ? context.body(null, 403) : await next();
    });
    app.use(cors({ origin: (origin) => isAllowed(origin) ? origin : null }));
    app.use(bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) => context.json({ error: "http: request body too large" }, 413),
    }));
    app.post("/api/pull", (context) => answerPull(context, this.#pullOptions()));
    const neighbours = {
      catalog: () => this.#state.catalog,
      clock: () => this.#clock,
      tickMs: this.#tickMs,
      bytesPerSecond: this.#bytesPerSecond,
    };
    registerNeighbours(app, neighbours);
    new Library(() => this.#state.catalog, () => this.#clock, this.#options.library ?? {})
      .register(app);
    app.notFound((context) => {
      const hasOtherMethods = app.routes.some(({ path, method }) =>
        path === context.req.path && method !== "ALL"
      );
      return hasOtherMethods
        ? context.text("405 method not allowed", 405)
        : context.text("404 page not found", 404);
    });
    app.onError((error) => {
      throw error;
    });
  }

  #pullOptions(): PullEndpointOptions {
    const { catalog, store } = this.#state;
    return {
      catalog,
      store,
      dialect: dialectNamed(this.#options.dialect ?? "spec"),
      tickMs: this.#tickMs,
      clock: () => this.#clock,
      log: this.#log,
      faultsFor: (name) => this.#faultsFor(name),
    };
  }

  #faultsFor(name: ModelName): readonly ArmedFault[] {
    const { faults = [] } = this.#options;
    const { armed, nextRandom } = this.#state;
    if ("chance" in faults) {
      const kinds = faults.kinds ?? Object.keys(faultKinds) as FaultKind[];
      return nextRandom() / 2 ** 32 < faults.chance ? [randomFault(kinds, nextRandom)] : [];
    }
    const due = faults.filter((fault) =>
      isMeantFor(fault, name) && (armed.get(fault) ?? 0) < (fault.times ?? Infinity)
    );
    for (const fault of due) armed.set(fault, (armed.get(fault) ?? 0) + 1);
    return due.map(armFault);
  }
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0)) throw new ConfigurationError(`${name} must be more than 0, got ${value}`);
}

/** Checks that every fault can strike what it is meant for. */
function checkFaults(faults: MockServerOptions["faults"], models: readonly Model[]): void {
  if (!faults) return;
  if ("chance" in faults) {
    const { chance, kinds = [] } = faults;
    if (!(chance >= 0 && chance <= 1)) {
      throw new ConfigurationError(`The chance of a fault must be from 0 to 1, got ${chance}`);
    }
    for (const kind of kinds) armFault({ kind } as Fault);
    return;
  }
  for (const fault of faults) {
    const armed = armFault(fault);
    const targets = models.filter((model) => isMeantFor(fault, model.name));
    if (fault.model !== undefined && targets.length === 0) {
      throw new ConfigurationError(
        `The fault "${fault.kind}" is to strike the model ${JSON.stringify(fault.model)}, ` +
          "which the library does not have",
      );
    }
    for (const model of targets) requireLayer(armed, model, JSON.stringify(model.name.model));
    const { times } = fault;
    if (times !== undefined && !(Number.isSafeInteger(times) && times > 0)) {
      throw new ConfigurationError(
        `"times" of the fault "${fault.kind}" must be a whole number above 0, got ${times}`,
      );
    }
  }
}

function isPull({ method, path }: LoggedRequest): boolean {
  return method === "POST" && path === "/api/pull";
}

/** A request, as it is. (What a Worker passes besides it is no `RequestInit`.) */
function toRequest(input: Request | string | URL, init?: RequestInit): Request {
  return input instanceof Request ? input : new Request(input, init);
}
