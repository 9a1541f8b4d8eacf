/**
 * All who watch, whatever they watch: how many they are, and the one timer that they share.
 *
 * @module
 */

import type { Viewer } from "./viewer.ts";

/** What applies to all viewers. */
export interface AudienceOptions {
  /** The longest time in which a viewer is sent nothing, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long a viewer may read nothing, in milliseconds. */
  readonly idleMs: number;
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Waits for a number of milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** All viewers of a relay. */
export class Audience {
  readonly #options: AudienceOptions;
  readonly #viewers = new Set<Viewer>();
  /** Aborts when the last viewer leaves. */
  #beating: AbortController | undefined;

  constructor(options: AudienceOptions) {
    this.#options = options;
  }

  /** How many there are. */
  get size(): number {
    return this.#viewers.size;
  }

  /** Takes a viewer in. */
  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
    if (!this.#beating) void this.#beat(this.#beating = new AbortController());
  }

  /** Lets a viewer go. */
  delete(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#beating?.abort();
    this.#beating = undefined;
  }

  /**
   * Looks after all viewers, twice in the time in which each is to be sent something: so one that got
   * something just after a look gets the next in time.
   */
  async #beat({ signal }: AbortController): Promise<void> {
    const { heartbeatMs, idleMs, now, sleep } = this.#options;
    const everyMs = Math.min(heartbeatMs, idleMs) / 2;
    for (;;) {
      try {
        await sleep(everyMs, signal);
      } catch {
        return; // the last viewer has left
      }
      if (signal.aborted) return;
      const time = now();
      for (const viewer of this.#viewers) viewer.beat(time, heartbeatMs / 2, idleMs);
    }
  }
}
