/**
 * Retries: one stream of progress over as many attempts as it takes.
 *
 *     attempt ──▶ failure ── transient? ──▶ wait ──▶ attempt ──▶ …
 *        └───────────────── progress ─────────────────┴──▶ one stream
 *
 * {@link Attempts} makes the attempts: requests for a pull, or requests to a relay.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import type { PullProgress } from "../snapshot.ts";
import { type Failure, ignoreRejection, type Producer } from "../streams/producer.ts";
import type { Emit } from "../streams/step.ts";
import type { PullOptions } from "./options.ts";
import { Retries, type RetryOptions } from "./retry.ts";
import { sleepOnTimer } from "./sleep.ts";

/** The attempts at one pull. Their shared state outlives each of them. */
export interface Attempts {
  /**
   * Makes the next attempt, which connects when it is first read.
   *
   * @param ended Aborts when there will be no more attempts.
   */
  next(ended: AbortSignal): Producer<PullProgress>;
  /** Ends the latest attempt, which has failed. Returns whether it made enough progress to reset the count. */
  endAttempt(): boolean;
  /** Whether the latest attempt was answered. */
  readonly hasAnswered: boolean;
  /** Whether the pull has succeeded. Everything later is ignored. */
  readonly hasSucceeded: boolean;
  /** Whether the latest failure ended the pull itself, so that another attempt would be useless. */
  readonly hasFailed: boolean;
}

/** The {@link PullOptions} that {@link AttemptsProducer} uses. */
export type AttemptOptions = RetryOptions & Pick<PullOptions, "signal" | "onRetry" | "sleep">;

/** The progress of all attempts. */
export class AttemptsProducer implements Producer<PullProgress> {
  readonly #attempts: Attempts;
  readonly #options: AttemptOptions;
  readonly #retries: Retries;
  /** Aborts when the stream ends, however it ends. */
  readonly #ended = new AbortController();
  #attempt: Producer<PullProgress>;
  #count = 1;
  #hasAnswered = false;
  /** The failure of the latest attempt. It is handled once the snapshots before it were taken. */
  #failure: Failure | undefined;
  #isStarted = false;

  constructor(attempts: Attempts, options: AttemptOptions) {
    this.#attempts = attempts;
    this.#options = options;
    this.#retries = new Retries(options);
    this.#attempt = attempts.next(this.#ended.signal);
  }

  async read(): Promise<unknown> {
    if (!this.#isStarted) this.#start();
    this.#ended.signal.throwIfAborted();
    if (this.#failure) await this.#retry(this.#failure.error);
    try {
      return await this.#attempt.read();
    } catch (error) {
      this.#attempt.fail(error);
      this.#ended.signal.throwIfAborted();
      this.#failure = { error };
      return undefined;
    }
  }

  take(input: unknown, emit: Emit<PullProgress>): boolean {
    if (input === undefined) return true; // the attempt has failed: the next `read` handles that
    let mayGoOn = true;
    try {
      mayGoOn = this.#attempt.take(input, emit);
    } catch (error) {
      this.#failure = { error };
    }
    // Success ends the pull, even if the server keeps the stream open.
    if (!this.#attempts.hasSucceeded) {
      this.#ended.signal.throwIfAborted();
      if (mayGoOn) return true;
    }
    ignoreRejection(this.cancel());
    return false;
  }

  fail(error: unknown): void {
    ignoreRejection(this.cancel(error));
  }

  cancel(reason?: unknown): Promise<void> {
    this.#ended.abort(reason);
    return this.#attempt.cancel(reason);
  }

  /** Begins, when the stream is first read: starts the time limit and follows the caller's signal. */
  #start(): void {
    this.#isStarted = true;
    this.#retries.start();
    const { signal } = this.#options;
    if (!signal) return;
    const stop = () => ignoreRejection(this.cancel(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { signal: this.#ended.signal });
  }

  /** Waits and makes another attempt, or throws the failure if it should not be retried. */
  async #retry(error: unknown): Promise<void> {
    if (!(error instanceof PullError) || this.#attempts.hasFailed) throw error;
    this.#hasAnswered ||= this.#attempts.hasAnswered || error.status !== undefined;
    const hasProgressed = this.#attempts.endAttempt();
    const decision = this.#retries.decide({
      error,
      hasAnswered: this.#hasAnswered,
      hasProgressed,
    });
    if (decision.delayMs === undefined) throw finalError(error, this.#count, decision.because);
    const { delayMs } = decision;
    const { onRetry, sleep = sleepOnTimer } = this.#options;
    this.#failure = undefined;
    onRetry?.({ error, delayMs, attempt: this.#count + 1 });
    await sleep(delayMs, this.#ended.signal);
    this.#attempt = this.#attempts.next(this.#ended.signal);
    this.#count++;
  }
}

/** The error of the last attempt, with the number of attempts and why there are no more. */
function finalError(error: PullError, attempts: number, because: string | undefined): PullError {
  if (attempts === 1 && because === undefined) return error;
  const { code, message, reason, retryable, retryAfterMs, status, body, line, excerpt } = error;
  const known = { reason, retryable, retryAfterMs, status, body, line, excerpt, cause: error };
  const count = attempts === 1 ? "" : ` (after ${attempts} attempts)`;
  const advice = because === undefined ? "" : `; ${because}`;
  const details = attempts === 1 ? known : { ...known, attempts };
  return new PullError(code, `${message}${count}${advice}`, details);
}
