/**
 * Decides whether and when to retry a failed pull.
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

/** How many bytes an attempt must bring to reset the count of failures: more than a trickle. */
const MIN_PROGRESS_BYTES = 1_000_000;

/** What to do after a failure: wait and try again, or give up, with an explanation for the message. */
export type Decision =
  | { readonly delayMs: number }
  | { readonly delayMs: undefined; readonly because?: string };

/** The {@link PullOptions} that {@link Retries} uses. */
export type RetryOptions = Pick<
  PullOptions,
  "retries" | "retryForMs" | "maxRetryDelayMs" | "now" | "random"
>;

/** A failed attempt. */
export interface FailedAttempt {
  readonly error: PullError;
  /** Whether this attempt, or one before it, was answered. */
  readonly hasAnswered: boolean;
  /** Whether this attempt made enough progress to reset the count of failures. */
  readonly hasProgressed: boolean;
}

/** Counts consecutive failures, and decides what to do after each. */
export class Retries {
  readonly #options: RetryOptions;
  readonly #now: () => number;
  #failuresInARow = 0;
  #progressAt = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Starts the clock: the first request is about to be made. */
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

/** Decides which attempts of a pull made enough progress to reset the count of failures. */
export class AttemptProgress {
  readonly #tracker: ProgressTracker;
  /** The bytes present when the attempt began, and the latest phase that earlier attempts reached. */
  #completedBefore = 0;
  #phaseBefore = 0;

  /** @param tracker Follows the pull over all of its attempts. */
  constructor(tracker: ProgressTracker) {
    this.#tracker = tracker;
  }

  /** Ends an attempt. Returns whether it brought enough bytes, or reached a later phase than those before. */
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
 * How long to wait before a retry, in milliseconds: doubled after each consecutive failure, then reduced
 * by a random amount, up to half.
 *
 * @param failuresInARow How many failures there were before this one.
 * @param random A number from 0 to 1.
 */
export function retryDelayMs(failuresInARow: number, random: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** failuresInARow, LONGEST_DELAY_MS);
  return longest * (1 - random / 2);
}

/** A duration for messages: in seconds up to two minutes, then in minutes. */
function describeWait(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
