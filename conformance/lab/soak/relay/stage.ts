/**
 * What viewers watch, and what goes wrong there: a relay, its upstream, and the wires between all of them.
 *
 *     viewers ── HTTP ── Wire ──▶ relay ── HTTP ── Wire ──▶ mock
 *                         │         │               │        │
 *                   cut, stalled  evicted     cut, stalled  restarted, wiped
 *
 * The relay is what an app makes of it: it knows which pulls it has begun, and begins them again if the relay
 * was evicted, as a Durable Object is.
 *
 * @module
 */

import { createMockServer, type Listener, type MockServer } from "../../../../mock/mod.ts";
import { pull, PullManager, type StartPull } from "../../../../mod.ts";
import { createRelay, redactError } from "../../../../src/relay/mod.ts";
import type { Dice } from "../../fuzz/dice.ts";
import { BYTES_PER_SECOND, FAULT_KINDS, STALL_TIMEOUT_MS, TICK_MS } from "../mock_pace.ts";
import { ScaledClock } from "../scaled_clock.ts";
import { CountedClock } from "./counted_clock.ts";
import { type NativeServer, serveNatively } from "./native_server.ts";
import { failureToText, SUCCESS } from "./pull_end.ts";
import { Tally } from "./tally.ts";
import { Wire } from "./wire.ts";

/** How many times as fast as real time it all happens, unless there are too many viewers for that. */
const SPEED = 50;
/** How many viewers one machine serves at a speed of 1, before they take the relay for silent. */
const VIEWERS_AT_REAL_TIME = 10_000;

const FAULT_CHANCE = 0.15;
/** Longer than the timeouts of both sides, so that each finds out by itself. */
const STALL_MS = 50_000;
/** Long enough that some connections are refused. */
const RESTART_MS = 2_000;
/** The time between two updates: with a thousand viewers, a machine is busy with that. */
const UPDATE_EVERY_MS = 5_000;
/** However long it takes until the last viewer has come back, the relay still knows the end. */
const KEEP_ENDED_MS = 86_400_000;

/** Connections end with their requests, so that none is open in the end. */
export const ONE_REQUEST_A_CONNECTION = { Connection: "close" };

/** What goes wrong on the stage. */
export const STRIKES = [
  "upstream cut",
  "upstream stalled",
  "upstream restarted",
  "upstream wiped",
  "viewers cut",
  "half of the viewers cut",
  "viewers stalled",
  "relay evicted",
  "relay evicted, pulls forgotten",
] as const;

/** Something that goes wrong. */
export type Strike = typeof STRIKES[number];

/** The pulls of one relay, which go with it. */
interface Relay {
  readonly manager: PullManager;
  readonly handle: (request: Request) => Promise<Response>;
  readonly server: NativeServer;
  /** Aborts when it is thrown away: nobody hears how its pulls end. */
  readonly gone: AbortController;
}

/** How the pulls of a model have ended: several, if the relay was evicted. */
interface Ends {
  readonly texts: Set<string>;
  /** Whether a relay was evicted that had such a pull, and it was not begun again. */
  isForgotten: boolean;
}

/** What is open on the stage. All of it is 0 when nobody pulls and nobody watches. */
export interface OpenOnStage {
  readonly viewerSockets: number;
  readonly upstreamSockets: number;
  /** Waits of all relays that there were, of their pulls and of their viewers. */
  readonly relayTimers: number;
  /** Waits of those who watch. */
  readonly viewerTimers: number;
  readonly upstreamRequests: number;
  readonly downloads: number;
}

/** A relay and its upstream. */
export class Stage implements AsyncDisposable {
  /** The clock of those who watch. */
  readonly viewerClock: CountedClock;
  /** Faults of the upstream that have struck. */
  readonly faults = new Tally();
  /** How many pulls relays have begun. */
  pulls = 0;
  /** How many times as fast as real time it all happens. */
  readonly speed: number;
  readonly #relayClock: CountedClock;
  readonly #viewerWire = new Wire();
  readonly #upstreamWire = new Wire();
  readonly #dice: Dice;
  readonly #maxWatchers: number;
  readonly #upstream: MockServer;
  readonly #ends = new Map<string, Ends>();
  #listener!: Listener;
  #relay!: Relay;
  /** One thing goes wrong at a time. */
  #striking: Promise<void> = Promise.resolve();

  private constructor(seed: number, maxWatchers: number, dice: Dice) {
    this.#dice = dice;
    this.#maxWatchers = maxWatchers;
    this.speed = Math.min(SPEED, VIEWERS_AT_REAL_TIME / maxWatchers);
    const clock = new ScaledClock(this.speed);
    this.viewerClock = new CountedClock(clock);
    this.#relayClock = new CountedClock(clock);
    this.#upstream = createMockServer({
      anyModel: true,
      dialect: "v0.33",
      bytesPerSecond: BYTES_PER_SECOND,
      tickMs: TICK_MS,
      faults: { chance: FAULT_CHANCE, kinds: FAULT_KINDS },
      clock,
      seed,
      onRequest: ({ faults }) => {
        for (const kind of faults) this.faults.add(kind);
      },
    });
  }

  /**
   * Sets the stage.
   *
   * @param seed What the upstream's chance follows from.
   * @param maxWatchers How many viewers the relay lets in.
   * @param dice The chance of pulls that are tried again.
   */
  static async set(seed: number, maxWatchers: number, dice: Dice): Promise<Stage> {
    const stage = new Stage(seed, maxWatchers, dice);
    await Promise.all([stage.#viewerWire.listen(), stage.#upstreamWire.listen()]);
    await stage.#listen();
    await stage.#openRelay([]);
    return stage;
  }

  /** The address of the relay, whichever it is at the moment. */
  get url(): string {
    return this.#viewerWire.url;
  }

  /** How many connections viewers have made. */
  get connections(): number {
    return this.#viewerWire.connections;
  }

  /** What is open. */
  get open(): OpenOnStage {
    const { requests, activeDownloads } = this.#upstream;
    return {
      viewerSockets: this.#viewerWire.open,
      upstreamSockets: this.#upstreamWire.open,
      relayTimers: this.#relayClock.waits,
      viewerTimers: this.viewerClock.waits,
      upstreamRequests: requests.filter(({ outcome }) => outcome === "running").length,
      downloads: activeDownloads,
    };
  }

  /** Answers a request without HTTP, and whatever happens to the relay, the answer stays. */
  readonly handle = (request: Request): Promise<Response> => this.#relay.handle(request);

  /**
   * Makes a request without HTTP, whose buffers hold more than a viewer is ever sent: only so does the relay
   * see that a viewer is slow. The answer breaks off when the relay is evicted.
   */
  readonly fetchInside = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { handle, gone: { signal } } = this.#relay;
    signal.throwIfAborted();
    const { method = "GET", headers = {} } = init;
    const { body, status, headers: answered } = await handle(new Request(url, { method, headers }));
    return new Response(body && breakable(body, signal), { status, headers: answered });
  };

  /** Begins to pull a model of so many bytes, once nothing goes wrong. */
  async start(model: string, size: number): Promise<void> {
    await this.#striking;
    this.#upstream.registry.publish({ name: model, layers: [{ size }, { size: 300_000 }] });
    this.#ends.set(model, { texts: new Set(), isForgotten: false });
    this.#relay.manager.start(model);
  }

  /** How many watch a model, by the account of its pull: the relay counts as one while somebody does. */
  watchersOf(model: string): number {
    return this.#relay.manager.get(model)?.hub.watchers ?? 0;
  }

  /** How the pulls of a model have ended. */
  endsOf(model: string): Readonly<Ends> {
    return this.#ends.get(model)!;
  }

  /** Lets everything forget a model, whose pulls have ended. */
  forget(model: string): void {
    this.#ends.delete(model);
    this.#relay.manager.cancel(model);
    this.#relay.manager.dismiss(model);
    this.#upstream.registry.withdraw(model);
  }

  /** Lets something go wrong, once nothing else does, and waits until it is over. */
  strike(strike: Strike): Promise<void> {
    return this.#exclusively(() => this.#strikeNow(strike));
  }

  /** Does something during which no pull gets on, nor ends. */
  holdPulls(work: () => Promise<void>): Promise<void> {
    return this.#exclusively(async () => {
      const done = work();
      await this.#upstreamWire.stall(done.catch(() => {}));
      await done;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#viewerWire.close(), this.#upstreamWire.close()]);
    await Promise.all([this.#relay.server.close(), this.#listener.close()]);
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#striking.then(work);
    this.#striking = done.catch(() => {});
    return done;
  }

  async #strikeNow(strike: Strike): Promise<void> {
    switch (strike) {
      case "upstream cut":
        return this.#upstreamWire.cut();
      case "upstream stalled":
        return await this.#upstreamWire.stall(this.#pause(STALL_MS));
      case "upstream restarted":
        return await this.#restartUpstream();
      case "upstream wiped":
        return await this.#restartUpstream(() => this.#upstream.reset());
      case "viewers cut":
        return this.#viewerWire.cut();
      case "half of the viewers cut":
        return this.#viewerWire.cut(() => this.#dice.isOneIn(2));
      case "viewers stalled":
        return await this.#viewerWire.stall(this.#pause(STALL_MS));
      case "relay evicted":
        return await this.#evict((models) => models);
      case "relay evicted, pulls forgotten":
        return await this.#evict((models) => {
          for (const model of models) this.#ends.get(model)!.isForgotten = true;
          return [];
        });
    }
  }

  /** Waits on the clock of the upstream, which nobody counts. */
  #pause(milliseconds: number): Promise<void> {
    return this.#upstream.clock.sleep(milliseconds);
  }

  async #listen(): Promise<void> {
    this.#listener = await this.#upstream.listen();
    this.#upstreamWire.leadTo(Number(new URL(this.#listener.url).port));
  }

  async #restartUpstream(wipe = () => {}): Promise<void> {
    this.#upstreamWire.leadTo(undefined);
    await this.#listener.close();
    wipe();
    await this.#pause(RESTART_MS);
    await this.#listen();
  }

  /** Makes a relay that pulls some models from its beginning on. */
  async #openRelay(models: readonly string[]): Promise<void> {
    const { now, sleep } = this.#relayClock;
    const observe: StartPull = (model, options) => {
      this.#observe(model, relay);
      return pull(model, options);
    };
    const options = {
      host: this.#upstreamWire.url,
      headers: ONE_REQUEST_A_CONNECTION,
      pull: observe,
      retries: Infinity,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      silenceTimeoutMs: STALL_TIMEOUT_MS,
      random: () => this.#dice.below(1000) / 1000,
      now,
      sleep,
    };
    const manager = new PullManager(options);
    const handle = createRelay({
      ...options,
      manager,
      allow: () => true,
      maxWatchers: this.#maxWatchers,
      updateEveryMs: UPDATE_EVERY_MS,
      keepEndedMs: KEEP_ENDED_MS,
    });
    const server = await serveNatively(handle);
    const relay: Relay = { manager, handle, server, gone: new AbortController() };
    for (const model of models) manager.start(model);
    this.#relay = relay;
    this.#viewerWire.leadTo(server.port);
  }

  /** Throws the relay away, with its pulls, before anybody is told, and makes another one. */
  async #evict(toPullAgain: (models: readonly string[]) => readonly string[]): Promise<void> {
    const { manager, server, gone } = this.#relay;
    gone.abort(new TypeError("The relay was evicted"));
    this.#viewerWire.leadTo(undefined);
    this.#viewerWire.cut();
    const models = manager.getSnapshot().entries.map(({ model }) => model);
    for (const model of models) manager.cancel(model);
    await server.close();
    await this.#openRelay(toPullAgain(models.filter((model) => this.#ends.has(model))));
  }

  /** Writes down how a pull of a relay ends. */
  #observe(model: string, relay: Relay): void {
    this.pulls++;
    const ended = (end: string) => {
      if (!relay.gone.signal.aborted) this.#ends.get(model)?.texts.add(end);
    };
    relay.manager.get(model)!.hub.done.then(
      () => ended(SUCCESS),
      (error) => ended(failureToText(redactError(error))),
    );
  }
}

/** A body that is read at the same pace, and breaks once a signal has aborted. */
function breakable(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (signal.aborted) await reader.cancel();
      signal.throwIfAborted();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
