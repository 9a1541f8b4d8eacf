/**
 * The pulls that a relay tells of: those of a manager, each with its feed.
 *
 * @module
 */

import type { PullHub } from "../manager/hub.ts";
import type { PullManager } from "../manager/manager.ts";
import { Feed, type FeedOptions } from "./feed.ts";

/** Options of {@link Pulls}. */
export interface PullsOptions extends Omit<FeedOptions, "onEnd"> {
  /** How long a pull that has ended is known, in milliseconds. */
  readonly keepEndedMs: number;
  /** Whether pulls that have ended are dismissed once they are unknown. */
  readonly dismissesEnded: boolean;
}

/** The pulls of a manager, by the names of their models. */
export class Pulls {
  readonly #manager: PullManager;
  readonly #options: PullsOptions;
  /** The feeds. One goes when its pull does. */
  readonly #feeds = new WeakMap<PullHub, Feed>();
  /** Those that have ended and are to be dismissed, in the order in which they have ended. */
  readonly #ended = new Set<Feed>();
  readonly #feedOptions: FeedOptions;

  constructor(manager: PullManager, options: PullsOptions) {
    this.#manager = manager;
    this.#options = options;
    const onEnd = (feed: Feed) => {
      if (options.dismissesEnded) this.#ended.add(feed);
    };
    this.#feedOptions = { ...options, onEnd };
  }

  /** How many wait or run. */
  get active(): number {
    const { entries } = this.#manager.getSnapshot();
    return entries.filter(({ state }) => state === "waiting" || state === "running").length;
  }

  /** Whether a pull of a model waits or runs. */
  isActive(name: string): boolean {
    const state = this.#manager.get(name)?.state;
    return state === "waiting" || state === "running";
  }

  /** The feed of the pull of a model, if there is one, or was until recently. */
  find(name: string): Feed | undefined {
    this.#dismissExpired();
    const hub = this.#manager.get(name)?.hub;
    const feed = hub && this.#feedOf(hub, name);
    return feed && !this.#isExpired(feed) ? feed : undefined;
  }

  /** Starts a pull of a model, or joins the one that waits or runs. */
  start(name: string): Feed {
    this.#dismissExpired();
    return this.#feedOf(this.#manager.start(name), name);
  }

  /** Cancels the pull of a model. Returns whether there was one. */
  cancel(name: string): boolean {
    const isActive = this.isActive(name);
    this.#manager.cancel(name);
    return isActive;
  }

  #feedOf(hub: PullHub, name: string): Feed {
    const present = this.#feeds.get(hub);
    if (present) return present;
    const feed = new Feed(hub, name, this.#feedOptions);
    this.#feeds.set(hub, feed);
    return feed;
  }

  #isExpired({ endedAt }: Feed): boolean {
    return endedAt !== undefined && this.#options.now() - endedAt >= this.#options.keepEndedMs;
  }

  /** Needs no timer: what is kept belongs to requests that came before, and the next one clears it. */
  #dismissExpired(): void {
    for (const feed of this.#ended) {
      if (!this.#isExpired(feed)) return;
      this.#ended.delete(feed);
      const isReplaced = this.#manager.get(feed.name)?.hub !== feed.hub;
      if (!isReplaced) this.#manager.dismiss(feed.name);
    }
  }
}
