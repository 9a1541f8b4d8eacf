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
   * How long the server may send nothing, in milliseconds, before the pull fails with `stalled`. Only
   * time in which the pull waits for the server counts. Verifying a large model can take minutes.
   *
   * @default {Infinity}
   */
  stallTimeoutMs?: number | undefined;
  /**
   * How many times in a row to retry after a failure that is likely to pass: `network`, `truncated`,
   * `stalled` or HTTP 5xx. A 5xx is not retried if the server says that it has no such model or may not
   * use the registry. Progress starts the count again.
   *
   * @default {0}
   */
  retries?: number | undefined;
  /** Called before each retry with the failure and the wait in milliseconds. */
  onRetry?: ((error: PullError, delayMs: number) => void) | undefined;
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
