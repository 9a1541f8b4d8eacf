/**
 * One pull, and any number of watchers.
 *
 *     source ── read on, whoever is slow ──▶ newest snapshot ──▶ streams, each when it is read
 *                                                            └─▶ listeners, each time
 *
 * @module
 */

import { sleepOnTimer } from "../pull/sleep.ts";
import type { PullProgress } from "../snapshot.ts";
import { type Failure, ignoreRejection } from "../streams/producer.ts";
import type { PullStream } from "../streams/pull_stream.ts";
import { Broadcast } from "./broadcast.ts";
import { type Listener, tell } from "./listener.ts";

/** Options of {@link PullHub}. */
export interface PullHubOptions {
  /**
   * How long the pull goes on after its last watcher has left, in milliseconds, before it is cancelled.
   * Endless by default, so that to load a page again does not end a download. At 0, a watcher that comes
   * in the same turn of the event loop as the last one leaves still keeps the pull.
   *
   * @default {Infinity}
   */
  lingerMs?: number | undefined;
  /**
   * Waits for a number of milliseconds, or rejects when the signal aborts; see `sleep` of {@link pull}.
   *
   * @default {setTimeout}
   */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Is told of what a hub sees, before those who watch it. It is no watcher. */
export interface HubKeeper {
  /** Is called with each snapshot. */
  onProgress(progress: PullProgress): void;
  /** Is called when the pull ends, with what it failed or was cancelled with. */
  onEnd(state: "succeeded" | "failed" | "cancelled", reason: unknown): void;
}

/** Who keeps the hub of a stream. */
const keepers = new WeakMap<ReadableStream<PullProgress>, HubKeeper>();

/** Makes a hub whose keeper is never behind those who watch it. */
export function createKeptHub(
  progress: ReadableStream<PullProgress>,
  options: PullHubOptions,
  keeper: HubKeeper,
): PullHub {
  keepers.set(progress, keeper);
  return new PullHub(progress, options);
}

/** One subscription of a listener, which may have several. */
interface Subscription {
  readonly listener: Listener<PullProgress>;
  hasLeft: boolean;
}

/**
 * Shares one pull among any number of watchers. It reads the pull from the start, whether anybody watches
 * or not, and keeps the newest snapshot only. A slow watcher holds up nobody: it skips what is out of
 * date, but neither the newest snapshot nor the end. Who comes after the end sees the last snapshot and
 * how the pull ended.
 *
 * Methods are bound, so they can be handed on: `useSyncExternalStore(hub.subscribe, () => hub.latest)`.
 *
 * ```ts
 * import { pull, PullHub } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const hub = new PullHub(pull("llama3.2", createMockServer().client));
 * const stop = hub.subscribe(({ fraction }) => console.log(`${Math.floor(fraction * 100)} %`));
 * for await (const { phase } of hub.watch()) console.log(phase);
 * stop();
 * ```
 */
export class PullHub {
  /**
   * Settles when the pull ends: resolves when its stream has ended, rejects with what it failed with or
   * with the reason of {@link cancel}. Nobody needs to handle the rejection.
   */
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<PullProgress>;
  readonly #lingerMs: number;
  readonly #sleep: NonNullable<PullHubOptions["sleep"]>;
  readonly #keeper: HubKeeper | undefined;
  readonly #broadcast = new Broadcast<PullProgress>();
  readonly #subscriptions = new Set<Subscription>();
  #watchers = 0;
  /** Aborts when a watcher comes while the pull goes on without one, or when the pull ends. */
  #lingering: AbortController | undefined;
  #settle!: { resolve(): void; reject(error: unknown): void };

  /**
   * Takes a pull, and begins to read it.
   *
   * @param progress The pull, such as {@link pull} or {@link decodeProgress} gives it. It gets locked.
   * @param options When to give it up.
   * @throws {TypeError} If the stream is locked.
   */
  constructor(progress: ReadableStream<PullProgress>, options: PullHubOptions = {}) {
    const { lingerMs = Infinity, sleep = sleepOnTimer } = options;
    this.#lingerMs = lingerMs;
    this.#sleep = sleep;
    this.#keeper = keepers.get(progress);
    this.#reader = progress.getReader();
    this.done = new Promise((resolve, reject) => this.#settle = { resolve, reject });
    ignoreRejection(this.done);
    void this.#readAll();
  }

  /** The newest snapshot, or `undefined` before the first one. */
  get latest(): PullProgress | undefined {
    return this.#broadcast.latest;
  }

  /** How many watch: streams that were not cancelled, and listeners. After the end, nobody does. */
  get watchers(): number {
    return this.#watchers;
  }

  /**
   * Watches the pull as a stream, of which each read gives the newest snapshot that it has not given yet.
   * It ends, or fails, as the pull does. Cancel it to leave.
   *
   * @return The snapshots.
   */
  readonly watch = (): PullStream<PullProgress> => {
    this.#join();
    return this.#broadcast.read(() => this.#leave());
  };

  /**
   * Calls a function at once with the newest snapshot, if there is one, and then with each new one. How
   * the pull ends is told by {@link done}. An error that the function throws is reported as that of an
   * event listener is, and changes nothing.
   *
   * @param listener Is called with each snapshot.
   * @return Leaves.
   */
  readonly subscribe = (listener: (progress: PullProgress) => void): () => void => {
    const { latest } = this;
    if (this.#broadcast.ending) {
      if (latest) tell(listener, latest);
      return () => {};
    }
    const subscription = { listener, hasLeft: false };
    this.#subscriptions.add(subscription);
    this.#join();
    if (latest) tell(listener, latest);
    return () => {
      subscription.hasLeft = true;
      if (this.#subscriptions.delete(subscription)) this.#leave();
    };
  };

  /**
   * Cancels the pull. As with a pull whose signal aborts, all who watch see the newest snapshot, if they
   * have not yet, and then fail with the reason; so does {@link done}. After the end it does nothing.
   *
   * @param reason Why; an `AbortError` unless given.
   */
  readonly cancel = (
    reason: unknown = new DOMException("The pull was cancelled", "AbortError"),
  ): void => {
    if (this.#broadcast.ending) return;
    this.#end("cancelled", { error: reason });
    ignoreRejection(this.#reader.cancel(reason));
  };

  async #readAll(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#broadcast.ending) return;
        if (done) return this.#end("succeeded");
        this.#publish(value);
      }
    } catch (error) {
      this.#end("failed", { error });
    }
  }

  #publish(progress: PullProgress): void {
    this.#keeper?.onProgress(progress);
    this.#broadcast.publish(progress);
    // A copy, since one listener may let others come or go, or cancel the pull, after which the rest are
    // still told of this snapshot.
    for (const subscription of [...this.#subscriptions]) {
      if (!subscription.hasLeft) tell(subscription.listener, progress);
    }
  }

  #end(state: Parameters<HubKeeper["onEnd"]>[0], failure?: Failure): void {
    if (this.#broadcast.ending) return;
    this.#keeper?.onEnd(state, failure?.error);
    this.#broadcast.end(failure);
    this.#subscriptions.clear();
    this.#watchers = 0;
    this.#lingering?.abort();
    if (failure) this.#settle.reject(failure.error);
    else this.#settle.resolve();
  }

  #join(): void {
    if (this.#broadcast.ending) return;
    this.#watchers++;
    this.#lingering?.abort();
    this.#lingering = undefined;
  }

  #leave(): void {
    this.#watchers--;
    if (this.#watchers > 0 || this.#lingerMs === Infinity) return;
    const lingering = new AbortController();
    this.#lingering = lingering;
    this.#sleep(this.#lingerMs, lingering.signal).then(
      () => {
        if (lingering.signal.aborted) return;
        this.cancel(new DOMException("Nobody watches the pull any more", "AbortError"));
      },
      () => {}, // somebody has come, or the pull has ended
    );
  }
}
