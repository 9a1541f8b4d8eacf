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

/** The time that must have been measured before the rate means something. */
const MINIMUM_MS = 500;

/** A smoothed rate. Times are in milliseconds, of any clock that does not run backwards. */
export class TransferRate {
  /** Bytes and time of all measurements but the latest, as weighted when that one began. */
  #bytes = 0;
  #milliseconds = 0;
  #measuredMilliseconds = 0;
  // The latest measurement is kept apart until a later one comes, so that what arrives at one moment
  // is summed in whole bytes, and gives the same rate whether it is told in one call or in many.
  #latestBytes = 0;
  #latestMilliseconds = 0;
  #latestEnd = -Infinity;
  #previousEnd = -Infinity;

  /** Counts bytes that came in from one time to another. */
  add(bytes: number, from: number, to: number): void {
    if (to > this.#latestEnd) this.#beginMeasurement(to);
    this.#latestBytes += bytes;
    // Parallel layers share their time: what was measured once is not counted twice.
    const milliseconds = to - Math.max(from, this.#previousEnd);
    this.#latestMilliseconds = Math.max(this.#latestMilliseconds, milliseconds);
  }

  #beginMeasurement(end: number): void {
    const weight = this.#weight();
    this.#bytes = this.#bytes * weight + this.#latestBytes;
    this.#milliseconds = this.#milliseconds * weight + this.#latestMilliseconds;
    this.#measuredMilliseconds += this.#latestMilliseconds;
    this.#latestBytes = 0;
    this.#latestMilliseconds = 0;
    this.#previousEnd = this.#latestEnd;
    this.#latestEnd = end;
  }

  /** What the measurements before the latest one count for since then. */
  #weight(): number {
    return Math.exp(-this.#latestMilliseconds / TIME_CONSTANT_MS);
  }

  /** The rate in bytes per second, or `undefined` while it means nothing. */
  get bytesPerSecond(): number | undefined {
    if (this.#measuredMilliseconds + this.#latestMilliseconds < MINIMUM_MS) return undefined;
    const weight = this.#weight();
    const bytes = this.#bytes * weight + this.#latestBytes;
    const milliseconds = this.#milliseconds * weight + this.#latestMilliseconds;
    return bytes / milliseconds * 1000;
  }
}
