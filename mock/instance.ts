/**
 * A mock with one set-up, until the next one replaces it: what is in the registry and on the disk, the
 * faults, and the app that answers requests.
 *
 *     Request ─▶ app ─▶ pull endpoint ─▶ PullJob ─▶ FaultInjector ─▶ Exchange ─▶ Response
 *                 │           │             └── BlobStore: what is on disk, and one download per blob
 *                 │           └── Catalog: the registry's models and the installed ones
 *                 ├── neighbours, local models, OpenAI's list
 *                 └── registry
 *
 * Requests that the app does not serve go to the fallback, if there is one.
 *
 * @module
 */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Dialect } from "../src/dialects.ts";
import { type Clock, dateBy } from "./clock/clock.ts";
import { realClock } from "./clock/real.ts";
import { VirtualClock } from "./clock/virtual.ts";
import { ConfigurationError, inPlace, show } from "./configuration_error.ts";
import { registerBlobs } from "./endpoints/blobs.ts";
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
import type { Exchange, MockEnvironment } from "./exchange/exchange.ts";
import { answerJson } from "./exchange/json_answer.ts";
import { Refusal } from "./exchange/refusal.ts";
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
import type { MockRegistry, MockSetup } from "./options.ts";
import { dialectNamed } from "./pull/dialects.ts";
import { BlobStore } from "./pull/downloads.ts";
import { RecordedModels } from "./recordings/recorded_models.ts";
import { seededNumbers } from "./runtime/random.ts";

const DEFAULT_BYTES_PER_SECOND = 100_000_000;
const DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * The time zone of dates with virtual and custom clocks. It is made up, so that clients cannot rely on it
 * being their own.
 */
const MADE_UP_ZONE_MINUTES = -7 * 60;

/** A mock with one set-up. */
export class MockInstance {
  /** The registry that it pulls from. */
  readonly registry: MockRegistry;
  /** The faults. */
  readonly faults: FaultSet;
  /** Returns the next random number from 0 to 1. The seed determines the sequence. */
  readonly random: () => number;
  readonly #setup: MockSetup;
  readonly #offered: readonly Model[];
  readonly #published = new Map<string, Model>();
  readonly #installed: readonly Model[];
  readonly #dialect: Dialect;
  readonly #tickMs: number;
  readonly #bytesPerSecond: number;
  readonly #store: BlobStore;
  readonly #catalog: Catalog;
  readonly #recorded: RecordedModels;
  readonly #hosts: Hosts;
  readonly #app = new Hono<MockEnvironment>();
  #clock: Clock;
  /** The clock's time when the downloads' time was 0. */
  #begunAt: number;
  /** Resolves when the models to install at the start are installed. `undefined` if there are none. */
  readonly #ready: Promise<void> | undefined;

  /**
   * Sets up a mock.
   *
   * @throws {ConfigurationError} If the set-up cannot be used.
   */
  constructor(setup: MockSetup, clock: Clock) {
    const { seed = 0, faults = [], registry = {} } = setup;
    this.#setup = setup;
    this.#clock = clock;
    this.#begunAt = clock.now();
    this.#dialect = inPlace("dialect", () => dialectNamed(setup.dialect ?? "spec"));
    this.#tickMs = setup.tickMs ?? this.#dialect.tickMs;
    this.#bytesPerSecond = setup.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
    requirePositive("bytesPerSecond", this.#bytesPerSecond);
    requirePositive("tickMs", this.#tickMs);
    requirePositive("maxBodyBytes", setup.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    requirePositive("replaySpeed", setup.replaySpeed ?? 1);
    const store = new BlobStore(this.#bytesPerSecond);
    this.#store = store;
    this.#catalog = new Catalog({
      seed,
      realBytes: setup.realBytes ?? false,
      template: inPlace("anyModel", () => toTemplate(setup.anyModel ?? false)),
      onUnused: (digest) => store.remove(digest),
      today: () => dateBy(this.#clock),
    });
    this.#recorded = inPlace("recordings", () => new RecordedModels(setup.recordings ?? []));
    this.#offered = this.#resolveModels(setup.models ?? Object.keys(presets), "models");
    this.#installed = this.#resolveModels(setup.installed ?? [], "installed", this.#offered);
    this.#ready = this.#offerAndInstall();
    inPlace("anyModel", () => this.#checkTemplate());
    this.#checkFaults(faults);
    inPlace(
      "registry",
      () => checkRegistryOptions(registry, this.#targetsOf(registry.faults ?? [])),
    );
    inPlace("fallback", () => checkFallback(setup.fallback));
    this.#hosts = inPlace("hosts", () => new Hosts(setup.hosts));
    this.faults = new FaultSet(faults, seededNumbers(seed, "faults"));
    const nextRandom = seededNumbers(seed, "client");
    this.random = () => nextRandom() / 2 ** 32;
    this.registry = this.#openRegistry();
    this.#register(new RegistryEndpoints(this.#catalog, registry));
  }

  /** How many callers wait for a download. */
  get activeDownloads(): number {
    return this.#store.callers;
  }

  /** Switches to another clock. */
  useClock(clock: Clock): void {
    if (clock === this.#clock) return;
    this.#begunAt = clock.now() - this.#now();
    this.#clock = clock;
  }

  /**
   * Whether an address is the mock's own, or one that its fallback answers for.
   *
   * @throws {TypeError} If it is neither, as `fetch` does for an address that it cannot reach.
   */
  requireHost(url: URL): "own" | "foreign" {
    if (this.#hosts.has(url)) return "own";
    if (this.#setup.fallback) return "foreign";
    throw this.#hosts.refuse(url);
  }

  /** Whether the mock or its fallback answers a request, rather than leave it to the next handler. */
  takes(request: Request): boolean {
    return this.#setup.fallback !== undefined || isServed(this.#app, request);
  }

  /** Answers a request to its own address, or, through the fallback, to another one. */
  async answer(request: Request, exchange: Exchange, host: "own" | "foreign"): Promise<Response> {
    if (this.#ready) await this.#ready;
    const fallback = this.#fallbackFor(request, host);
    return fallback
      ? await handOn(request, fallback, exchange)
      : await this.#app.fetch(request, { exchange });
  }

  /** Replaces all faults. */
  setFaults(faults: readonly Fault[] | RandomFaults): void {
    this.#checkFaults(faults);
    this.faults.set(faults);
  }

  /** Adds a fault. */
  addFault(fault: Fault): void {
    requireTarget(fault, this.#targetsOf([fault]));
    this.faults.add(fault);
  }

  /** Makes the next pull wait at a point. */
  hold(options: HoldOptions): PullHold {
    const { at, model } = options;
    checkPoint("hold", { at: "point" }, at);
    requireModelAndLayer("hold", { model, layer: at?.layer }, this.#targetsOf([options]));
    return this.faults.hold(options);
  }

  /** Installs a model as if it had been pulled: a description, or the name of a model in the registry. */
  async install(description: MockModel | string): Promise<void> {
    const catalog = this.#catalog;
    const name = typeof description === "string" ? parseModelName(description) : undefined;
    const offered = name && await catalog.find(name);
    if (offered) return await this.#install([offered]);
    const model = catalog.resolve(description);
    const isOlder = await catalog.findOffered(model.name) !== undefined;
    await this.#install([isOlder ? catalog.complete(model) : catalog.offer(model)]);
  }

  /** The fallback, if it and not the app should answer a request. */
  #fallbackFor(request: Request, host: "own" | "foreign"): Fallback | undefined {
    const { fallback } = this.#setup;
    return host === "foreign" || !isServed(this.#app, request) ? fallback : undefined;
  }

  /** Resolves descriptions to models. A name may also be that of one of the `known` models. */
  #resolveModels(
    descriptions: Iterable<MockModel | string>,
    option: "models" | "installed",
    known: readonly Model[] = [],
  ): readonly Model[] {
    const models: Model[] = [];
    for (const description of descriptions) {
      inPlace(`${option}[${models.length}]`, () => {
        const name = typeof description === "string" ? parseModelName(description) : undefined;
        const model = (name && findModel(known, name)) ?? this.#catalog.resolve(description);
        if (findModel(models, model.name)) {
          const what = `${option === "models" ? "offer" : "install"} the model`;
          throw new ConfigurationError(
            `Cannot ${what} ${show(shortName(model.name))} twice: leave out one of them`,
          );
        }
        models.push(model);
      });
    }
    return models;
  }

  /** Adds the set-up's models to the registry, and installs those that it lists as installed. */
  #offerAndInstall(): Promise<void> | undefined {
    const catalog = this.#catalog;
    const complete = new Map(
      this.#offered.map((model, index) => [
        model,
        inPlace(`models[${index}]`, () => catalog.offer(model)),
      ]),
    );
    const installed = this.#installed.map((model, index) =>
      inPlace(`installed[${index}]`, () => {
        const isOlder = findModel(this.#offered, model.name) !== undefined;
        return complete.get(model) ?? (isOlder ? catalog.complete(model) : catalog.offer(model));
      })
    );
    const ready = installed.length === 0 ? undefined : this.#install(installed);
    ready?.catch(() => {}); // every request rejects with it
    return ready;
  }

  /**
   * Installs models, waiting for digests still being computed. The first model becomes the most recent one.
   */
  async #install(models: readonly (Model | Promise<Model>)[]): Promise<void> {
    for (const model of (await Promise.all(models)).reverse()) {
      this.#catalog.install(model);
      for (const blob of blobsOf(model)) this.#store.fill(blob);
    }
  }

  /** Makes a model from the template, so that an invalid template is an error now. */
  #checkTemplate(): void {
    const model = this.#catalog.make(requireModelName("any/model"));
    if (model) this.#catalog.claim(model);
  }

  /** Checks that every fault is valid and can strike one of the models. */
  #checkFaults(faults: readonly Fault[] | RandomFaults): void {
    if ("chance" in faults) return inPlace("faults", () => checkRandomFaults(faults));
    for (const [index, fault] of faults.entries()) {
      inPlace(`faults[${index}]`, () => requireTarget(fault, this.#targetsOf(faults)));
    }
  }

  /**
   * The models that faults may name: recorded ones, those in the registry at first, and others made on
   * demand.
   */
  #targetsOf(faults: readonly { readonly model?: string | undefined }[]): readonly Model[] {
    const { models: recorded } = this.#recorded;
    const simulated = [...this.#offered, ...this.#published.values()];
    const offered = [...recorded, ...simulated.filter(({ name }) => !findModel(recorded, name))];
    const others = faults.flatMap(({ model }) => {
      const name = model === undefined ? undefined : parseModelName(model);
      if (!name || findModel(offered, name)) return [];
      return findModel(this.#installed, name) ?? this.#catalog.make(name) ?? [];
    });
    return [...offered, ...others];
  }

  #openRegistry(): MockRegistry {
    return {
      models: async () => (await this.#catalog.offered()).map(({ name }) => shortName(name)),
      publish: (description) => this.#publish(description),
      withdraw: (name) => this.#catalog.withdraw(requireModelName(name)),
      manifest: async (name) => {
        const model = await this.#catalog.find(requireModelName(name));
        if (model) return manifestOf(model);
        throw new ConfigurationError(
          `Cannot find the model ${show(name)} in the registry: publish it first`,
        );
      },
    };
  }

  #publish(description: MockModel | string): void {
    const model = this.#catalog.resolve(description);
    for (const fault of this.faults.all) {
      if (isMeantFor(fault, model.name)) requireTarget(fault, [model]);
    }
    this.#catalog.offer(model);
    this.#published.set(modelKey(model.name), model);
  }

  #register(registry: RegistryEndpoints): void {
    const app = this.#app;
    const { origins = [], maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = this.#setup;
    app.use(browserAccess(origins));
    app.use(bodyLimit({
      maxSize: maxBodyBytes,
      onError: refuseLongBody,
    }));
    app.use(refuseHead());
    app.use(strikeEarly((path) => this.faults.forRequest(path)));
    app.post("/api/pull", (context) => answerPull(context, this.#pullOptions()));
    registerNeighbours(app, {
      catalog: this.#catalog,
      zoneOf: (milliseconds) => this.#zoneOf(milliseconds),
      store: this.#store,
      dialect: this.#dialect,
      now: () => this.#now(),
      isNeverLate: this.#isNeverLate,
      tickMs: this.#tickMs,
      bytesPerSecond: this.#bytesPerSecond,
    });
    registerLocalModels(app, this.#catalog);
    registerBlobs(app, { store: this.#store, now: () => this.#now() });
    registerOpenAi(app, this.#catalog);
    registry.register(app);
    app.notFound((context) => answerNotFound(app, context));
    app.onError((error, { env }) => {
      if (!(error instanceof Refusal)) throw error;
      const { message, status, contentType } = error;
      env.exchange.entry.error = message;
      return answerJson({ error: message }, status, contentType);
    });
  }

  /**
   * The downloads' time, in milliseconds. It starts at 0: a number counted from 1970 is too large to also
   * hold the fractions of a millisecond in which bytes arrive.
   */
  #now(): number {
    return this.#clock.now() - this.#begunAt;
  }

  /** The machine's time zone is used only with its clock. Otherwise, a run would depend on the machine. */
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
    return {
      catalog: this.#catalog,
      store: this.#store,
      dialect: this.#dialect,
      tickMs: this.#tickMs,
      now: () => this.#now(),
      isNeverLate: this.#isNeverLate,
      recorded: this.#recorded,
      replaySpeed: this.#setup.replaySpeed ?? 1,
      faultsFor: (name) => this.faults.forPull(name),
    };
  }
}

/**
 * Answers that the body is too large. Like Go, it also closes the connection, on which the rest of the body
 * would otherwise be read as the next request.
 */
function refuseLongBody(): Response {
  const response = answerJson({ error: "http: request body too large" }, 413);
  response.headers.set("Connection", "close");
  return response;
}

/** The checked template for models of every name, or `undefined` if there is none. */
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
    { place: name },
  );
}

function checkRandomFaults({ chance, kinds }: RandomFaults): void {
  if (!(chance >= 0 && chance <= 1)) {
    throw new ConfigurationError(
      `Cannot use the chance ${show(chance)} of faults: it must be a number from 0 to 1`,
    );
  }
  if (kinds?.length === 0) {
    throw new ConfigurationError(
      "Cannot use the kinds [] of faults: name at least one, or leave out `kinds` to choose from all",
    );
  }
  for (const kind of kinds ?? []) armFault({ kind } as Fault);
}
