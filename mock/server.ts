/**
 * The mock server: checks the options, wires the parts, and routes requests.
 *
 *     Request ─▶ app ─▶ pull endpoint ─▶ PullJob ─▶ FaultInjector ─▶ Exchange ─▶ Response
 *                 │           │             └── BlobStore: what is on disk, and one download per blob
 *                 │           └── Catalog: what the registry offers, and what was pulled
 *                 ├── neighbours, local models, OpenAI's list
 *                 └── registry
 *
 * What the app does not serve goes to the fallback, if there is one.
 *
 * @module
 */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { abortable } from "../src/abortable.ts";
import type { Dialect } from "../src/dialects.ts";
import { type Clock, dateBy } from "./clock/clock.ts";
import { realClock } from "./clock/real.ts";
import { VirtualClock } from "./clock/virtual.ts";
import { ConfigurationError, show } from "./configuration_error.ts";
import { browserAccess } from "./endpoints/browser_access.ts";
import { strikeEarly } from "./endpoints/early_faults.ts";
import { checkFallback, type Fallback, handOn } from "./endpoints/fallback.ts";
import { Hosts } from "./endpoints/hosts.ts";
import { registerLocalModels } from "./endpoints/local_models.ts";
import { registerNeighbours } from "./endpoints/neighbours.ts";
import { answerNotFound, isServed, refuseHead } from "./endpoints/not_found.ts";
import { registerOpenAi } from "./endpoints/openai.ts";
import { answerPull, type PullEndpointOptions } from "./endpoints/pull.ts";
import { checkRegistryOptions, RegistryEndpoints } from "./endpoints/registry.ts";
import { Exchange, type MockEnvironment } from "./exchange/exchange.ts";
import { answerJson } from "./exchange/json_answer.ts";
import { Refusal } from "./exchange/refusal.ts";
import { type LoggedRequest, RequestLog } from "./exchange/request_log.ts";
import { FaultSet, type HoldOptions } from "./faults/fault_set.ts";
import { armFault, type Fault, type RandomFaults } from "./faults/faults.ts";
import type { PullHold } from "./faults/hold.ts";
import { checkPoint } from "./faults/points.ts";
import { isMeantFor, requireModelAndLayer, requireTarget } from "./faults/targets.ts";
import { Catalog } from "./models/catalog.ts";
import { manifestOf } from "./models/manifests.ts";
import { modelKey, parseModelName, requireModelName, shortName } from "./models/model_name.ts";
import {
  blobsOf,
  findModel,
  type MockModel,
  type MockModelTemplate,
  type Model,
} from "./models/models.ts";
import { presets } from "./models/presets.ts";
import type { MockClient, MockRegistry, MockServer, MockServerOptions } from "./options.ts";
import { dialectNamed } from "./pull/dialects.ts";
import { BlobStore } from "./pull/downloads.ts";
import { RecordedModels } from "./recordings/recorded_models.ts";
import { listen, type Listener, type ListenOptions } from "./runtime/listen.ts";
import { type NodeListener, toNodeListener } from "./runtime/node_listener.ts";
import { seededNumbers } from "./runtime/random.ts";

export type { MockClient, MockRegistry, MockServer, MockServerOptions } from "./options.ts";

const DEFAULT_BYTES_PER_SECOND = 100_000_000;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** The zone of dates by other clocks than the real one, as clients must not take it for their own. */
const MADE_UP_ZONE_MINUTES = -7 * 60;

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
  readonly faults: FaultSet;
  readonly recorded: RecordedModels;
}

class KitMockServer implements MockServer {
  readonly registry: MockRegistry;
  readonly fetch: MockServer["fetch"];
  readonly client: MockClient;
  readonly #options: MockServerOptions;
  readonly #offered: readonly Model[];
  readonly #published = new Map<string, Model>();
  readonly #installed: readonly Model[];
  readonly #template: MockModelTemplate | undefined;
  readonly #dialect: Dialect;
  readonly #tickMs: number;
  readonly #bytesPerSecond: number;
  readonly #app = new Hono<MockEnvironment>();
  readonly #registryEndpoints: RegistryEndpoints;
  readonly #log: RequestLog;
  readonly #hosts: Hosts;
  readonly #listeners = new Set<Listener>();
  #clock: Clock;
  /** The time of the clock at which that of the downloads began. */
  #begunAt: number;
  #state: State;
  /** Resolves when the models that are there from the start are, or `undefined` if there are none. */
  #ready: Promise<void> | undefined;

  constructor(options: MockServerOptions) {
    this.#options = options;
    this.#dialect = dialectNamed(options.dialect ?? "spec");
    this.#tickMs = options.tickMs ?? this.#dialect.tickMs;
    this.#bytesPerSecond = options.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
    this.#clock = options.clock ?? new VirtualClock();
    this.#begunAt = this.#clock.now();
    requirePositive("bytesPerSecond", this.#bytesPerSecond);
    requirePositive("tickMs", this.#tickMs);
    requirePositive("maxBodyBytes", options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    requirePositive("replaySpeed", options.replaySpeed ?? 1);
    this.#template = toTemplate(options.anyModel ?? false);
    this.#state = this.#newState();
    this.#offered = this.#resolveModels(options.models ?? Object.keys(presets), "offer");
    this.#installed = this.#resolveModels(options.installed ?? [], "install", this.#offered);
    this.#setUp();
    this.#checkTemplate();
    const { faults = [], registry = {} } = options;
    checkFaults(faults, this.#targetsOf("chance" in faults ? [] : faults));
    checkRegistryOptions(registry, this.#targetsOf(registry.faults ?? []));
    checkFallback(options.fallback);
    this.#hosts = new Hosts(options.hosts);
    this.#log = new RequestLog(() => this.#clock.now(), (request) => options.onRequest?.(request));
    this.#registryEndpoints = new RegistryEndpoints(
      () => this.#state.catalog,
      options.registry ?? {},
    );
    this.registry = this.#openRegistry();
    this.#register();
    this.fetch = (...parameters: readonly unknown[]) => this.#fetch(toRequest(parameters));
    const nextRandom = seededNumbers(options.seed ?? 0, "client");
    this.client = {
      fetch: this.fetch,
      now: () => this.#clock.now(),
      sleep: (milliseconds, signal) => this.#clock.sleep(milliseconds, signal),
      random: () => nextRandom() / 2 ** 32,
    };
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
    const listener = await listen((request) => this.#answer(request), options);
    this.#useRealTime();
    const close = async () => {
      this.#listeners.delete(opened);
      await listener.close();
    };
    const opened: Listener = { url: listener.url, close, [Symbol.asyncDispose]: close };
    this.#listeners.add(opened);
    return opened;
  }

  setFaults(faults: readonly Fault[] | RandomFaults): void {
    checkFaults(faults, this.#targetsOf("chance" in faults ? [] : faults));
    this.#state.faults.set(faults);
  }

  addFault(fault: Fault): void {
    checkFaults([fault], this.#targetsOf([fault]));
    this.#state.faults.add(fault);
  }

  clearFaults(): void {
    this.#state.faults.set([]);
  }

  get unstruckFaults(): readonly Fault[] {
    return this.#state.faults.unstruck;
  }

  hold(options: HoldOptions = {}): PullHold {
    const { at, model } = options;
    checkPoint("hold", { at: "point" }, at);
    requireModelAndLayer("hold", { model, layer: at?.layer }, this.#targetsOf([options]));
    return this.#state.faults.hold(options);
  }

  nodeListener(): NodeListener {
    this.#useRealTime();
    const takesAll = this.#options.fallback !== undefined;
    return toNodeListener(
      (request) => this.#answer(request),
      (request) => takesAll || isServed(this.#app, request),
    );
  }

  reset(): void {
    this.#published.clear();
    this.#state = this.#newState();
    this.#setUp();
    this.#registryEndpoints.reset();
    this.#log.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }

  #useRealTime(): void {
    const clock = this.#options.clock ?? realClock;
    if (clock === this.#clock) return;
    this.#begunAt = clock.now() - this.#now();
    this.#clock = clock;
  }

  #newState(): State {
    const { seed = 0, realBytes = false, recordings = [] } = this.#options;
    const store = new BlobStore(this.#bytesPerSecond);
    return {
      store,
      catalog: new Catalog({
        seed,
        realBytes,
        template: this.#template,
        onUnused: (digest) => store.remove(digest),
        today: () => dateBy(this.#clock),
      }),
      faults: new FaultSet(this.#options.faults ?? [], seededNumbers(seed, "faults")),
      recorded: new RecordedModels(recordings),
    };
  }

  /** The models that descriptions mean. A name may be that of one of the `known` models. */
  #resolveModels(
    descriptions: Iterable<MockModel | string>,
    use: "offer" | "install",
    known: readonly Model[] = [],
  ): readonly Model[] {
    const models: Model[] = [];
    for (const description of descriptions) {
      const name = typeof description === "string" ? parseModelName(description) : undefined;
      const model = (name && findModel(known, name)) ?? this.#state.catalog.resolve(description);
      if (findModel(models, model.name)) {
        const shown = show(shortName(model.name));
        throw new ConfigurationError(
          `Cannot ${use} the model ${shown} twice: leave out one of them`,
        );
      }
      models.push(model);
    }
    return models;
  }

  /** Offers and installs what the options say. */
  #setUp(): void {
    const { catalog } = this.#state;
    const complete = new Map(this.#offered.map((model) => [model, catalog.offer(model)]));
    const installed = this.#installed.map((model) => {
      const isOlder = findModel(this.#offered, model.name) !== undefined;
      return complete.get(model) ?? (isOlder ? catalog.complete(model) : catalog.offer(model));
    });
    this.#ready = installed.length === 0 ? undefined : this.#install(installed);
    this.#ready?.catch(() => {}); // every request rejects with it
  }

  /** Installs models whose digests may still be being computed. The first one is the latest. */
  async #install(models: readonly Promise<Model>[]): Promise<void> {
    const { catalog, store } = this.#state;
    for (const model of (await Promise.all(models)).reverse()) {
      catalog.install(model);
      for (const blob of blobsOf(model)) store.fill(blob);
    }
  }

  /** Makes a model of any name, so that a template that cannot be used is an error now. */
  #checkTemplate(): void {
    const model = this.#state.catalog.make(requireModelName("any/model"));
    if (model) this.#state.catalog.claim(model);
  }

  /** What faults may strike: the models that are recorded or offered at first, and others that faults name. */
  #targetsOf(faults: readonly { readonly model?: string | undefined }[]): readonly Model[] {
    const { models: recorded } = this.#state.recorded;
    const simulated = [...this.#offered, ...this.#published.values()];
    const offered = [...recorded, ...simulated.filter(({ name }) => !findModel(recorded, name))];
    const others = faults.flatMap(({ model }) => {
      const name = model === undefined ? undefined : parseModelName(model);
      if (!name || findModel(offered, name)) return [];
      return findModel(this.#installed, name) ?? this.#state.catalog.make(name) ?? [];
    });
    return [...offered, ...others];
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
    const { catalog, faults } = this.#state;
    const model = catalog.resolve(description);
    for (const fault of faults.all) {
      if (isMeantFor(fault, model.name)) requireTarget(fault, [model]);
    }
    catalog.offer(model);
    this.#published.set(modelKey(model.name), model);
  }

  /** Answers a request in process, and rejects at once when its signal aborts, as `fetch` does. */
  async #fetch(request: Request): Promise<Response> {
    const { signal } = request;
    signal.throwIfAborted();
    const url = new URL(request.url);
    if (this.#hosts.has(url)) return await abortable(this.#answer(request), signal);
    const { fallback } = this.#options;
    if (!fallback) throw this.#hosts.refuse(url);
    return await abortable(this.#answer(request, fallback), signal);
  }

  async #answer(request: Request, fallback = this.#fallbackFor(request)): Promise<Response> {
    const exchange = new Exchange(request, this.#log, this.#clock);
    try {
      if (this.#ready) await this.#ready;
      const response = fallback
        ? await handOn(request, fallback, exchange)
        : await this.#app.fetch(request, { exchange });
      exchange.entry.status = response.status;
      if (request.method === "HEAD" || !exchange.isStreamed) exchange.end(exchange.outcome);
      return response;
    } catch (error) {
      exchange.end("faulted");
      throw error;
    }
  }

  /** Who answers a request instead of the app, if anybody does. */
  #fallbackFor(request: Request): Fallback | undefined {
    const { fallback } = this.#options;
    return fallback && !isServed(this.#app, request) ? fallback : undefined;
  }

  #register(): void {
    const app = this.#app;
    const { origins = [], maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = this.#options;
    app.use(browserAccess(origins));
    app.use(bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => answerJson({ error: "http: request body too large" }, 413),
    }));
    app.use(refuseHead());
    app.use(strikeEarly((path) => this.#state.faults.forRequest(path)));
    app.post("/api/pull", (context) => answerPull(context, this.#pullOptions()));
    registerNeighbours(app, {
      catalog: () => this.#state.catalog,
      zoneOf: (milliseconds) => this.#zoneOf(milliseconds),
      store: () => this.#state.store,
      dialect: this.#dialect,
      now: () => this.#now(),
      isNeverLate: this.#isNeverLate,
      tickMs: this.#tickMs,
      bytesPerSecond: this.#bytesPerSecond,
    });
    registerLocalModels(app, () => this.#state.catalog);
    registerOpenAi(app, () => this.#state.catalog);
    this.#registryEndpoints.register(app);
    app.notFound((context) => answerNotFound(app, context));
    app.onError((error, { env }) => {
      if (!(error instanceof Refusal)) throw error;
      const { message, status, contentType } = error;
      env.exchange.entry.error = message;
      return answerJson({ error: message }, status, contentType);
    });
  }

  /**
   * The time of the downloads, in milliseconds. It begins with the server, since a number that counts from
   * 1970 has no room for the parts of a millisecond in which bytes come.
   */
  #now(): number {
    return this.#clock.now() - this.#begunAt;
  }

  /** The zone of the machine is only told where its clock is used: else, a run would depend on it. */
  #zoneOf(milliseconds: number): number {
    return this.#clock === realClock
      ? -new Date(milliseconds).getTimezoneOffset()
      : MADE_UP_ZONE_MINUTES;
  }

  /** Whether the clock is exact, as a virtual one is. */
  get #isNeverLate(): boolean {
    return this.#clock instanceof VirtualClock;
  }

  #pullOptions(): PullEndpointOptions {
    const { catalog, store, recorded } = this.#state;
    return {
      catalog,
      store,
      dialect: this.#dialect,
      tickMs: this.#tickMs,
      now: () => this.#now(),
      isNeverLate: this.#isNeverLate,
      recorded,
      replaySpeed: this.#options.replaySpeed ?? 1,
      faultsFor: (name) => this.#state.faults.forPull(name),
    };
  }
}

/** What any model is made of, after a check, or `undefined` if there is none. */
function toTemplate(anyModel: boolean | MockModelTemplate): MockModelTemplate | undefined {
  if (typeof anyModel === "boolean") return anyModel ? {} : undefined;
  if (typeof anyModel !== "object" || anyModel === null) {
    throw new ConfigurationError(
      `Cannot use the anyModel ${show(anyModel)}: it must be true, or a model such as ` +
        "{ size: 1000 }",
    );
  }
  return anyModel;
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
