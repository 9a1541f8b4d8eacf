/**
 * Measures how fast a server downloads.
 *
 * @module
 */

import { type Lag, measureLag } from "../invariants/lag.ts";

/** How many times faster than ever before a server may become, because networks vary. */
const MARGIN = 2;

/** How late lines may be, in milliseconds, besides the measured delays of this machine. */
const LATE_MS = 200;

/** Downloads that took less time than this, in milliseconds, say little about speed. */
const LONG_ENOUGH_MS = 150;

/** The downloaded bytes at some time. */
interface Point {
  readonly ms: number;
  readonly bytes: number;
}

/** How fast a server downloads. */
export class Pace {
  #bytesPerMs: number | undefined;
  #lag: Lag | undefined;
  #lagMs = 0;

  /** How many bytes can be added in a time, or `undefined` if nothing is known yet. */
  growthIn(milliseconds: number): number | undefined {
    if (this.#bytesPerMs === undefined) return undefined;
    if (this.#lag) this.watchLag();
    return this.#bytesPerMs * (MARGIN * milliseconds + LATE_MS + this.#lagMs);
  }

  /** Starts measuring how long this process stands still. */
  watchLag(): void {
    this.#lagMs = Math.max(this.#lagMs, this.#lag?.stop() ?? 0);
    this.#lag = measureLag();
  }

  /** Resets that measurement, which says nothing about later times. */
  settle(): void {
    this.#lag?.stop();
    this.#lag = undefined;
    this.#lagMs = 0;
  }

  /** Measures a download from its progress at some times, in order. Only the last one is new. */
  measure(points: readonly Point[]): void {
    const last = points.at(-1);
    const first = last && points.findLast(({ ms }) => last.ms - ms >= LONG_ENOUGH_MS);
    if (!first) return;
    const bytesPerMs = (last.bytes - first.bytes) / (last.ms - first.ms);
    if (bytesPerMs > 0) this.#bytesPerMs = Math.max(this.#bytesPerMs ?? 0, bytesPerMs);
  }
}
