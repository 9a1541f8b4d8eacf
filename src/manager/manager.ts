/**
 * The pulls of an app, by name.
 *
 *     start ──▶ queue ── its turn ──▶ ManagedPull ──▶ PullHub ──▶ watchers of this pull
 *                                          └── each change ──▶ snapshot of all ──▶ listeners
 *
 * @module
 */

import { addressOf, parseHost } from "../host.ts";
import { comparable } from "../model_name.ts";
import { pull } from "../pull/pull.ts";
import { sleepOnTimer } from "../pull/sleep.ts";
import { Announcer } from "./announcer.ts";
import type { PullEntry, PullManagerSnapshot } from "./entry.ts";
import type { PullHub } from "./hub.ts";
import { ManagedPull, type OpenPull, type PullIdentity } from "./managed_pull.ts";
import type { PullManagerOptions, PullServer, PullStartOptions } from "./options.ts";
import { hasEnded, Totals } from "./totals.ts";

const DEFAULT_UPDATE_EVERY_MS = 100;

/**
 * The pulls of an app, by name. Each model is pulled only once at a time on a server, however often it is
 * started, and only `maxConcurrent` pulls run at once. Models are compared by {@link isSameModel}, servers by
 * their address without user name and password.
 *
 * Methods are bound. The manager works with React's `useSyncExternalStore(manager.subscribe,
 * manager.getSnapshot)` and is itself a Svelte store (`$manager.entries`).
 *
 * ```ts
 * import { PullManager } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const manager = new PullManager({ maxConcurrent: 1, ...createMockServer().client });
 * const stop = manager.subscribe(({ entries, fraction }) => {
 *   console.log(entries.map(({ model, state }) => `${model} ${state}`), fraction);
 * });
 * const hubs = ["llama3.2", "all-minilm", "llama3.2:latest"].map((model) => manager.start(model));
 * await Promise.allSettled(hubs.map(({ done }) => done));
 * stop();
 * ```
 */
export class PullManager {
  readonly #options: PullManagerOptions;
  readonly #maxConcurrent: number;
  /** The pulls by their keys, in the order in which their models were first started. */
  readonly #pulls = new Map<string, ManagedPull>();
  /** The waiting pulls, in the order of their starts. */
  readonly #queue = new Set<ManagedPull>();
  #runningCount = 0;
  readonly #totals = new Totals();
  /** The current snapshot, once it was requested. */
  #snapshot: PullManagerSnapshot | undefined;
  readonly #announcer: Announcer<PullManagerSnapshot>;

  /**
   * Makes a manager without pulls.
   *
   * @param options What applies to all pulls.
   * @throws {RangeError} If `maxConcurrent` is below 1.
   */
  constructor(options: PullManagerOptions = {}) {
    const { maxConcurrent = Infinity, updateEveryMs = DEFAULT_UPDATE_EVERY_MS } = options;
    if (!(maxConcurrent >= 1)) {
      throw new RangeError(`Cannot use the maxConcurrent ${maxConcurrent}: it must be at least 1`);
    }
    const { now = () => performance.now(), sleep = sleepOnTimer } = options;
    this.#options = options;
    this.#maxConcurrent = maxConcurrent;
    this.#announcer = new Announcer(this.getSnapshot, { everyMs: updateEveryMs, now, sleep });
  }

  /**
   * Starts a pull, or joins the pull of this model that already waits or runs on the server. A joined pull
   * keeps the options of its first start, including the signal. A pull that has ended is replaced. If
   * `maxConcurrent` pulls are running, the pull waits, and makes no request until it is its turn.
   *
   * @param model The model's name: `[host[:port]/][namespace/]name[:tag]`.
   * @param options Where to pull from, and how. Absent options are taken from the manager's options. If both
   * have a signal, either cancels the pull.
   * @return The pull, which can be watched at once.
   * @throws {TypeError} If the model is not a name, or the host, a header or a layer cannot be used. With
   * your own `pull`, only the host is checked.
   * @throws {RangeError} If `maxLineBytes` is not above 0.
   */
  readonly start = (model: string, options: PullStartOptions = {}): PullHub => {
    const identity = this.#identify(model, options);
    const present = this.#pulls.get(identity.key);
    if (present && !hasEnded(present)) return present.hub;
    const host = options.host || this.#options.host;
    const settings: PullStartOptions = { ...this.#options, ...definedOf(options), host };
    const pull = new ManagedPull(identity, openerOf(model, settings), settings, this.#onChange);
    this.#pulls.set(identity.key, pull);
    this.#queue.add(pull);
    this.#totals.start(identity.key, pull);
    for (const signal of [this.#options.signal, options.signal]) {
      if (signal) pull.follow(signal);
    }
    this.#beginNext();
    this.#change();
    return pull.hub;
  };

  /**
   * Cancels a pull that waits or runs: its request ends at once, and its watchers fail with an `AbortError`.
   * The server keeps the downloaded bytes. If there is no such pull, it does nothing.
   *
   * @param model The model's name, in any form.
   * @param server Where it is pulled.
   * @throws {TypeError} If the host cannot be used.
   */
  readonly cancel = (model: string, server: PullServer = {}): void => {
    const pull = this.#find(model, server);
    if (pull && !hasEnded(pull)) pull.hub.cancel();
  };

  /**
   * Returns the entry of a pull, if there is one: the same object as in {@link getSnapshot}.
   *
   * @param model The model's name, in any form.
   * @param server Where it is pulled.
   * @return The entry, or `undefined` if the model was not started or was dismissed.
   * @throws {TypeError} If the host cannot be used.
   */
  readonly get = (model: string, server: PullServer = {}): PullEntry | undefined => {
    return this.#find(model, server)?.entry;
  };

  /**
   * Removes the entry of a pull that has ended. If there is no such pull, it does nothing.
   *
   * @param model The model's name, in any form.
   * @param server Where it was pulled.
   * @throws {TypeError} If the host cannot be used.
   */
  readonly dismiss = (model: string, server: PullServer = {}): void => {
    const pull = this.#find(model, server);
    if (!pull || !hasEnded(pull)) return;
    this.#pulls.delete(pull.identity.key);
    if (this.#pulls.size === 0) this.#totals.clear();
    else this.#totals.dismiss(pull.identity.key);
    this.#change();
  };

  /**
   * Returns the current state of all pulls: the same object until something changes, with the same entry for
   * each pull that has not changed.
   *
   * @return The entries, and the progress of all pulls together.
   */
  readonly getSnapshot = (): PullManagerSnapshot => {
    return this.#snapshot ??= {
      entries: Array.from(this.#pulls.values(), ({ entry }) => entry),
      ...this.#totals.sums(),
    };
  };

  /**
   * Calls a function at once with the snapshot, and then after changes, at most once per `updateEveryMs`.
   * Snapshots in between are skipped, but never the last one: each change is reported within that time. An
   * error that the function throws is reported like that of an event listener, and has no other effect.
   *
   * @param listener Called with the snapshot.
   * @return Removes the listener.
   */
  readonly subscribe = (listener: (snapshot: PullManagerSnapshot) => void): () => void => {
    return this.#announcer.subscribe(listener);
  };

  #find(model: string, server: PullServer): ManagedPull | undefined {
    return this.#pulls.get(this.#identify(model, server).key);
  }

  #identify(model: string, server: PullServer): PullIdentity {
    const host = addressOf(parseHost(server.host || this.#options.host));
    return { key: `${comparable(model)} ${host}`, model, host };
  }

  /** Begins the pulls whose turn it is. */
  #beginNext(): void {
    for (const pull of this.#queue) {
      if (this.#runningCount >= this.#maxConcurrent) return;
      this.#queue.delete(pull);
      this.#runningCount++;
      pull.begin();
    }
  }

  readonly #onChange = (pull: ManagedPull): void => {
    if (hasEnded(pull)) {
      const hasWaited = this.#queue.delete(pull);
      if (!hasWaited) this.#runningCount--;
      this.#beginNext();
    }
    this.#change();
  };

  #change(): void {
    this.#snapshot = undefined;
    this.#announcer.change();
  }
}

/** Options without those that are `undefined`, which must not override a default. */
export function definedOf<Options extends object>(options: Options): Partial<Options> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Options>;
}

/** Returns the function that opens a pull. */
function openerOf(
  model: string,
  { pull: startPull, signal: _, ...options }: PullStartOptions,
): OpenPull {
  if (startPull) return (signal) => startPull(model, { ...options, signal });
  // Call `pull` now, so that it throws for invalid options. It makes no request before it is read, and ends
  // when it is cancelled.
  const stream = pull(model, options);
  return () => stream;
}
