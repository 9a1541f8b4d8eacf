/**
 * How fast bytes come in, smoothed.
 *
 * Each measurement is a span of time and the bytes that came in it. The rate is the mean over the
 * spans, weighted so that one counts for less the older it is. Time in which nothing was measured
 * (between two layers, say) counts for nothing.
 *
 * @module
 */

/** The age at which a measurement has lost about two thirds of its weight. */
const TIME_CONSTANT_MS = 5_000;

/** How much time must have been measured, weighted like the bytes, before there is a rate. */
const MINIMUM_MS = 450;

/** A smoothed rate. Times are in milliseconds, of any clock that does not run backwards. */
export class TransferRate {
  /** Bytes and time of all measurements but the latest, as they were weighted when that one began. */
  #bytes = 0;
  #milliseconds = 0;
  // The latest measurement is kept apart until a later one comes. So what arrives at one moment is added
  // up in whole bytes, and gives the same rate whether it comes in one call or in many.
  #latestBytes = 0;
  #latestMilliseconds = 0;
  #latestEnd = -Infinity;
  #previousEnd = -Infinity;
  /** The weight of the earlier measurements at the end of the latest one. */
  #weight = 1;

  /** Counts bytes that came in from one time to another. */
  add(bytes: number, from: number, to: number): void {
    if (to > this.#latestEnd) this.#begin(to);
    this.#latestBytes += bytes;
    // Parallel layers share their time: what was measured once is not counted twice.
    const milliseconds = to - Math.max(from, this.#previousEnd);
    if (milliseconds <= this.#latestMilliseconds) return;
    this.#latestMilliseconds = milliseconds;
    this.#weight = Math.exp(-milliseconds / TIME_CONSTANT_MS);
  }

  /** Begins a measurement that ends at a time. */
  #begin(end: number): void {
    this.#bytes = this.#bytes * this.#weight + this.#latestBytes;
    this.#milliseconds = this.#milliseconds * this.#weight + this.#latestMilliseconds;
    this.#latestBytes = 0;
    this.#latestMilliseconds = 0;
    this.#weight = 1;
    this.#previousEnd = this.#latestEnd;
    this.#latestEnd = end;
  }

  /** The rate in bytes per second, or `NaN` until enough was measured. */
  get bytesPerSecond(): number {
    const milliseconds = this.#milliseconds * this.#weight + this.#latestMilliseconds;
    if (milliseconds < MINIMUM_MS) return NaN;
    return (this.#bytes * this.#weight + this.#latestBytes) / milliseconds * 1000;
  }
}
