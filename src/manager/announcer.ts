/**
 * Calls listeners with a changing value, throttled.
 *
 * Each listener is called when it subscribes, and then after each change: at the end of the turn of the
 * event loop in which the value has changed or, if its last call was too recently, as soon as the interval
 * has passed. So the last change is always reported, and changes in one turn are reported together.
 *
 * @module
 */

import { type Listener, tell } from "./listener.ts";

/** How often listeners are called, and the clock. */
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
  /** The value of its last call, and when that was. */
  told: Value;
  toldAt: number;
}

/** Calls listeners with a changing value. */
export class Announcer<Value> {
  readonly #current: () => Value;
  readonly #options: AnnouncerOptions;
  readonly #subscriptions = new Set<Subscription<Value>>();
  /** Aborts the current wait, if there is one. */
  #waiting: AbortController | undefined;

  /** @param current Returns the current value: the same object until it changes. */
  constructor(current: () => Value, options: AnnouncerOptions) {
    this.#current = current;
    this.#options = options;
  }

  /** Calls a listener now, and then with each new value. Returns a function that unsubscribes it. */
  subscribe(listener: Listener<Value>): () => void {
    const subscription = { listener, told: this.#current(), toldAt: this.#options.now() };
    this.#subscriptions.add(subscription);
    tell(listener, subscription.told);
    return () => {
      this.#subscriptions.delete(subscription);
      if (this.#subscriptions.size === 0) this.#stopWaiting();
    };
  }

  /** Reports that the value has changed. */
  change(): void {
    if (this.#subscriptions.size > 0 && !this.#waiting) void this.#tellWhenDue();
  }

  /** Calls all listeners that have not seen the current value, each as soon as its interval has passed. */
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

  /** The subscriptions that have not seen the current value. */
  #unaware(): Subscription<Value>[] {
    const value = this.#current();
    return [...this.#subscriptions].filter(({ told }) => told !== value);
  }

  /** How long until a listener may be called again, in milliseconds. */
  #delayMs(subscription: Subscription<Value>): number {
    const { everyMs, now } = this.#options;
    const time = now();
    // A clock that was set back must not lengthen the wait.
    subscription.toldAt = Math.min(subscription.toldAt, time);
    return Math.max(0, subscription.toldAt + everyMs - time);
  }

  #tell(subscription: Subscription<Value>): void {
    if (!this.#subscriptions.has(subscription)) return; // an earlier listener has unsubscribed it
    subscription.told = this.#current();
    subscription.toldAt = this.#options.now();
    tell(subscription.listener, subscription.told);
  }

  #stopWaiting(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
  }
}
