/**
 * How fast a server downloads, as it was seen.
 *
 * @module
 */

import { type Lag, measureLag } from "../invariants/lag.ts";

/** How many times faster than ever before a server may become: networks are not steady. */
const MARGIN = 2;

/** How long lines may be late, besides the measured delays of this machine. */
const LATE_MS = 200;

/** What was downloaded in less time than this says little about how fast it was. */
const LONG_ENOUGH_MS = 150;

/** How much was downloaded at a time. */
interface Point {
  readonly ms: number;
  readonly bytes: number;
}

/** How fast a server downloads. */
export class Pace {
  #bytesPerMs: number | undefined;
  #lag: Lag | undefined;
  #lagMs = 0;

  /** How much more may be there after a time, or `undefined` if nothing is known yet. */
  growthIn(milliseconds: number): number | undefined {
    if (this.#bytesPerMs === undefined) return undefined;
    if (this.#lag) this.watchLag();
    return this.#bytesPerMs * (MARGIN * milliseconds + LATE_MS + this.#lagMs);
  }

  /** Measures how long this process stands still, from now on. */
  watchLag(): void {
    this.#lagMs = Math.max(this.#lagMs, this.#lag?.stop() ?? 0);
    this.#lag = measureLag();
  }

  /** Forgets how long it did: that says nothing about what comes later. */
  settle(): void {
    this.#lag?.stop();
    this.#lag = undefined;
    this.#lagMs = 0;
  }

  /** A download was so far at some moments, in order. The last one is new. */
  measure(points: readonly Point[]): void {
    const last = points.at(-1);
    const first = last && points.findLast(({ ms }) => last.ms - ms >= LONG_ENOUGH_MS);
    if (!first) return;
    const bytesPerMs = (last.bytes - first.bytes) / (last.ms - first.ms);
    if (bytesPerMs > 0) this.#bytesPerMs = Math.max(this.#bytesPerMs ?? 0, bytesPerMs);
  }
}
