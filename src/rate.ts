/**
 * How fast bytes arrive, and how long the rest of them will take.
 *
 * A measurement is a span of time, and the bytes that arrived at its end. The speed is the mean over the
 * measurements, weighted so that older ones count less. A pause without measurements (between two layers,
 * say) lowers the speed while it lasts, and no longer counts afterwards. The time left comes from a
 * {@link Forecast}.
 *
 * @module
 */

import { Forecast } from "./forecast.ts";

/** The age at which a measurement has lost about half of its weight, or a little more. */
const TIME_CONSTANT_MS = 5_000;

/** How much (weighted) time must have been measured before there is a speed. */
const MINIMUM_MS = 450;

/** After more time than this without new bytes, the speed is 0 and the time left is unknown. */
const FROZEN_MS = 10_000;

/** The factor by which the weight of earlier measurements shrinks in some milliseconds. */
function weightAfter(milliseconds: number): number {
  return TIME_CONSTANT_MS / (TIME_CONSTANT_MS + milliseconds);
}

/**
 * Computes speed and time left. Times are in milliseconds, from any clock that does not run backwards. A
 * report of no new bytes has the same effect as no report.
 */
export class TransferRate {
  readonly #forecast = new Forecast();
  /** Bytes and time of all measurements before the latest, weighted as of when the latest began. */
  #bytes = 0;
  #milliseconds = 0;
  // The latest measurement is kept separate until a later one begins. So bytes that arrive at the same
  // moment are summed exactly, and give the same speed whether they are added in one call or in many.
  #latestBytes = 0;
  #latestMilliseconds = 0;
  /** How much of its time had passed before its latest moment, without any bytes. */
  #emptyMilliseconds = 0;
  #latestEnd = NaN;
  #previousEnd = NaN;
  /** When bytes last arrived. */
  #newBytesAt = NaN;

  /** Counts bytes that arrived between two times. */
  add(bytes: number, from: number, to: number): void {
    if (!(to <= this.#latestEnd)) this.#begin(to);
    this.#latestBytes += bytes;
    if (bytes > 0) this.#newBytesAt = to;
    // Parallel layers share the same time, so do not count it twice.
    const start = from < this.#previousEnd ? this.#previousEnd : from;
    const milliseconds = this.#emptyMilliseconds + to - start;
    if (milliseconds > this.#latestMilliseconds) this.#latestMilliseconds = milliseconds;
  }

  /** Begins a new moment, and with it a new measurement, unless the latest one still has no bytes. */
  #begin(end: number): void {
    this.#close();
    this.#emptyMilliseconds = this.#latestMilliseconds;
    this.#previousEnd = this.#latestEnd;
    this.#latestEnd = end;
  }

  /** Closes the latest measurement if its moment is over. (The clock does not run backwards.) */
  #reach(now: number): void {
    if (now > this.#latestEnd) this.#close();
  }

  /** Closes the latest measurement, if it has bytes. */
  #close(): void {
    if (this.#latestBytes === 0) return;
    const weight = weightAfter(this.#latestMilliseconds);
    this.#bytes = this.#bytes * weight + this.#latestBytes;
    this.#milliseconds = this.#milliseconds * weight + this.#latestMilliseconds;
    this.#forecast.add(this.#latestBytes, this.#latestMilliseconds);
    this.#latestBytes = 0;
    this.#latestMilliseconds = 0;
  }

  /** The bytes per second at a time that is not before the latest moment; `NaN` until enough was measured. */
  bytesPerSecond(now: number): number {
    this.#reach(now);
    const latest = this.#latestMilliseconds + now - this.#latestEnd;
    const weight = weightAfter(latest);
    const milliseconds = this.#milliseconds * weight + latest;
    if (!(milliseconds >= MINIMUM_MS)) return NaN;
    if (this.#isFrozen(now)) return 0;
    return (this.#bytes * weight + this.#latestBytes) / milliseconds * 1000;
  }

  /** The seconds that some bytes will take, as estimated at a time; `NaN` if there is no estimate. */
  secondsFor(bytes: number, now: number): number {
    this.#reach(now);
    return this.#isFrozen(now) ? NaN : bytes / this.#forecast.pace / 1000;
  }

  #isFrozen(now: number): boolean {
    return now - this.#newBytesAt > FROZEN_MS;
  }
}
