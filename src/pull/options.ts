/**
 * The options of {@link pull} and {@link pullModel}.
 *
 * @module
 */

import type { PullError } from "../errors.ts";
import type { DecodeProgressOptions } from "../progress.ts";
import type { PullProgress } from "../snapshot.ts";

/** Options of {@link pull}. */
export interface PullOptions extends DecodeProgressOptions {
  /**
   * The address of the server, as people write it: `localhost`, `host:port`, `:port`, a URL; see
   * {@link parseHost}. A path is kept, for servers behind a proxy. A user name and password are sent as
   * basic authentication. If it is empty or absent, the default is used.
   *
   * @default {"http://127.0.0.1:11434"}
   */
  host?: string | URL | undefined;
  /**
   * The path of the endpoint, appended to the path of `host`. Change it for an app that offers the
   * endpoint elsewhere, such as at `/api/pull/0`.
   *
   * @default {"/api/pull"}
   */
  path?: string | undefined;
  /**
   * Lets the server use a registry without TLS, or with a certificate that it cannot verify.
   *
   * @default {false}
   */
  insecure?: boolean | undefined;
  /** Headers to send besides those of the protocol, such as `Authorization`. */
  headers?: RequestInit["headers"] | undefined;
  /**
   * Makes the request: the runtime's `fetch`, a mock's, or one with a proxy or logging. It is called with
   * the URL and the options, whose `headers` are a plain object.
   *
   * @default {fetch}
   */
  fetch?: ((url: string, init: PullRequestInit) => Response | Promise<Response>) | undefined;
  /** Ends the pull when it aborts. The server keeps the downloaded bytes for the next pull. */
  signal?: AbortSignal | undefined;
  /**
   * The longest time without progress, in milliseconds, from the request until all layers are complete.
   * After that the pull fails with `stalled`. Before the download begins, the answer and each change of
   * status count as progress. During the download only new bytes of the model count, since a server may go
   * on reporting the same number (observed: at 98 or 99 %, where another pull usually helps). Bytes that
   * are fetched again after a part has failed count once. Only the time counts in which the pull waits for
   * the server, and not the time in which the server verifies and writes. Does not apply with
   * `stream: false`.
   *
   * @default {Infinity}
   */
  stallTimeoutMs?: number | undefined;
  /**
   * The least speed that counts as progress: if a download brings fewer bytes per second than this over
   * `stallTimeoutMs`, it has stalled.
   *
   * @default {0}
   */
  minBytesPerSecond?: number | undefined;
  /**
   * The longest time without any byte from the server, in milliseconds, in every phase. After that the pull
   * fails with `stalled`. Verifying a large model can take minutes. Node's own `fetch` gives up after 300 s
   * of silence, Bun's after 360 s (unless it gets `timeout: false`); the pull then fails with the reason
   * `runtime-limit`. To wait longer, pass a `fetch` without that limit.
   *
   * @default {Infinity}
   */
  silenceTimeoutMs?: number | undefined;
  /**
   * How many times in a row to try again after a transient failure (see {@link PullError.retryable}). An
   * attempt that has brought at least 1 MB, or has reached a later phase than all attempts before it,
   * resets the count. If the very first connection fails because nothing listens at the address, or the
   * host is unknown, the pull fails at once.
   *
   * @default {0}
   */
  retries?: number | undefined;
  /**
   * For how long to keep trying without such progress, in milliseconds, even if `retries` are used up.
   *
   * @default {0}
   */
  retryForMs?: number | undefined;
  /**
   * The longest wait before another attempt, in milliseconds. If the server asks for a longer one (with
   * `Retry-After`), the pull fails; see {@link PullError.retryAfterMs}.
   *
   * @default {300000}
   */
  maxRetryDelayMs?: number | undefined;
  /** Called before each wait for another attempt. What it throws fails the pull. */
  onRetry?: ((retry: PullRetry) => void) | undefined;
  /**
   * Waits for a number of milliseconds, or rejects when the signal aborts. A virtual clock brings its own
   * `sleep` and `now`; pass both.
   *
   * @default {setTimeout}
   */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
  /**
   * Returns a random number from 0 to 1. It varies the waits before a retry, so that many clients do not
   * come back at the same moment.
   *
   * @default {Math.random}
   */
  random?: (() => number) | undefined;
}

/** A failure, and the attempt that is about to follow it. */
export interface PullRetry {
  /** The failure of the previous attempt. */
  readonly error: PullError;
  /** The wait before the attempt, in milliseconds. */
  readonly delayMs: number;
  /** The number of the next attempt: 2 or more. */
  readonly attempt: number;
}

/** The options that `fetch` is called with. */
export interface PullRequestInit extends RequestInit {
  /** Always `POST`. */
  method: "POST";
  /** The headers, with their names in lower case. */
  headers: Record<string, string>;
  /** The request as JSON. */
  body: string;
  /** Aborts when the answer is no longer wanted. */
  signal: AbortSignal;
  /**
   * `manual`, so that no header is sent to another server. In a browser, a request without headers of the
   * caller that is redirected is repeated with `follow`.
   */
  redirect: "manual" | "follow";
}

/** Options of {@link pullModel}. */
export interface PullModelOptions extends PullOptions {
  /** Called with each snapshot. An error that it throws cancels the pull and is thrown by `pullModel`. */
  onProgress?: ((progress: PullProgress) => void) | undefined;
  /**
   * Whether the server should report progress. If not, it answers once, when the pull has ended.
   *
   * @default {true}
   */
  stream?: boolean | undefined;
}
