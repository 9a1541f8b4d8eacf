/**
 * The mock server: logs requests, passes them to an instance, and replaces that for a new set-up.
 *
 *     Request ─▶ KitMockServer ─▶ Control: `/__mock/…`, if it is turned on
 *                     │  └── RequestLog
 *                     └─▶ MockInstance ─▶ Response
 *
 * @module
 */

import { abortable } from "../src/abortable.ts";
import type { Clock } from "./clock/clock.ts";
import { realClock } from "./clock/real.ts";
import { VirtualClock } from "./clock/virtual.ts";
import { isForControl } from "./control/access.ts";
import type { Control } from "./control/control.ts";
import { Exchange } from "./exchange/exchange.ts";
import { type LoggedRequest, RequestLog } from "./exchange/request_log.ts";
import type { HoldOptions } from "./faults/fault_set.ts";
import type { Fault, RandomFaults } from "./faults/faults.ts";
import type { PullHold } from "./faults/hold.ts";
import { MockInstance } from "./instance.ts";
import type { MockModel } from "./models/models.ts";
import type {
  MockClient,
  MockRegistry,
  MockServer,
  MockServerOptions,
  MockSetup,
  RequestEndedOptions,
} from "./options.ts";
import { listen, type Listener, type ListenOptions } from "./runtime/listen.ts";
import { type NodeListener, toNodeListener } from "./runtime/node_listener.ts";

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
 * @param options Its models and its behaviour.
 * @throws {ConfigurationError} If an option cannot be used. The message says which values are allowed.
 */
export function createMockServer(options: MockServerOptions = {}): MockServer {
  return new KitMockServer(options);
}

class KitMockServer implements MockServer {
  readonly registry: MockRegistry;
  readonly fetch: MockServer["fetch"];
  readonly client: MockClient;
  readonly #firstSetup: MockSetup;
  readonly #log: RequestLog;
  readonly #listeners = new Set<Listener>();
  /** The clock for set-ups that do not name one. */
  #defaultClock: Clock = new VirtualClock();
  #setup: MockSetup;
  #clock: Clock;
  #instance: MockInstance;
  /** The control interface, if it is turned on and loaded. */
  #control: Promise<Control> | undefined;
  readonly #isControlled: boolean;

  constructor({ onRequest, control = false, ...setup }: MockServerOptions) {
    this.#isControlled = control;
    this.#firstSetup = keep(setup);
    this.#setup = this.#firstSetup;
    this.#clock = this.#clockOf(this.#setup);
    this.#instance = new MockInstance(this.#setup, this.#clock);
    this.#log = new RequestLog(() => this.#clock.now(), (request) => onRequest?.(request));
    this.registry = {
      models: () => this.#instance.registry.models(),
      publish: (model) => this.#instance.registry.publish(model),
      withdraw: (name) => this.#instance.registry.withdraw(name),
      manifest: (name) => this.#instance.registry.manifest(name),
    };
    this.fetch = (...parameters: readonly unknown[]) => this.#fetch(toRequest(parameters));
    this.client = {
      fetch: this.fetch,
      now: () => this.#clock.now(),
      sleep: (milliseconds, signal) => this.#clock.sleep(milliseconds, signal),
      random: () => this.#instance.random(),
    };
  }

  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get activeDownloads(): number {
    return this.#instance.activeDownloads;
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    const listener = await listen((request, peer) => this.#answerPeer(request, peer), options);
    this.#useRealTime();
    const close = async () => {
      this.#listeners.delete(opened);
      await listener.close();
    };
    const opened: Listener = { url: listener.url, close, [Symbol.asyncDispose]: close };
    this.#listeners.add(opened);
    return opened;
  }

  nodeListener(): NodeListener {
    this.#useRealTime();
    return toNodeListener(
      (request, peer) => this.#answerPeer(request, peer),
      (request) => this.#isForControl(request) || this.#instance.takes(request),
    );
  }

  setFaults(faults: readonly Fault[] | RandomFaults): void {
    this.#instance.setFaults(faults);
  }

  addFault(fault: Fault): void {
    this.#instance.addFault(fault);
  }

  clearFaults(): void {
    this.#instance.setFaults([]);
  }

  get faults(): readonly Fault[] | RandomFaults {
    return this.#instance.faults.current;
  }

  get unstruckFaults(): readonly Fault[] {
    return this.#instance.faults.unstruck;
  }

  hold(options: HoldOptions = {}): PullHold {
    return this.#instance.hold(options);
  }

  async install(model: MockModel | string): Promise<void> {
    await this.#instance.install(model);
  }

  async requestEnded(
    number: number,
    { path, signal }: RequestEndedOptions = {},
  ): Promise<LoggedRequest> {
    return await this.#log.ended(number, path, signal);
  }

  clearRequests(): void {
    this.#log.clear();
  }

  setUp(setup: MockSetup): void {
    const kept = keep(setup);
    const clock = this.#clockOf(kept);
    const instance = new MockInstance(kept, clock);
    this.#instance.faults.releaseHolds();
    this.#setup = kept;
    this.#clock = clock;
    this.#instance = instance;
    this.#log.clear();
  }

  reset(): void {
    this.setUp(this.#firstSetup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }

  #clockOf({ clock }: MockSetup): Clock {
    return clock ?? this.#defaultClock;
  }

  #useRealTime(): void {
    this.#defaultClock = realClock;
    this.#clock = this.#clockOf(this.#setup);
    this.#instance.useClock(this.#clock);
  }

  /** Answers a request in process, and rejects at once when its signal aborts, as `fetch` does. */
  async #fetch(request: Request): Promise<Response> {
    const { signal } = request;
    signal.throwIfAborted();
    const host = this.#instance.requireHost(new URL(request.url));
    const answer = host === "own" ? this.#answerPeer(request) : this.#answer(request, host);
    return await abortable(answer, signal);
  }

  #isForControl({ url }: Request): boolean {
    return this.#isControlled && isForControl(new URL(url));
  }

  /** Answers a request that came over the network (from a peer), or in process. */
  async #answerPeer(request: Request, peer?: string): Promise<Response> {
    if (!this.#isForControl(request)) return await this.#answer(request);
    this.#control ??= this.#openControl();
    const answer = await this.#control;
    return await answer(request, peer);
  }

  async #openControl(): Promise<Control> {
    const { openControl } = await import("./control/control.ts");
    return openControl(this, {
      setup: () => this.#setup,
      holds: () => this.#instance.faults.holds,
    });
  }

  async #answer(request: Request, host: "own" | "foreign" = "own"): Promise<Response> {
    const exchange = new Exchange(request, this.#log, this.#clock);
    try {
      const response = await this.#instance.answer(request, exchange, host);
      exchange.entry.status = response.status;
      if (request.method === "HEAD" || !exchange.isStreamed) exchange.end(exchange.outcome);
      return response;
    } catch (error) {
      exchange.end("faulted");
      throw error;
    }
  }
}

/** A set-up that can be used repeatedly: iterables that can be read only once are copied. */
function keep(setup: MockSetup): MockSetup {
  const { models, installed } = setup;
  return { ...setup, models: models && [...models], installed: installed && [...installed] };
}

/**
 * The request that `fetch` was called with. Workers call `fetch(request, env, ctx)`, so with three arguments
 * the second one is not a `RequestInit`.
 */
function toRequest(parameters: readonly unknown[]): Request {
  const [input, init] = parameters as Parameters<typeof fetch>;
  const isWorker = parameters.length > 2;
  return input instanceof Request && (isWorker || init === undefined)
    ? input
    : new Request(input, init);
}
