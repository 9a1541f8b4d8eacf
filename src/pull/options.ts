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
   * The path of the endpoint, which is appended to the path of `host`. For an app that offers the
   * endpoint somewhere else, such as `/api/pull/0`.
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
   * Makes the request: the runtime's `fetch`, that of a mock, or one with a proxy or logging. It is
   * called with the address and the options, whose `headers` are a plain object.
   *
   * @default {fetch}
   */
  fetch?: ((url: string, init: PullRequestInit) => Response | Promise<Response>) | undefined;
  /** Ends the pull when it aborts. The server keeps what was downloaded, for the next pull. */
  signal?: AbortSignal | undefined;
  /**
   * The longest time without anything new, in milliseconds, from the request until all layers are
   * complete; after it the pull fails with `stalled`. While nothing is downloaded yet, an answer and each
   * other status are new; while downloading, only bytes of the model are, since a server may go on
   * reporting the same ones (observed: at 98 or 99 %, where to pull again usually helps). Bytes that are
   * fetched again after a part has failed are new once. Only time in which the pull waits for the server
   * counts, and none while it verifies and writes. Without a stream this does not apply.
   *
   * @default {Infinity}
   */
  stallTimeoutMs?: number | undefined;
  /**
   * While downloading, fewer bytes than this for each second of `stallTimeoutMs` count as none.
   *
   * @default {0}
   */
  minBytesPerSecond?: number | undefined;
  /**
   * The longest time without any byte of the server, in milliseconds, whatever it does; after it the pull
   * fails with `stalled`. To verify a large model can take minutes. Node's `fetch` has a limit of its own,
   * of 300 s, and Bun's one of 360 s (unless it gets `timeout: false`): it ends a pull with the reason
   * `runtime-limit`. To wait longer, pass a `fetch` without it.
   *
   * @default {Infinity}
   */
  silenceTimeoutMs?: number | undefined;
  /**
   * How many failures in a row are followed by another attempt, if their cause may pass (see
   * {@link PullError.retryable}). An attempt that has brought at least 1 MB, or got further than all
   * before it (to another phase), starts the count again. If the very first connection cannot be made
   * since nothing listens at the address, or the host is unknown, the pull fails at once.
   *
   * @default {0}
   */
  retries?: number | undefined;
  /**
   * How long to go on trying without such progress, in milliseconds, whatever the count.
   *
   * @default {0}
   */
  retryForMs?: number | undefined;
  /**
   * The longest wait before another attempt, in milliseconds. A server that asks for a longer one (with
   * `Retry-After`) fails the pull; see {@link PullError.retryAfterMs}.
   *
   * @default {300000}
   */
  maxRetryDelayMs?: number | undefined;
  /** Called before each wait for another attempt. What it throws fails the pull. */
  onRetry?: ((retry: PullRetry) => void) | undefined;
  /**
   * Waits for a number of milliseconds, or rejects when the signal aborts. A virtual clock has its own,
   * which goes with `now`.
   *
   * @default {setTimeout}
   */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
  /**
   * A random number from 0 to 1, by which the waits before a retry vary, so that many clients do not
   * come back at the same moment.
   *
   * @default {Math.random}
   */
  random?: (() => number) | undefined;
}

/** What is known before another attempt. */
export interface PullRetry {
  /** The failure of the attempt before. */
  readonly error: PullError;
  /** The wait before the attempt, in milliseconds. */
  readonly delayMs: number;
  /** The number of the attempt, which is 2 or more. */
  readonly attempt: number;
}

/** What `fetch` is called with besides the address. */
export interface PullRequestInit extends RequestInit {
  /** Always `POST`. */
  method: "POST";
  /** The headers, with their names in lower case. */
  headers: Record<string, string>;
  /** The request as JSON. */
  body: string;
  /** Aborts when the answer is no longer wanted. */
  signal: AbortSignal;
  /** `manual`, so that no header is sent to another server; `follow` in browsers, if there is none. */
  redirect: "manual" | "follow";
}

/** Options of {@link pullModel}. */
export interface PullModelOptions extends PullOptions {
  /** Called with each snapshot. An error that it throws cancels the pull and is thrown by `pullModel`. */
  onProgress?: ((progress: PullProgress) => void) | undefined;
  /**
   * Whether the server is to report progress. Without, it answers once, when the pull has ended.
   *
   * @default {true}
   */
  stream?: boolean | undefined;
}
