/**
 * Whether and when a pull that has failed is tried again.
 *
 * @module
 */

import type { PullError } from "../errors.ts";
import { PHASES } from "../snapshot.ts";
import type { ProgressTracker } from "../tracker.ts";
import type { PullOptions } from "./options.ts";

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
const DEFAULT_MAX_RETRY_DELAY_MS = 300_000;

/** How much an attempt must bring for the count of failures to start again: more than a trickle. */
const MIN_PROGRESS_BYTES = 1_000_000;

/** What to do after a failure: wait and try again, or give up and say why in some more words. */
export type Decision =
  | { readonly delayMs: number }
  | { readonly delayMs: undefined; readonly because?: string };

/** What {@link Retries} reads of the options of {@link PullOptions}. */
export type RetryOptions = Pick<
  PullOptions,
  "retries" | "retryForMs" | "maxRetryDelayMs" | "now" | "random"
>;

/** What is known of an attempt that has failed. */
export interface FailedAttempt {
  readonly error: PullError;
  /** Whether this attempt, or one before it, was answered. */
  readonly hasAnswered: boolean;
  /** Whether it has brought enough for the count of failures to start again. */
  readonly hasProgressed: boolean;
}

/** Counts failures in a row, and decides. */
export class Retries {
  readonly #options: RetryOptions;
  readonly #now: () => number;
  #failuresInARow = 0;
  #progressAt = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Begins: the first request is about to be made. */
  start(): void {
    this.#progressAt = this.#now();
  }

  /** Decides what to do after an attempt has failed. */
  decide({ error, hasAnswered, hasProgressed }: FailedAttempt): Decision {
    if (hasProgressed) {
      this.#failuresInARow = 0;
      this.#progressAt = this.#now();
    }
    const { retries = 0, retryForMs = 0, maxRetryDelayMs = DEFAULT_MAX_RETRY_DELAY_MS } =
      this.#options;
    const { reason, retryable, retryAfterMs = 0 } = error;
    const isUnreachable = reason === "refused" || reason === "name-not-resolved";
    const isInTime = this.#now() - this.#progressAt < retryForMs;
    if (!retryable || (isUnreachable && !hasAnswered)) return { delayMs: undefined };
    if (this.#failuresInARow >= retries && !isInTime) return { delayMs: undefined };
    if (retryAfterMs > maxRetryDelayMs) {
      return { delayMs: undefined, because: `come back in ${describeWait(retryAfterMs)}` };
    }
    const random = this.#options.random ?? Math.random;
    const delayMs = retryDelayMs(this.#failuresInARow, random());
    this.#failuresInARow++;
    return { delayMs: Math.min(Math.max(delayMs, retryAfterMs), maxRetryDelayMs) };
  }
}

/** Tells which attempts of a pull have brought enough for the count of failures to start again. */
export class AttemptProgress {
  readonly #tracker: ProgressTracker;
  /** What was there when the attempt began, and the furthest phase of all attempts before it. */
  #completedBefore = 0;
  #phaseBefore = 0;

  /** @param tracker Follows the pull over all of its attempts. */
  constructor(tracker: ProgressTracker) {
    this.#tracker = tracker;
  }

  /** Ends an attempt, and returns whether it has brought enough, or got further than those before. */
  endAttempt(): boolean {
    const { completed, phase } = this.#tracker;
    const rank = PHASES.indexOf(phase);
    const isEnough = completed - this.#completedBefore >= MIN_PROGRESS_BYTES ||
      rank > this.#phaseBefore;
    this.#completedBefore = completed;
    this.#phaseBefore = Math.max(rank, this.#phaseBefore);
    return isEnough;
  }
}

/**
 * How long to wait before a retry, in milliseconds: twice as long after each failure in a row, and up
 * to half of that at random.
 *
 * @param failuresInARow How many failures there were before this one.
 * @param random A number from 0 to 1.
 */
export function retryDelayMs(failuresInARow: number, random: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** failuresInARow, LONGEST_DELAY_MS);
  return longest * (1 - random / 2);
}

/** A time in words: whole seconds up to two minutes, whole minutes beyond. */
function describeWait(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
