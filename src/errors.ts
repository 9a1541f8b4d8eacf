/**
 * The one error class of the package. An app tells failures apart by {@link PullError.reason} and
 * {@link PullError.code}; a person reads {@link PullError.message}.
 *
 * @module
 */

/**
 * Where a failure was seen:
 *
 * - `http`: the server answered with a status other than 2xx; see {@link PullError.status}.
 * - `server`: the stream carried an `error` object; its text is the message.
 * - `malformed`: a line is not JSON, or not a status object; see {@link PullError.line}. Also an answer
 *   that is no pull at all, such as a login page.
 * - `line-too-long`: a line is longer than `maxLineBytes`.
 * - `truncated`: the stream ended without `success`, or in the middle of a line.
 * - `stalled`: nothing new came for `stallTimeoutMs`, or no byte at all for `silenceTimeoutMs`.
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

/**
 * Why a pull failed, where that is known. More reasons may be added, so code that branches on them needs
 * a default.
 *
 * - `model-not-found`: the registry has no such model.
 * - `invalid-name`: no model can have this name.
 * - `model-unsupported`: the server cannot use this model.
 * - `server-too-old`: the model needs a newer version of Ollama.
 * - `disk-full`: the server's disk has no room left.
 * - `storage-denied`: the server may not write where it keeps its models.
 * - `unauthorized`: who asks must log in, or sign in.
 * - `proxy-unauthorized`: a proxy on the way wants a login.
 * - `forbidden`: who asks may not do that.
 * - `rate-limited`: too many requests.
 * - `overloaded`: the server, or a proxy before it, cannot answer now.
 * - `registry-unreachable`: the server cannot reach the registry.
 * - `registry-refused`: the registry refuses the request of the server.
 * - `insecure-registry`: the registry has no TLS, which needs the option `insecure`.
 * - `digest-mismatch`: what the server downloaded is damaged, and must be downloaded again.
 * - `transfer-failed`: a download of the server broke off.
 * - `not-running`: the relay has no such pull, or no longer.
 * - `wrong-address`: something answers there, but it is not Ollama's endpoint.
 * - `redirected`: the request is redirected to where it cannot go.
 * - `refused`: nothing listens at the address.
 * - `name-not-resolved`: the host has no address.
 * - `certificate`: a certificate is not trusted.
 * - `tls-mismatch`: one side speaks TLS, and the other one does not.
 * - `not-permitted`: the runtime does not let this program use the network, as Deno without `--allow-net`.
 * - `runtime-limit`: the `fetch` of the runtime gave up, by a limit of its own.
 */
export type PullErrorReason =
  | "model-not-found"
  | "invalid-name"
  | "model-unsupported"
  | "server-too-old"
  | "disk-full"
  | "storage-denied"
  | "unauthorized"
  | "proxy-unauthorized"
  | "forbidden"
  | "rate-limited"
  | "overloaded"
  | "registry-unreachable"
  | "registry-refused"
  | "insecure-registry"
  | "digest-mismatch"
  | "transfer-failed"
  | "not-running"
  | "wrong-address"
  | "redirected"
  | "refused"
  | "name-not-resolved"
  | "certificate"
  | "tls-mismatch"
  | "not-permitted"
  | "runtime-limit"
  | (string & Record<never, never>);

/** What is known about a failure besides its code and message. */
export interface PullErrorDetails {
  /** Why it happened. */
  reason?: PullErrorReason | undefined;
  /**
   * Whether the same request may succeed later.
   *
   * @default true for `network`, `truncated` and `stalled`
   */
  retryable?: boolean | undefined;
  /** How long the server asks to wait before the next request, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The HTTP status of the answer. */
  status?: number | undefined;
  /** What the server said: an `error` object, or the body of an HTTP error, parsed if it is JSON. */
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
  /** Why it happened. */
  reason?: PullErrorReason;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** How long the server asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** The HTTP status, for `http`. */
  status?: number;
  /** What the server said. */
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
  /** Why it happened, where that is known. */
  readonly reason: PullErrorReason | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** How long the server asks to wait before the next request, in milliseconds, if it does. */
  readonly retryAfterMs: number | undefined;
  /** The HTTP status, for `http`. */
  readonly status: number | undefined;
  /**
   * What the server said, as it came: for `server` the `error` object; for `http` the body of the answer,
   * parsed if it is JSON and a string otherwise.
   */
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
    this.reason = details.reason;
    this.retryable = details.retryable ?? isRetryable(code);
    this.retryAfterMs = details.retryAfterMs;
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
    const { name, code, message, reason, retryable, retryAfterMs } = this;
    const { status, body, line, excerpt, attempts } = this;
    const json: PullErrorJson = { name, code, message, retryable };
    if (reason !== undefined) json.reason = reason;
    if (retryAfterMs !== undefined) json.retryAfterMs = retryAfterMs;
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
    return readPullError(value);
  }
}

// Not in the class: bundlers give a class that refers to itself another name, which people would see.
function readPullError(value: unknown): PullError | undefined {
  if (value instanceof PullError) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const json = value as Partial<Record<keyof PullErrorJson, unknown>>;
  const { name, code, message, reason, retryable, retryAfterMs } = json;
  const { status, body, line, excerpt, attempts, cause } = json;
  if (name !== "PullError" || !isPullErrorCode(code) || typeof message !== "string") {
    return undefined;
  }
  const details: PullErrorDetails = {
    reason: typeof reason === "string" ? reason : undefined,
    retryable: typeof retryable === "boolean" ? retryable : undefined,
    retryAfterMs: numberOrNone(retryAfterMs),
    status: numberOrNone(status),
    body,
    line: numberOrNone(line),
    excerpt: typeof excerpt === "string" ? excerpt : undefined,
    attempts: numberOrNone(attempts),
  };
  if (cause !== undefined) details.cause = cause;
  return new PullError(code, message, details);
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

function isRetryable(code: PullErrorCode): boolean {
  return code === "network" || code === "truncated" || code === "stalled";
}

function numberOrNone(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** An error of any kind as plain data: of a `PullError` all that is known, of others the name and message. */
export function errorToJson(error: Error): PullErrorJson | CauseJson {
  if (error instanceof PullError) return error.toJSON();
  return causeToJson(error) ?? { name: "Error", message: String(error) };
}

/** How many causes are followed. A cause may lead back to itself. */
const MAX_CAUSES = 8;

/** An error as plain data, or nothing if a value is none. */
export function causeToJson(cause: unknown, depth = 0): CauseJson | undefined {
  if (typeof cause !== "object" || cause === null || depth === MAX_CAUSES) return undefined;
  const { name, message, cause: next } = cause as Partial<Error>;
  if (typeof name !== "string" || typeof message !== "string") return undefined;
  const json: CauseJson = { name, message };
  const nextJson = causeToJson(next, depth + 1);
  if (nextJson !== undefined) json.cause = nextJson;
  return json;
}
