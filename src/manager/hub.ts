/**
 * One pull, and any number of watchers.
 *
 *     source ── read at full speed ──▶ newest snapshot ──▶ streams, when they are read
 *                                                      └─▶ listeners, each time
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
   * How long the pull goes on after its last watcher has left, in milliseconds, before it is cancelled. By
   * default it is never cancelled, so that reloading a page does not end a download. At 0, a watcher that
   * joins in the same turn of the event loop in which the last one leaves still keeps the pull.
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

/** Receives everything that a hub sees, before its watchers do. It does not count as a watcher. */
export interface HubKeeper {
  /** Called with each snapshot. */
  onProgress(progress: PullProgress): void;
  /** Called when the pull ends, with the failure or the reason of the cancel. */
  onEnd(state: "succeeded" | "failed" | "cancelled", reason: unknown): void;
}

/** The keepers of hubs, by the stream that the hub will read. */
const keepers = new WeakMap<ReadableStream<PullProgress>, HubKeeper>();

/** Makes a hub with a keeper, which is always called before the watchers. */
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
 * Shares one pull among any number of watchers. It reads the pull from the start, whether anybody watches or
 * not, and keeps only the newest snapshot. A slow watcher delays nobody: it skips outdated snapshots, but
 * never the newest one or the end. A watcher that joins after the end sees the last snapshot and how the
 * pull ended.
 *
 * Methods are bound, so they can be passed around: `useSyncExternalStore(hub.subscribe, () => hub.latest)`.
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
  /** Aborts the wait before an unwatched pull is cancelled: when a watcher joins, or the pull ends. */
  #lingering: AbortController | undefined;
  #settle!: { resolve(): void; reject(error: unknown): void };

  /**
   * Locks the stream of a pull, and begins to read it.
   *
   * @param progress The pull, such as the result of {@link pull} or {@link decodeProgress}.
   * @param options When to cancel it if nobody watches.
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

  /** The number of watchers: streams that were not cancelled, and listeners. After the end it is 0. */
  get watchers(): number {
    return this.#watchers;
  }

  /**
   * Watches the pull as a stream. Each read gives the newest snapshot, and waits for one that this stream has
   * not given yet. The stream ends or fails as the pull does. Cancel it to leave.
   *
   * @return The snapshots.
   */
  readonly watch = (): PullStream<PullProgress> => {
    this.#join();
    return this.#broadcast.read(() => this.#leave());
  };

  /**
   * Calls a function at once with the newest snapshot, if there is one, and then with each new one. For the
   * end of the pull, see {@link done}. An error that the function throws is reported like that of an event
   * listener, and has no other effect.
   *
   * @param listener Called with each snapshot.
   * @return Removes the listener.
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
   * Cancels the pull. As when a signal aborts, all watchers get the newest snapshot, if they have not seen it
   * yet, and then fail with the reason; {@link done} rejects with it. After the end it does nothing.
   *
   * @param reason Why. By default an `AbortError`.
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
    // Copy the set: a listener may add or remove others, or cancel the pull, and then the rest must still
    // get this snapshot.
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
      () => {}, // a watcher has joined, or the pull has ended
    );
  }
}
