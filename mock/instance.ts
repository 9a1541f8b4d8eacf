/**
 * A mock from one set-up to the next: what the registry offers, what is on the disk, what goes wrong, and
 * the app that answers by it.
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

/** The zone of dates by other clocks than the real one, as clients must not take it for their own. */
const MADE_UP_ZONE_MINUTES = -7 * 60;

/** A mock from one set-up to the next. */
export class MockInstance {
  /** The registry that it pulls from. */
  readonly registry: MockRegistry;
  /** The faults. */
  readonly faults: FaultSet;
  /** A number from 0 to 1, by the seed. */
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
  /** The time of the clock at which that of the downloads began. */
  #begunAt: number;
  /** Resolves when the models that are there from the start are, or `undefined` if there are none. */
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

  /** Lives by another clock from now on. */
  useClock(clock: Clock): void {
    if (clock === this.#clock) return;
    this.#begunAt = clock.now() - this.#now();
    this.#clock = clock;
  }

  /**
   * Whether the mock answers for an address in process, be it by its fallback.
   *
   * @throws {TypeError} If it does not, as `fetch` does for an address that cannot be reached.
   */
  requireHost(url: URL): "own" | "foreign" {
    if (this.#hosts.has(url)) return "own";
    if (this.#setup.fallback) return "foreign";
    throw this.#hosts.refuse(url);
  }

  /** Whether the mock answers a request, where somebody else could. */
  takes(request: Request): boolean {
    return this.#setup.fallback !== undefined || isServed(this.#app, request);
  }

  /** Answers a request to an address of its own, or to one that only its fallback knows. */
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

  /** Has the next pull wait at a point. */
  hold(options: HoldOptions): PullHold {
    const { at, model } = options;
    checkPoint("hold", { at: "point" }, at);
    requireModelAndLayer("hold", { model, layer: at?.layer }, this.#targetsOf([options]));
    return this.faults.hold(options);
  }

  /** Installs a model, as if it had been pulled: a description, or the name of one that is offered. */
  async install(description: MockModel | string): Promise<void> {
    const catalog = this.#catalog;
    const name = typeof description === "string" ? parseModelName(description) : undefined;
    const offered = name && await catalog.find(name);
    if (offered) return await this.#install([offered]);
    const model = catalog.resolve(description);
    const isOlder = await catalog.findOffered(model.name) !== undefined;
    await this.#install([isOlder ? catalog.complete(model) : catalog.offer(model)]);
  }

  /** Who answers a request instead of the app, if anybody does. */
  #fallbackFor(request: Request, host: "own" | "foreign"): Fallback | undefined {
    const { fallback } = this.#setup;
    return host === "foreign" || !isServed(this.#app, request) ? fallback : undefined;
  }

  /** The models that descriptions mean. A name may be that of one of the `known` models. */
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

  /** Offers and installs what the set-up says. */
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

  /** Installs models whose digests may still be being computed. The first one is the latest. */
  async #install(models: readonly (Model | Promise<Model>)[]): Promise<void> {
    for (const model of (await Promise.all(models)).reverse()) {
      this.#catalog.install(model);
      for (const blob of blobsOf(model)) this.#store.fill(blob);
    }
  }

  /** Makes a model of any name, so that a template that cannot be used is an error now. */
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

  /** What faults may strike: the models that are recorded or offered at first, and others that faults name. */
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

/** Ends the connection, too, as Go does: the rest of the body would be taken for the next request. */
function refuseLongBody(): Response {
  const response = answerJson({ error: "http: request body too large" }, 413);
  response.headers.set("Connection", "close");
  return response;
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
      "Cannot use the kinds [] of faults: name at least one, or leave them out for all kinds",
    );
  }
  for (const kind of kinds ?? []) armFault({ kind } as Fault);
}
