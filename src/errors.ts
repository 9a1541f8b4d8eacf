/**
 * The one error class of the pull pipeline. A caller tells failures apart by {@link PullError.code}
 * and shows {@link PullError.message} to a person.
 *
 * @module
 */

/**
 * Why a pull failed:
 *
 * - `http`: the server answered with a status that is not 2xx; see {@link PullError.status}.
 * - `server`: the stream carried an `error` object; its text is the message.
 * - `malformed`: a line is not JSON, or not a status object; see {@link PullError.line}.
 * - `line-too-long`: a line is longer than `maxLineBytes`.
 * - `truncated`: the stream ended without `success`, or in the middle of a line.
 * - `stalled`: no byte arrived for `stallTimeoutMs`.
 * - `network`: the server could not be reached, or the connection broke.
 */
export type PullErrorCode =
  | "http"
  | "server"
  | "malformed"
  | "line-too-long"
  | "truncated"
  | "stalled"
  | "network";

/** What is known about a failure besides its code and message. */
export interface PullErrorDetails {
  /** The HTTP status of the answer. */
  status?: number | undefined;
  /** The number of the line at fault, counted from 1. */
  line?: number | undefined;
  /** The start of what was at fault, as it was received. */
  excerpt?: string | undefined;
  /** How many requests were made before giving up. */
  attempts?: number | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * A pull that failed, and why.
 *
 * ```ts
 * import { PullError, pullModel } from "@ollama-pull/kit";
 *
 * const unreachable = () => Promise.reject(new TypeError("connection refused"));
 * try {
 *   await pullModel("llama3.2", { fetch: unreachable });
 * } catch (error) {
 *   if (!(error instanceof PullError)) throw error;
 *   console.error(error.code, error.message); // "network", "Cannot reach http://127.0.0.1:11434: …"
 * }
 * ```
 */
export class PullError extends Error {
  /** Always `"PullError"`. */
  override readonly name = "PullError";
  /** Why the pull failed. */
  declare readonly code: PullErrorCode;
  /** The HTTP status, for `http`. */
  declare readonly status: number | undefined;
  /** The number of the line at fault, counted from 1, where the failure belongs to a line. */
  declare readonly line: number | undefined;
  /** The start of what was at fault, as it was received: raw, not for a terminal. */
  declare readonly excerpt: string | undefined;
  /** How many requests were made before giving up, where `pull` has retried. */
  declare readonly attempts: number | undefined;

  /**
   * Makes the error of a pull that failed.
   *
   * @param code Why the pull failed.
   * @param message What was wrong, where, and what to do; for a person.
   * @param details What else is known.
   */
  constructor(code: PullErrorCode, message: string, details: PullErrorDetails = {}) {
    super(message, details);
    // Some engines give every error a line, that of the program.
    Object.assign(this, { code, line: undefined }, details);
  }
}

/**
 * What to do with a line that is malformed: fail the stream (`"error"`), leave the line out
 * (`"skip"`), or leave it out and be told of it (a function, called in the order of the lines; what
 * it throws fails the stream).
 */
export type OnMalformed = "error" | "skip" | ((error: PullError) => void);

/** Treats a malformed line as the caller asked for. */
export function handleMalformed(error: PullError, onMalformed: OnMalformed = "error"): void {
  if (onMalformed === "error") throw error;
  if (onMalformed !== "skip") onMalformed(error);
}

const EXCERPT_LENGTH = 80;

/** The first characters of a text, for {@link PullError.excerpt}. */
export function excerptOf(text: string): string {
  if (text.length <= EXCERPT_LENGTH) return text;
  return `${text.slice(0, EXCERPT_LENGTH).toWellFormed()}…`;
}

/** A text in quotes on one line, with control characters escaped, for a message. */
export function quote(text: string): string {
  // JSON leaves some as they are: DEL, and those by which a text can steer a terminal.
  return JSON.stringify(excerptOf(text)).replace(
    /[\x7f-\x9f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
}
