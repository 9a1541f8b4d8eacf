/**
 * How fast bytes come in, and how long the rest of them will take.
 *
 * A measurement is the time up to a moment at which bytes came in, and those bytes. The speed is the mean
 * over the measurements, weighted so that one counts for less the older it is. Time in which nothing was
 * measured (between two layers, say) lowers it while it lasts, and counts for nothing afterwards. The
 * time left rests on a {@link Forecast}.
 *
 * @module
 */

import { Forecast } from "./forecast.ts";

/** The age at which a measurement has lost half of its weight, or a little more. */
const TIME_CONSTANT_MS = 5_000;

/** How much time must have been measured, weighted like the bytes, before there is a speed. */
const MINIMUM_MS = 450;

/** Without new bytes for longer than this, the speed is 0 and the time left unknown. */
const FROZEN_MS = 10_000;

/** What is left of the weight of earlier measurements after some milliseconds. */
function weightAfter(milliseconds: number): number {
  return TIME_CONSTANT_MS / (TIME_CONSTANT_MS + milliseconds);
}

/**
 * A speed and a time left. Times are in milliseconds, of any clock that does not run backwards. That a
 * span has brought no bytes says no more than silence does.
 */
export class TransferRate {
  readonly #forecast = new Forecast();
  /** Bytes and time of all measurements but the latest, as they were weighted when that one began. */
  #bytes = 0;
  #milliseconds = 0;
  // The latest measurement is kept apart until a later one begins. So what arrives at one moment is added
  // up in whole bytes, and gives the same speed whether it comes in one call or in many.
  #latestBytes = 0;
  #latestMilliseconds = 0;
  /** How much of its time had passed before its latest moment: no bytes came until then. */
  #emptyMilliseconds = 0;
  #latestEnd = NaN;
  #previousEnd = NaN;
  /** When bytes came in last. */
  #newBytesAt = NaN;

  /** Counts bytes that came in from one time to another. */
  add(bytes: number, from: number, to: number): void {
    if (!(to <= this.#latestEnd)) this.#begin(to);
    this.#latestBytes += bytes;
    if (bytes > 0) this.#newBytesAt = to;
    // Parallel layers share their time: what was measured once is not counted twice.
    const start = from < this.#previousEnd ? this.#previousEnd : from;
    const milliseconds = this.#emptyMilliseconds + to - start;
    if (milliseconds > this.#latestMilliseconds) this.#latestMilliseconds = milliseconds;
  }

  /** Begins a moment: of a new measurement, unless the latest one is still without bytes. */
  #begin(end: number): void {
    this.#close();
    this.#emptyMilliseconds = this.#latestMilliseconds;
    this.#previousEnd = this.#latestEnd;
    this.#latestEnd = end;
  }

  /** Closes the latest measurement at a later time: as no clock runs backwards, its moment is over. */
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

  /** The bytes per second at a time, not before the latest moment, or `NaN` until enough was measured. */
  bytesPerSecond(now: number): number {
    this.#reach(now);
    const latest = this.#latestMilliseconds + now - this.#latestEnd;
    const weight = weightAfter(latest);
    const milliseconds = this.#milliseconds * weight + latest;
    if (!(milliseconds >= MINIMUM_MS)) return NaN;
    if (this.#isFrozen(now)) return 0;
    return (this.#bytes * weight + this.#latestBytes) / milliseconds * 1000;
  }

  /** The seconds that some bytes will take, as far as can be told at a time, or else `NaN`. */
  secondsFor(bytes: number, now: number): number {
    this.#reach(now);
    return this.#isFrozen(now) ? NaN : bytes / this.#forecast.pace / 1000;
  }

  #isFrozen(now: number): boolean {
    return now - this.#newBytesAt > FROZEN_MS;
  }
}
