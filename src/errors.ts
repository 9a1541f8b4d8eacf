/**
 * The one error class of the package. Code tells failures apart by {@link PullError.code}; a person
 * reads {@link PullError.message}.
 *
 * @module
 */

/**
 * Where a failure was seen:
 *
 * - `http`: the server answered with a status other than 2xx; see {@link PullError.status}.
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
  /** What the body of an HTTP error said: parsed if it is JSON, a string otherwise. */
  body?: unknown;
  /** The number of the bad line, counted from 1. */
  line?: number | undefined;
  /** The start of the bad line or value, as it was received. */
  excerpt?: string | undefined;
  /** How many requests were made before `pull` gave up. */
  attempts?: number | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/** A {@link PullError} as plain data: what {@link PullError.toJSON} gives. */
export interface PullErrorJson {
  /** Always `"PullError"`. */
  name: "PullError";
  /** Where the failure was seen. */
  code: PullErrorCode;
  /** What was wrong, where, and what to do. */
  message: string;
  /** The HTTP status, for `http`. */
  status?: number;
  /** What the body of an HTTP error said. */
  body?: unknown;
  /** The number of the bad line. */
  line?: number;
  /** The start of the bad line or value. */
  excerpt?: string;
  /** How many requests were made. */
  attempts?: number;
  /** The name and message of the error that led to this one, and of the one that led to that. */
  cause?: CauseJson;
}

/** An error that led to another one, as plain data. */
export interface CauseJson {
  /** The name of its class. */
  name: string;
  /** Its message. */
  message: string;
  /** The error that led to it. */
  cause?: CauseJson;
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
  /** Where the failure was seen. */
  readonly code: PullErrorCode;
  /** The HTTP status, for `http`. */
  readonly status: number | undefined;
  /** What the body of an HTTP error said: parsed if it is JSON, a string otherwise. */
  readonly body: unknown;
  /** The number of the bad line, counted from 1, if the failure belongs to a line. */
  readonly line: number | undefined;
  /** The start of the bad line or value as it was received. It may hold control characters. */
  readonly excerpt: string | undefined;
  /** How many requests were made before giving up, if `pull` has retried. */
  readonly attempts: number | undefined;

  /**
   * Creates the error of a failed pull.
   *
   * @param code Where the failure was seen.
   * @param message What was wrong, where, and what to do; for a person.
   * @param details What else is known.
   */
  constructor(code: PullErrorCode, message: string, details: PullErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.status = details.status;
    this.body = details.body;
    // JavaScriptCore sets `line` on every error, to a line of the program: this replaces it.
    this.line = details.line;
    this.excerpt = details.excerpt;
    this.attempts = details.attempts;
  }

  /**
   * Everything that is known about the failure as plain data, so that it survives `JSON.stringify`,
   * `postMessage` and `structuredClone`. {@link PullError.from} reads it again.
   */
  toJSON(): PullErrorJson {
    const { name, code, message, status, body, line, excerpt, attempts } = this;
    const json: PullErrorJson = { name, code, message };
    if (status !== undefined) json.status = status;
    if (body !== undefined) json.body = body;
    if (line !== undefined) json.line = line;
    if (excerpt !== undefined) json.excerpt = excerpt;
    if (attempts !== undefined) json.attempts = attempts;
    const cause = causeToJson(this.cause);
    if (cause !== undefined) json.cause = cause;
    return json;
  }

  /**
   * Reads what {@link PullError.toJSON} gave, on the other side of a border.
   *
   * ```ts
   * import { PullError } from "@ollama-pull/kit";
   * import { assertEquals } from "@std/assert";
   *
   * const sent = JSON.stringify(new PullError("http", "HTTP 502 Bad Gateway", { status: 502 }));
   * assertEquals(PullError.from(JSON.parse(sent))?.status, 502);
   * assertEquals(PullError.from(new Error("another one")), undefined);
   * ```
   *
   * @param value Anything.
   * @return The error, or `undefined` if the value is not one. A `PullError` is returned as it is.
   */
  static from(value: unknown): PullError | undefined {
    if (value instanceof PullError) return value;
    if (typeof value !== "object" || value === null) return undefined;
    const { name, code, message, status, body, line, excerpt, attempts, cause } = value as Partial<
      Record<keyof PullErrorJson, unknown>
    >;
    if (name !== "PullError" || !isPullErrorCode(code) || typeof message !== "string") {
      return undefined;
    }
    const details: PullErrorDetails = {
      status: numberOrNone(status),
      body,
      line: numberOrNone(line),
      excerpt: typeof excerpt === "string" ? excerpt : undefined,
      attempts: numberOrNone(attempts),
    };
    if (cause !== undefined) details.cause = cause;
    return new PullError(code, message, details);
  }
}

const CODES: ReadonlySet<unknown> = new Set<PullErrorCode>([
  "http",
  "server",
  "malformed",
  "line-too-long",
  "truncated",
  "stalled",
  "network",
]);

function isPullErrorCode(value: unknown): value is PullErrorCode {
  return CODES.has(value);
}

function numberOrNone(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** How many causes are followed. A cause may lead back to itself. */
const MAX_CAUSES = 8;

function causeToJson(cause: unknown, depth = 0): CauseJson | undefined {
  if (typeof cause !== "object" || cause === null || depth === MAX_CAUSES) return undefined;
  const { name, message, cause: next } = cause as Partial<Error>;
  if (typeof name !== "string" || typeof message !== "string") return undefined;
  const json: CauseJson = { name, message };
  const nextJson = causeToJson(next, depth + 1);
  if (nextJson !== undefined) json.cause = nextJson;
  return json;
}
