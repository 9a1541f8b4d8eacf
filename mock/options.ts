/**
 * The options and the interface of a mock server.
 *
 * @module
 */

import type { DialectName } from "../src/dialects.ts";
import type { Clock } from "./clock/clock.ts";
import type { Fallback } from "./endpoints/fallback.ts";
import type { RegistryOptions } from "./endpoints/registry.ts";
import type { LoggedRequest } from "./exchange/request_log.ts";
import type { HoldOptions } from "./faults/fault_set.ts";
import type { Fault, RandomFaults } from "./faults/faults.ts";
import type { PullHold } from "./faults/hold.ts";
import type { Manifest } from "./models/manifests.ts";
import type { MockModel, MockModelTemplate } from "./models/models.ts";
import type { Recording } from "./recordings/recording.ts";
import type { AsyncDisposableIfKnown } from "./runtime/async_dispose.ts";
import type { Listener, ListenOptions } from "./runtime/listen.ts";
import type { NodeListener } from "./runtime/node_listener.ts";

/** The models and the behaviour of a mock. */
export interface MockSetup {
  /**
   * The models in the registry: descriptions, or names of {@link presets}.
   *
   * @default all presets
   */
  models?: Iterable<MockModel | string> | undefined;
  /**
   * The models that are installed from the start, in the order in which `/api/tags` lists them: descriptions,
   * or names of `models` or {@link presets}. They need not be in `models`: the registry has them anyway, so a
   * pull finds every layer already on disk. If `models` has another version of one, a pull updates it. Their
   * date is the time when the server is created or reset.
   *
   * @default none
   */
  installed?: Iterable<MockModel | string> | undefined;
  /**
   * Whether the registry has a model of every name, besides those in `models`: a small one, or one as
   * described here. Its digests depend only on the name and the seed.
   *
   * @default {false}
   */
  anyModel?: boolean | MockModelTemplate | undefined;
  /**
   * How the server reports a pull.
   *
   * @default {"spec"}
   */
  dialect?: DialectName | undefined;
  /**
   * The bandwidth that all downloads share, in bytes per second. With `Infinity`, they take no time.
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
  /**
   * Recorded pulls, as read by {@link parseRecording}. A pull of a recorded model gets the recorded answer:
   * the same status and bytes, with the same times between them. If a model was recorded several times, each
   * pull of it plays the next recording; the last one then repeats. Streamed recordings answer requests for a
   * stream, and others the rest.
   *
   * Only the faults that need no simulated download can strike: `http-error`, `slow-first-byte`, those that
   * cut, delay or reframe the bytes, and those that send a line. Their percentages refer to the progress that
   * the recorded lines report.
   *
   * @default none
   */
  recordings?: readonly Recording[] | undefined;
  /**
   * How fast to play recorded pulls, as a multiple of the recorded speed: 10 plays a minute in six seconds. With
   * `Infinity`, they take no time.
   *
   * @default {1}
   */
  replaySpeed?: number | undefined;
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
   * Whether to compute digests from the real bytes of the layers, which a real server that pulls from the
   * mock's registry checks. This takes time and memory in proportion to the size of the layers.
   *
   * @default {false}
   */
  realBytes?: boolean | undefined;
  /** The registry that the server pulls from. */
  registry?: RegistryOptions | undefined;
  /**
   * The origins whose pages may call the mock, besides those that the real server allows (pages of the same
   * machine). `"*"` allows all.
   */
  origins?: readonly string[] | undefined;
  /**
   * The largest accepted request body, in bytes.
   *
   * @default {16777216}
   */
  maxBodyBytes?: number | undefined;
  /**
   * Answers the requests that the mock does not serve: a `fetch`, the handler of an app, or `forwardTo` a
   * server. It gets the request unchanged, and its answer is streamed. A path of the mock is always answered
   * by the mock, whatever the method.
   *
   * @default 501 for endpoints that only the real server has, otherwise 404
   */
  fallback?: Fallback | undefined;
  /**
   * The addresses that `fetch` answers for, each with or without a port: `localhost:11434`, `ollama.test`.
   * Requests to others go to the `fallback`; without one, `fetch` rejects with a `TypeError`. A mock that
   * listens ignores this option for requests on its port.
   *
   * @default every address
   */
  hosts?: readonly string[] | undefined;
}

/** Options of {@link createMockServer}: a set-up, and options that later set-ups do not change. */
export interface MockServerOptions extends MockSetup {
  /**
   * Whether tests may control the mock over HTTP, at `/__mock/…`, in any language. Only programs on the same
   * machine can, and pages from other origins cannot. `/__mock/openapi.json` describes it.
   *
   * @default {false}
   */
  control?: boolean | undefined;
  /** Called with each request when it has ended. */
  onRequest?: ((request: LoggedRequest) => void) | undefined;
}

/** Which request to wait for, and how long. */
export interface RequestEndedOptions {
  /** Count only requests to this path. @default any */
  path?: string | undefined;
  /** Stops waiting when it aborts. */
  signal?: AbortSignal | undefined;
}

/** The registry that the server pulls from. */
export interface MockRegistry {
  /** The names of its models, except models made on demand. */
  models(): Promise<readonly string[]>;
  /** Adds a model, or replaces the one with the same name. */
  publish(model: MockModel | string): void;
  /** Removes a model, and returns whether it was there. If it was pulled, it stays installed. */
  withdraw(name: string): boolean;
  /** The manifest of a model. The `layers` option of `pull` accepts its `layers` and `config`. */
  manifest(name: string): Promise<Manifest>;
}

/** What a client needs to use a mock in process: its `fetch`, and its clock. */
export interface MockClient {
  /** Answers a request in process, as {@link MockServer.fetch} does. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** The mock's time, in milliseconds. */
  now(): number;
  /**
   * Waits for a number of milliseconds of the mock's time. Rejects with the signal's reason when that aborts.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /**
   * A random number from 0 to 1, determined by the mock's seed, so that waits before retries are always the
   * same.
   */
  random(): number;
}

/** A mock of Ollama's server. `await using` stops its listeners. */
export interface MockServer extends AsyncDisposableIfKnown {
  /**
   * Answers a request as the handler of a Worker, so that the mock can be a Worker's default export.
   *
   * @param request The request.
   * @param env The bindings of the Worker, which are ignored.
   * @param context The context of the Worker, which is ignored.
   */
  fetch(request: Request, env: unknown, context: unknown): Promise<Response>;
  /**
   * Answers a request in process, without a port. It takes the same arguments as the global `fetch`, and can
   * replace it. Redirects are returned, not followed.
   *
   * @param input The address, or a request.
   * @param init The options, which override those of the request.
   */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /**
   * Options for `pull`: they connect it to the mock in process, and make both use the same clock. So speed
   * and time left are those of the simulated download, time limits apply to simulated time, and waits before
   * retries end at once.
   */
  readonly client: MockClient;
  /** Listens on a port of this machine. */
  listen(options?: ListenOptions): Promise<Listener>;
  /**
   * A listener for servers made by other code: `createServer(server.nodeListener())` of `node:http`, or
   * `app.use(server.nodeListener())` of Express, where requests that the mock does not serve go to the next
   * handler. As with `listen`, time is real from now on, unless the mock was given a clock.
   */
  nodeListener(): NodeListener;
  /** The requests that arrived, in order, and how each one ended. */
  readonly requests: readonly LoggedRequest[];
  /** The registry that the server pulls from. */
  readonly registry: MockRegistry;
  /** The clock. */
  readonly clock: Clock;
  /** How many callers are waiting for a download. */
  readonly activeDownloads: number;
  /** Replaces all faults, for pulls that begin from now on. */
  setFaults(faults: readonly Fault[] | RandomFaults): void;
  /** Adds a fault, for pulls that begin from now on. */
  addFault(fault: Fault): void;
  /** Removes all faults. Running pulls keep theirs. */
  clearFaults(): void;
  /** The faults, or the random ones. */
  readonly faults: readonly Fault[] | RandomFaults;
  /** The faults that have not struck yet, such as one at a point that no pull has reached. */
  readonly unstruckFaults: readonly Fault[];
  /**
   * Makes the next pull wait at a point until the hold is released. Meanwhile its downloads pause, and its
   * client is sent nothing.
   *
   * ```ts
   * import { pullModel, type PullProgress } from "@ollama-pull/kit";
   * import { createMockServer } from "@ollama-pull/kit/mock";
   * import { assertEquals } from "@std/assert";
   *
   * const server = createMockServer({ models: [{ name: "m", layers: [{ size: 1000 }], config: { size: 0 } }] });
   * const hold = server.hold({ at: { completed: "50%" } });
   * let latest: PullProgress | undefined;
   * const pulling = pullModel("m", { ...server.client, onProgress: (progress) => latest = progress });
   * await hold.reached;
   * assertEquals(latest?.completed, 500);
   * hold.release();
   * await pulling;
   * ```
   *
   * @throws {ConfigurationError} If the point or the model cannot be used.
   */
  hold(options?: HoldOptions): PullHold;
  /**
   * Installs a model at once, as if it had been pulled: a description, or the name of a model in the registry
   * or of a preset. If the registry has another version of it, a pull updates it.
   */
  install(model: MockModel | string): Promise<void>;
  /**
   * Waits until a request has ended. A client may get its answer slightly before the log has the outcome.
   *
   * @param number Which request, counted from 1 in order of arrival.
   * @param options Which requests to count, and when to stop waiting.
   * @return The request and how it ended.
   * @throws The signal's reason, if that aborts first.
   */
  requestEnded(number: number, options?: RequestEndedOptions): Promise<LoggedRequest>;
  /** Clears the request log, and counts from 1 again. */
  clearRequests(): void;
  /**
   * Replaces the set-up, as if the server had just been created with it: options that are left out get their
   * defaults. The request log is cleared and all holds are released. Running pulls keep the set-up they began
   * with.
   *
   * @throws {ConfigurationError} If an option cannot be used. Then nothing changes.
   */
  setUp(setup: MockSetup): void;
  /**
   * Restores the set-up with which the server was created, so that tests do not depend on each other: it has
   * only its `installed` models, its registry has its first models whatever was published or withdrawn since,
   * the request log is empty, all holds are released, and it has its first faults, none of which has struck.
   * The clock is not reset, and running pulls go on, including those that were held.
   */
  reset(): void;
}
