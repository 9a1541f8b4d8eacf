/**
 * How far all pulls together have come.
 *
 * What counts is all work since the last time that there was none. So the whole does not fall back when
 * a part of it ends: one that has succeeded counts with all of its bytes, and one that has failed or was
 * cancelled with those that are present, since nothing more is to be done for it.
 *
 * @module
 */

import type { PullProgress } from "../snapshot.ts";
import { MAX_FRACTION } from "../tracker.ts";
import type { PullManagerSnapshot, PullState } from "./entry.ts";

/** As much of a pull as is counted. */
export interface CountedPull {
  readonly host: string;
  readonly state: PullState;
  readonly progress: PullProgress | undefined;
}

/** How far all pulls together have come. */
export type Sums = Omit<PullManagerSnapshot, "entries">;

/** Whether a pull has come to an end. */
export function hasEnded({ state }: Pick<CountedPull, "state">): boolean {
  return state !== "waiting" && state !== "running";
}

/** Counts pulls. */
export class Totals {
  readonly #pulls = new Map<string, CountedPull>();
  /** What the fraction does not fall below, since it was shown. */
  #shownFraction = 0;

  /** Counts another pull, in place of an earlier one by its key. If no other is under way, it counts alone. */
  start(key: string, pull: CountedPull): void {
    if ([...this.#pulls.values()].every(hasEnded)) this.clear();
    this.#pulls.set(key, pull);
    this.#shownFraction = 0;
  }

  /** Lets go of a pull that has ended. It still counts. */
  dismiss(key: string): void {
    const pull = this.#pulls.get(key);
    if (!pull) return; // it has ended before those that count were begun
    const { host, state, progress } = pull;
    this.#pulls.set(key, { host, state, progress });
  }

  /** Counts none. */
  clear(): void {
    this.#pulls.clear();
    this.#shownFraction = 0;
  }

  /** How far all have come. */
  sums(): Sums {
    const pulls = [...this.#pulls.values()];
    const completed = sum(pulls, ({ progress }) => progress?.completed ?? 0);
    const total = sum(pulls, sizeOf);
    this.#shownFraction = Math.max(this.#shownFraction, fractionOf(pulls));
    const fraction = this.#shownFraction;
    const etaSeconds = secondsLeft(pulls.filter((pull) => !hasEnded(pull)));
    return etaSeconds === undefined
      ? { completed, total, fraction }
      : { completed, total, fraction, etaSeconds };
  }
}

function sum<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0);
}

/** Whether a pull has ended before its work was done. */
function isCut({ state }: CountedPull): boolean {
  return state === "failed" || state === "cancelled";
}

/** The bytes that a pull is about, as far as they are known. */
function sizeOf(pull: CountedPull): number {
  const { completed = 0, total = 0 } = pull.progress ?? {};
  return isCut(pull) ? completed : total;
}

/** The share of the work that is done. */
function fractionOf(pulls: readonly CountedPull[]): number {
  if (pulls.every(hasEnded)) return pulls.length === 0 ? 0 : 1;
  const sizes = pulls.filter((pull) => !isCut(pull)).map(sizeOf).filter((size) => size > 0);
  const averageSize = sizes.length === 0 ? 1 : sum(sizes, (size) => size) / sizes.length;
  const weightOf = (pull: CountedPull) => sizeOf(pull) || (isCut(pull) ? 0 : averageSize);
  const shareOf = (pull: CountedPull) => hasEnded(pull) ? 1 : pull.progress?.fraction ?? 0;
  const done = sum(pulls, (pull) => weightOf(pull) * shareOf(pull));
  return Math.min(done / sum(pulls, weightOf), MAX_FRACTION);
}

/** How long pulls that have not ended still take, or `undefined` if that is unknown. */
function secondsLeft(pulls: readonly CountedPull[]): number | undefined {
  if (pulls.length === 0) return undefined;
  const hosts = new Set(pulls.map(({ host }) => host));
  const seconds = Array.from(
    hosts,
    (host) => secondsLeftOnServer(pulls.filter((pull) => pull.host === host)),
  );
  const longest = Math.max(...seconds); // `NaN` if one of them is
  return Number.isFinite(longest) ? longest : undefined;
}

/** How long the pulls of one server still take, which share its speed, or `NaN` if that is unknown. */
function secondsLeftOnServer(pulls: readonly CountedPull[]): number {
  let bytes = 0;
  let bytesPerSecond = 0;
  for (const { progress } of pulls) {
    const { phase = "manifest", etaSeconds, completed = 0, total = 0 } = progress ?? {};
    const isDownloaded = phase !== "manifest" && phase !== "downloading";
    if (isDownloaded || etaSeconds === 0) continue;
    if (etaSeconds === undefined) return NaN;
    // What is fetched again is present by `completed`, but takes its time.
    const left = Math.max(1, total - completed);
    bytes += left;
    // The speed that the pull expects, which is a better guess than the one of the moment.
    bytesPerSecond += left / etaSeconds;
  }
  return bytes === 0 ? 0 : bytes / bytesPerSecond;
}
