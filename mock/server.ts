/**
 * The mock server: checks the options, wires the parts, and routes requests.
 *
 *     Request ─▶ app ─▶ pull endpoint ─▶ PullJob ─▶ FaultInjector ─▶ Exchange ─▶ Response
 *                 │           │             └── BlobStore: what is on disk, and one download per blob
 *                 │           └── Catalog: what the registry offers, and what was pulled
 *                 ├── neighbours
 *                 └── registry
 *
 * @module
 */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Dialect, DialectName } from "../src/dialects.ts";
import type { Clock } from "./clock/clock.ts";
import { realClock } from "./clock/real.ts";
import { VirtualClock } from "./clock/virtual.ts";
import { ConfigurationError, show } from "./configuration_error.ts";
import { browserAccess } from "./endpoints/browser_access.ts";
import { registerNeighbours } from "./endpoints/neighbours.ts";
import { answerNotFound } from "./endpoints/not_found.ts";
import { answerPull, type PullEndpointOptions } from "./endpoints/pull.ts";
import {
  checkRegistryOptions,
  RegistryEndpoints,
  type RegistryOptions,
} from "./endpoints/registry.ts";
import { Exchange, type MockEnvironment } from "./exchange/exchange.ts";
import { answerJson } from "./exchange/json_answer.ts";
import { Refusal } from "./exchange/refusal.ts";
import { type LoggedRequest, RequestLog } from "./exchange/request_log.ts";
import {
  type ArmedFault,
  armFault,
  type Fault,
  type FaultKind,
  faultKinds,
  isMeantFor,
  randomFault,
  type RandomFaults,
  requireTarget,
} from "./faults/faults.ts";
import { Catalog } from "./models/catalog.ts";
import { type Manifest, manifestOf } from "./models/manifests.ts";
import { modelKey, type ModelName, requireModelName, shortName } from "./models/model_name.ts";
import type { MockModel, Model } from "./models/models.ts";
import { presets } from "./models/presets.ts";
import { dialectNamed } from "./pull/dialects.ts";
import { BlobStore } from "./pull/downloads.ts";
import type { AsyncDisposableIfKnown } from "./runtime/async_dispose.ts";
import { abortable } from "../src/abortable.ts";
import { listen, type Listener, type ListenOptions } from "./runtime/listen.ts";
import { seededNumbers } from "./runtime/random.ts";

/** Options of {@link createMockServer}. */
export interface MockServerOptions {
  /**
   * The models that the registry offers: descriptions, or names of {@link presets}.
   *
   * @default all presets
   */
  models?: Iterable<MockModel | string> | undefined;
  /**
   * How the server reports a pull.
   *
   * @default {"spec"}
   */
  dialect?: DialectName | undefined;
  /**
   * The bandwidth that all downloads share, in bytes per second.
   *
   * @default {100_000_000}
   */
  bytesPerSecond?: number | undefined;
  /**
   * The time between two lines about a layer, in milliseconds.
   *
   * @default that of the dialect
   */
  tickMs?: number | undefined;
  /** What goes wrong: a list of faults, or random ones. */
  faults?: readonly Fault[] | RandomFaults | undefined;
  /**
   * The clock.
   *
   * @default a {@link VirtualClock}, and {@link realClock} once the server listens
   */
  clock?: Clock | undefined;
  /**
   * The seed of digests, bytes and random faults.
   *
   * @default {0}
   */
  seed?: number | undefined;
  /**
   * Whether digests are computed from the real bytes of the layers, as a real server that pulls from
   * the registry checks. This takes time and memory in proportion to the size of the layers.
   *
   * @default {false}
   */
  realBytes?: boolean | undefined;
  /** The registry that the server pulls from. */
  registry?: RegistryOptions | undefined;
  /**
   * The origins of pages that may call the mock, besides those that the real server allows: pages of
   * the same machine. `"*"` allows any.
   */
  origins?: readonly string[] | undefined;
  /**
   * The size of the largest request body, in bytes.
   *
   * @default {1048576}
   */
  maxBodyBytes?: number | undefined;
  /** Called with each request when it has ended. */
  onRequest?: ((request: LoggedRequest) => void) | undefined;
}

/** The registry that the server pulls from. */
export interface MockRegistry {
  /** Offers a model, in place of one of the same name if there is one. */
  publish(model: MockModel | string): void;
  /** Stops offering a model, and returns whether it was offered. A pulled model stays pulled. */
  withdraw(name: string): boolean;
  /** The manifest of a model. Its `layers` and `config` are what the `layers` option of `pull` takes. */
  manifest(name: string): Promise<Manifest>;
}

/** A mock of the server. `await using` stops its listening. */
export interface MockServer extends AsyncDisposableIfKnown {
  /**
   * Answers a request as the handler of a Worker, so that the mock can be the default export of one.
   *
   * @param request The request.
   * @param env The bindings of the Worker, which are ignored.
   * @param context The context of the Worker, which is ignored.
   */
  fetch(request: Request, env: unknown, context: unknown): Promise<Response>;
  /**
   * Answers a request in process, without a port. It takes what the global `fetch` takes, so that it can
   * stand in for it: an address and options, or a request. Redirects are returned, not followed.
   *
   * @param input The address, or a request.
   * @param init The options, which override those of the request.
   */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** Listens on a port of this machine. */
  listen(options?: ListenOptions): Promise<Listener>;
  /** The requests that arrived, in order, and how each of them ended. */
  readonly requests: readonly LoggedRequest[];
  /** The registry that the server pulls from. */
  readonly registry: MockRegistry;
  /** The clock. */
  readonly clock: Clock;
  /** How many callers wait for a download. */
  readonly activeDownloads: number;
  /** Forgets pulled models, requests, and which faults have struck. Running pulls go on. */
  reset(): void;
}

const DEFAULT_BYTES_PER_SECOND = 100_000_000;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

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
 * @throws {ConfigurationError} If an option cannot be used. The message says what is possible.
 */
export function createMockServer(options: MockServerOptions = {}): MockServer {
  return new KitMockServer(options);
}

/** What {@link MockServer.reset} forgets. */
interface State {
  readonly store: BlobStore;
  readonly catalog: Catalog;
  /** How often each fault has struck. */
  readonly strikes: Map<Fault, number>;
  readonly nextRandom: () => number;
}

class KitMockServer implements MockServer {
  readonly registry: MockRegistry;
  readonly fetch: MockServer["fetch"];
  readonly #options: MockServerOptions;
  readonly #offered: readonly Model[];
  readonly #dialect: Dialect;
  readonly #tickMs: number;
  readonly #bytesPerSecond: number;
  readonly #app = new Hono<MockEnvironment>();
  readonly #registryEndpoints: RegistryEndpoints;
  readonly #log: RequestLog;
  readonly #listeners = new Set<Listener>();
  #clock: Clock;
  #state: State;

  constructor(options: MockServerOptions) {
    this.#options = options;
    this.#dialect = dialectNamed(options.dialect ?? "spec");
    this.#tickMs = options.tickMs ?? this.#dialect.tickMs;
    this.#bytesPerSecond = options.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
    this.#clock = options.clock ?? new VirtualClock();
    requirePositive("bytesPerSecond", this.#bytesPerSecond);
    requirePositive("tickMs", this.#tickMs);
    requirePositive("maxBodyBytes", options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    this.#state = this.#newState();
    this.#offered = this.#resolveModels();
    this.#offerAll();
    checkFaults(options.faults ?? [], this.#offered);
    checkRegistryOptions(options.registry ?? {}, this.#offered);
    this.#log = new RequestLog(() => this.#clock.now(), (request) => options.onRequest?.(request));
    this.#registryEndpoints = new RegistryEndpoints(
      () => this.#state.catalog,
      options.registry ?? {},
    );
    this.registry = this.#openRegistry();
    this.#register();
    this.fetch = (...parameters: readonly unknown[]) => this.#fetch(toRequest(parameters));
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
    const clock = this.#options.clock ?? realClock;
    const listener = await listen((request) => this.#answer(request), options);
    this.#clock = clock;
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
    this.#offerAll();
    this.#registryEndpoints.reset();
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
      catalog: new Catalog({
        seed,
        realBytes,
        onUnused: (digest) => store.remove(digest),
        now: () => this.#clock.now(),
      }),
      strikes: new Map(),
      nextRandom: seededNumbers(seed, "faults"),
    };
  }

  #resolveModels(): readonly Model[] {
    const { catalog } = this.#state;
    const models = new Map<string, Model>();
    for (const description of this.#options.models ?? Object.keys(presets)) {
      const model = catalog.resolve(description);
      const key = modelKey(model.name);
      if (models.has(key)) {
        const name = show(shortName(model.name));
        throw new ConfigurationError(`Cannot offer the model ${name} twice: leave out one of them`);
      }
      models.set(key, model);
    }
    return [...models.values()];
  }

  #offerAll(): void {
    for (const model of this.#offered) this.#state.catalog.offer(model);
  }

  #openRegistry(): MockRegistry {
    return {
      publish: (description) => this.#publish(description),
      withdraw: (name) => this.#state.catalog.withdraw(requireModelName(name)),
      manifest: async (name) => {
        const model = await this.#state.catalog.find(requireModelName(name));
        if (model) return manifestOf(model);
        throw new ConfigurationError(
          `Cannot find the model ${show(name)} in the registry: publish it first`,
        );
      },
    };
  }

  #publish(description: MockModel | string): void {
    const { catalog } = this.#state;
    const model = catalog.resolve(description);
    const { faults = [] } = this.#options;
    if (!("chance" in faults)) {
      for (const fault of faults) if (isMeantFor(fault, model.name)) requireTarget(fault, [model]);
    }
    catalog.offer(model);
  }

  /** Answers a request in process, and rejects at once when its signal aborts, as `fetch` does. */
  async #fetch(request: Request): Promise<Response> {
    const { signal } = request;
    signal.throwIfAborted();
    return await abortable(this.#answer(request), signal);
  }

  async #answer(request: Request): Promise<Response> {
    const exchange = new Exchange(request, this.#log, this.#clock);
    try {
      const response = await this.#app.fetch(request, { exchange });
      exchange.entry.status = response.status;
      if (request.method === "HEAD" || !exchange.isStreamed) exchange.end(exchange.outcome);
      return response;
    } catch (error) {
      exchange.end("faulted");
      throw error;
    }
  }

  #register(): void {
    const app = this.#app;
    const { origins = [], maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = this.#options;
    app.use(browserAccess(origins));
    app.use(bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => answerJson({ error: "http: request body too large" }, 413),
    }));
    app.post("/api/pull", (context) => answerPull(context, this.#pullOptions()));
    registerNeighbours(app, {
      catalog: () => this.#state.catalog,
      store: () => this.#state.store,
      dialect: this.#dialect,
      now: () => this.#clock.now(),
      tickMs: this.#tickMs,
      bytesPerSecond: this.#bytesPerSecond,
    });
    this.#registryEndpoints.register(app);
    app.notFound((context) => answerNotFound(app, context));
    app.onError((error) => {
      if (!(error instanceof Refusal)) throw error;
      const { message, status, contentType } = error;
      return answerJson({ error: message }, status, contentType);
    });
  }

  #pullOptions(): PullEndpointOptions {
    const { catalog, store } = this.#state;
    return {
      catalog,
      store,
      dialect: this.#dialect,
      tickMs: this.#tickMs,
      clock: this.#clock,
      faultsFor: (name) => this.#faultsFor(name),
    };
  }

  #faultsFor(name: ModelName): readonly ArmedFault[] {
    const { faults = [] } = this.#options;
    const { strikes, nextRandom } = this.#state;
    if ("chance" in faults) {
      const kinds = faults.kinds ?? Object.keys(faultKinds) as FaultKind[];
      return nextRandom() / 2 ** 32 < faults.chance ? [randomFault(kinds, nextRandom)] : [];
    }
    return faults.filter((fault) => isMeantFor(fault, name)).map((fault) =>
      armFault(fault, () => {
        const count = strikes.get(fault) ?? 0;
        strikes.set(fault, count + 1);
        return count < (fault.times ?? Infinity);
      })
    );
  }
}

function requirePositive(name: string, value: number): void {
  if (value > 0) return;
  throw new ConfigurationError(
    `Cannot use the ${name} ${show(value)}: it must be a number above 0`,
  );
}

/** Checks that every fault is valid and can strike one of the models. */
function checkFaults(faults: readonly Fault[] | RandomFaults, models: readonly Model[]): void {
  if (!("chance" in faults)) {
    for (const fault of faults) requireTarget(fault, models);
    return;
  }
  const { chance, kinds } = faults;
  if (!(chance >= 0 && chance <= 1)) {
    throw new ConfigurationError(
      `Cannot use the chance ${show(chance)} of faults: it must be a number from 0 to 1`,
    );
  }
  if (kinds?.length === 0) {
    throw new ConfigurationError(
      "Cannot use the kinds [] of faults: name at least one, or leave them out for all kinds",
    );
  }
  for (const kind of kinds ?? []) armFault({ kind } as Fault);
}

/**
 * The request that `fetch` was called with. Workers call `fetch(request, env, ctx)`: with three
 * arguments, the second one is not a `RequestInit`.
 */
function toRequest(parameters: readonly unknown[]): Request {
  const [input, init] = parameters as Parameters<typeof fetch>;
  const isWorker = parameters.length > 2;
  return input instanceof Request && (isWorker || init === undefined)
    ? input
    : new Request(input, init);
}
