/**
 * What a mock server takes, and what it gives.
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

/** What a mock offers and how it behaves. */
export interface MockSetup {
  /**
   * The models that the registry offers: descriptions, or names of {@link presets}.
   *
   * @default all presets
   */
  models?: Iterable<MockModel | string> | undefined;
  /**
   * The models that are installed from the start, in the order in which `/api/tags` lists them:
   * descriptions, or names of `models` or of {@link presets}. They need not be in `models`: the registry
   * has them as well, so a pull finds every layer there already. Where `models` has another version of
   * one, a pull updates it. Their date is the time at which the server is made or reset.
   *
   * @default none
   */
  installed?: Iterable<MockModel | string> | undefined;
  /**
   * Whether the registry has a model of any name, besides those in `models`: a small one, or one as
   * described here. Its digests follow from the name and the seed.
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
   * Pulls that were recorded, as {@link parseRecording} reads them. A pull of a recorded model is answered
   * as it was then: with the same status and bytes, and the same times between them. Where a model was
   * recorded several times, each pull of it plays the next one, and then the last one again. Pulls that asked
   * for a stream are played to those that do, and others to others.
   *
   * Of the faults, those strike that need no simulated download: `http-error`, `slow-first-byte`, those that
   * cut, delay or frame what is sent, and those that send a line. The shares at which they strike are those
   * that the recorded lines report.
   *
   * @default none
   */
  recordings?: readonly Recording[] | undefined;
  /**
   * How many times as fast as they were recorded pulls are played: 10 makes a minute six seconds. With
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
   * @default {16777216}
   */
  maxBodyBytes?: number | undefined;
  /**
   * Answers what the mock does not serve: a `fetch`, the handler of an app, or `forwardTo` a server. It
   * gets the request as it came, and its answer is streamed. A path of the mock stays the mock's, whatever
   * the method.
   *
   * @default what Ollama has and the mock has not is refused with 501, anything else with 404
   */
  fallback?: Fallback | undefined;
  /**
   * The addresses for which `fetch` answers, each with or without a port: `localhost:11434`,
   * `ollama.test`. Others go to the `fallback`; without one, `fetch` rejects with a `TypeError`. Of no
   * meaning to a mock that listens.
   *
   * @default every address
   */
  hosts?: readonly string[] | undefined;
}

/** Options of {@link createMockServer}: the set-up, and what stays when that is replaced. */
export interface MockServerOptions extends MockSetup {
  /**
   * Whether tests may steer the mock over HTTP, at `/__mock/…`, in any language. Only programs of the same
   * machine can, and pages in browsers cannot. `/__mock/openapi.json` describes it.
   *
   * @default {false}
   */
  control?: boolean | undefined;
  /** Called with each request when it has ended. */
  onRequest?: ((request: LoggedRequest) => void) | undefined;
}

/** Which request is waited for, and how long. */
export interface RequestEndedOptions {
  /** The path of the requests that are counted. @default any */
  path?: string | undefined;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/** The registry that the server pulls from. */
export interface MockRegistry {
  /** The names of the models that it offers, but for those that are made when they are asked for. */
  models(): Promise<readonly string[]>;
  /** Offers a model, in place of one of the same name if there is one. */
  publish(model: MockModel | string): void;
  /** Stops offering a model, and returns whether it was offered. A pulled model stays pulled. */
  withdraw(name: string): boolean;
  /** The manifest of a model. Its `layers` and `config` are what the `layers` option of `pull` takes. */
  manifest(name: string): Promise<Manifest>;
}

/** What a client takes to live with a mock in process: its `fetch`, and its time. */
export interface MockClient {
  /** Answers a request in process, as {@link MockServer.fetch} does. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** The time of the mock, in milliseconds. */
  now(): number;
  /** Waits for a number of the mock's milliseconds. Rejects with the signal's reason when that aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 to 1, by the seed of the mock: the waits before retries are the same in each run. */
  random(): number;
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
  /**
   * Options for `pull`: it talks to the mock in process, and both have one clock. So the speed and the time
   * left are those of the download that is mocked, time limits end what is mocked to stand still, and
   * waits before retries are over at once.
   */
  readonly client: MockClient;
  /** Listens on a port of this machine. */
  listen(options?: ListenOptions): Promise<Listener>;
  /**
   * A listener for servers that others made: `createServer(server.nodeListener())` of `node:http`, or
   * `app.use(server.nodeListener())` of Express, where it passes on what the mock does not serve. As with
   * `listen`, time is real from now on, unless the mock was given a clock.
   */
  nodeListener(): NodeListener;
  /** The requests that arrived, in order, and how each of them ended. */
  readonly requests: readonly LoggedRequest[];
  /** The registry that the server pulls from. */
  readonly registry: MockRegistry;
  /** The clock. */
  readonly clock: Clock;
  /** How many callers wait for a download. */
  readonly activeDownloads: number;
  /** Replaces all faults, for the pulls that begin from now on. */
  setFaults(faults: readonly Fault[] | RandomFaults): void;
  /** Adds a fault to those that there are, for the pulls that begin from now on. */
  addFault(fault: Fault): void;
  /** Takes all faults away. Pulls that have begun keep theirs. */
  clearFaults(): void;
  /** The faults, or the random ones. */
  readonly faults: readonly Fault[] | RandomFaults;
  /** The faults that have not struck, such as one at a point that no pull has come to. */
  readonly unstruckFaults: readonly Fault[];
  /**
   * Has the next pull wait at a point, until it is let go on. Its downloads stand still, and its client is
   * sent nothing, as long as that waits for it.
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
   * Installs a model at once, as if it had been pulled: a description, or the name of one that is offered or
   * of a preset. Where the registry offers another version of it, a pull updates it.
   */
  install(model: MockModel | string): Promise<void>;
  /**
   * Waits until a request has ended: a client may have its answer a little before the log has its outcome.
   *
   * @param number Which one, in the order in which they arrived, counted from 1.
   * @param options Which requests are counted, and what ends the waiting.
   * @return How it ended.
   * @throws The reason of the signal, if that aborts before.
   */
  requestEnded(number: number, options?: RequestEndedOptions): Promise<LoggedRequest>;
  /** Forgets the requests that have arrived, and counts from 1 again. */
  clearRequests(): void;
  /**
   * Sets the server up anew, as if it had been made so: what is left out has its default. No request is
   * logged, and nothing is held. Running pulls go on by the set-up with which they began.
   *
   * @throws {ConfigurationError} If an option cannot be used. Then, everything stays as it is.
   */
  setUp(setup: MockSetup): void;
  /**
   * Sets the server up as it was when it was made, so that no test depends on the one before: it has only
   * the `installed` models, the registry offers what it offered at first whatever was published or
   * withdrawn since, no request is logged, nothing is held, and it has its first faults, none of which has
   * struck. The clock goes on, and so do running pulls; those that were held are let go on.
   */
  reset(): void;
}
