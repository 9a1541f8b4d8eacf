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

/** The time, weighted like the bytes, that must have been measured before the rate means something. */
const MINIMUM_MS = 450;

/** A smoothed rate. Times are in milliseconds, of any clock that does not run backwards. */
export class TransferRate {
  /** Bytes and time of all measurements but the latest, as they were weighted when that one began. */
  #bytes = 0;
  #milliseconds = 0;
  // The latest measurement is kept apart until a later one comes, so that what arrives at one moment
  // is summed in whole bytes, and gives the same rate whether it is told in one call or in many.
  #latestBytes = 0;
  #latestMilliseconds = 0;
  #latestEnd = -Infinity;
  #previousEnd = -Infinity;

  /** Counts bytes that came in from one time to another. */
  add(bytes: number, from: number, to: number): void {
    if (to > this.#latestEnd) {
      [this.#bytes, this.#milliseconds] = this.#sums();
      this.#latestBytes = this.#latestMilliseconds = 0;
      this.#previousEnd = this.#latestEnd;
      this.#latestEnd = to;
    }
    this.#latestBytes += bytes;
    // Parallel layers share their time: what was measured once is not counted twice.
    const milliseconds = to - Math.max(from, this.#previousEnd);
    this.#latestMilliseconds = Math.max(this.#latestMilliseconds, milliseconds);
  }

  /** Bytes and time of all measurements, as they are weighted at the end of the latest one. */
  #sums(): [bytes: number, milliseconds: number] {
    const weight = Math.exp(-this.#latestMilliseconds / TIME_CONSTANT_MS);
    return [
      this.#bytes * weight + this.#latestBytes,
      this.#milliseconds * weight + this.#latestMilliseconds,
    ];
  }

  /** The rate in bytes per second, or `NaN` while it means nothing. */
  get bytesPerSecond(): number {
    const [bytes, milliseconds] = this.#sums();
    return milliseconds < MINIMUM_MS ? NaN : bytes / milliseconds * 1000;
  }
}
