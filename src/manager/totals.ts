/**
 * The progress of all pulls together.
 *
 * All pulls count that were started since the manager was last idle. So the total does not fall back when a
 * pull ends: a pull that has succeeded counts with all of its bytes, and one that failed or was cancelled
 * with the bytes that are present, because nothing more will be done for it.
 *
 * @module
 */

import type { PullProgress } from "../snapshot.ts";
import { MAX_FRACTION } from "../tracker.ts";
import type { PullManagerSnapshot, PullState } from "./entry.ts";

/** The part of a pull that is counted. */
export interface CountedPull {
  readonly host: string;
  readonly state: PullState;
  readonly progress: PullProgress | undefined;
}

/** The progress of all pulls together. */
export type Sums = Omit<PullManagerSnapshot, "entries">;

/** Whether a pull has ended. */
export function hasEnded({ state }: Pick<CountedPull, "state">): boolean {
  return state !== "waiting" && state !== "running";
}

/** Counts pulls. */
export class Totals {
  readonly #pulls = new Map<string, CountedPull>();
  /** The largest fraction shown so far, below which it must not fall. */
  #shownFraction = 0;

  /** Counts another pull, replacing one with the same key. If no other has still to end, it counts alone. */
  start(key: string, pull: CountedPull): void {
    if ([...this.#pulls.values()].every(hasEnded)) this.clear();
    this.#pulls.set(key, pull);
    this.#shownFraction = 0;
  }

  /** Releases a pull that has ended, but still counts it. */
  dismiss(key: string): void {
    const pull = this.#pulls.get(key);
    if (!pull) return; // it ended before the counted pulls were started
    const { host, state, progress } = pull;
    this.#pulls.set(key, { host, state, progress });
  }

  /** Counts no pulls any more. */
  clear(): void {
    this.#pulls.clear();
    this.#shownFraction = 0;
  }

  /** The progress of all counted pulls. */
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

/** The size of a pull, in bytes, as far as it is known. */
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
    // Bytes that are fetched again already count in `completed`, but still take time.
    const left = Math.max(1, total - completed);
    bytes += left;
    // Use the speed that the pull expects, a better estimate than its current speed.
    bytesPerSecond += left / etaSeconds;
  }
  return bytes === 0 ? 0 : bytes / bytesPerSecond;
}
