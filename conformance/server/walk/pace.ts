/**
 * How fast a server downloads, as it was seen.
 *
 * @module
 */

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
  #lagMs = 0;

  /** How much more may be there after a time, or `undefined` if nothing is known yet. */
  growthIn(milliseconds: number): number | undefined {
    if (this.#bytesPerMs === undefined) return undefined;
    return this.#bytesPerMs * (MARGIN * milliseconds + LATE_MS + this.#lagMs);
  }

  /** Forgets delays: they say nothing about what comes later. */
  settle(): void {
    this.#lagMs = 0;
  }

  /** Something took so much longer than it should on this machine. */
  lag(milliseconds: number): void {
    this.#lagMs = Math.max(this.#lagMs, milliseconds);
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

/** How often the delay of the event loop is measured. */
const PROBE_MS = 20;

/** Measures how late timers are, until it is stopped. */
export function watchLag(pace: Pace): () => void {
  let due = performance.now() + PROBE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    pace.lag(now - due);
    due = now + PROBE_MS;
  }, PROBE_MS);
  return () => clearInterval(timer);
}
