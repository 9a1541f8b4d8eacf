/**
 * Tells listeners of a value that changes, at most every so often.
 *
 * Each listener is called when it comes, and then with what is new: at the end of the turn in which the
 * value has changed or, if its last call is too recent for that, once it is not any more. So the last change
 * is always told, and as many listeners as possible are told in one go.
 *
 * @module
 */

import { type Listener, tell } from "./listener.ts";

/** How often listeners are told, and the clock. */
export interface AnnouncerOptions {
  /** The least time between two calls of a listener, in milliseconds. */
  readonly everyMs: number;
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Waits for a number of milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** One subscription of a listener, which may have several. */
interface Subscription<Value> {
  readonly listener: Listener<Value>;
  /** What the listener was told last, and when. */
  told: Value;
  toldAt: number;
}

/** Tells listeners of a value that changes. */
export class Announcer<Value> {
  readonly #current: () => Value;
  readonly #options: AnnouncerOptions;
  readonly #subscriptions = new Set<Subscription<Value>>();
  /** Aborts the wait until somebody may be told, if there is one. */
  #waiting: AbortController | undefined;

  /** @param current The value as it is: the same one until it changes. */
  constructor(current: () => Value, options: AnnouncerOptions) {
    this.#current = current;
    this.#options = options;
  }

  /** Calls a listener now, and then with each new value. Returns how it leaves. */
  subscribe(listener: Listener<Value>): () => void {
    const subscription = { listener, told: this.#current(), toldAt: this.#options.now() };
    this.#subscriptions.add(subscription);
    tell(listener, subscription.told);
    return () => {
      this.#subscriptions.delete(subscription);
      if (this.#subscriptions.size === 0) this.#stopWaiting();
    };
  }

  /** Has a change told. */
  change(): void {
    if (this.#subscriptions.size > 0 && !this.#waiting) void this.#tellWhenDue();
  }

  /** Tells all who do not know the value, each as soon as it may be told. */
  async #tellWhenDue(): Promise<void> {
    const waiting = this.#waiting = new AbortController();
    const { signal } = waiting;
    try {
      await Promise.resolve(); // by the end of the turn more may have changed
      for (let unaware = this.#unaware(); unaware.length > 0; unaware = this.#unaware()) {
        const delayMs = Math.min(...unaware.map((subscription) => this.#delayMs(subscription)));
        if (delayMs > 0) await this.#options.sleep(delayMs, signal);
        for (const subscription of this.#unaware()) {
          if (this.#delayMs(subscription) === 0) this.#tell(subscription);
        }
      }
    } catch {
      // The last listener has left.
    } finally {
      if (this.#waiting === waiting) this.#waiting = undefined;
    }
  }

  /** Those who do not know the value as it is. */
  #unaware(): Subscription<Value>[] {
    const value = this.#current();
    return [...this.#subscriptions].filter(({ told }) => told !== value);
  }

  /** How long it takes until a listener may be told again. */
  #delayMs(subscription: Subscription<Value>): number {
    const { everyMs, now } = this.#options;
    const time = now();
    // A clock that was set back must not make the wait any longer.
    subscription.toldAt = Math.min(subscription.toldAt, time);
    return Math.max(0, subscription.toldAt + everyMs - time);
  }

  #tell(subscription: Subscription<Value>): void {
    if (!this.#subscriptions.has(subscription)) return; // one who was told before it has let it leave
    subscription.told = this.#current();
    subscription.toldAt = this.#options.now();
    tell(subscription.listener, subscription.told);
  }

  #stopWaiting(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
  }
}
