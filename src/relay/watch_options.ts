/**
 * The options of {@link watchPull}.
 *
 * @module
 */

import type { PullOptions } from "../pull/options.ts";
import type { FromResponseOptions } from "./response.ts";

/** How to reach a relay. */
export interface RelayRequestOptions {
  /** Headers to send besides those of the protocol, such as `Authorization`. */
  headers?: RequestInit["headers"] | undefined;
  /**
   * Makes the request: the runtime's `fetch`, or one with credentials or logging. It is called with the
   * address and the options, whose `headers` are a plain object.
   *
   * @default {fetch}
   */
  fetch?: ((url: string, init: RelayRequestInit) => Response | Promise<Response>) | undefined;
  /** Ends the request when it aborts. The pull goes on. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link watchPull}. */
export interface WatchPullOptions extends
  RelayRequestOptions,
  FromResponseOptions,
  Pick<
    PullOptions,
    "retryForMs" | "maxRetryDelayMs" | "onRetry" | "now" | "sleep" | "random"
  > {
  /**
   * Whether the relay is to start the pull, if it has none of this model. Without, a pull is only watched.
   *
   * @default {false}
   */
  start?: boolean | undefined;
  /**
   * How many lost connections in a row are followed by another one. A connection that has brought a
   * snapshot starts the count again. If the very first connection cannot be made since nothing listens at
   * the address, or the host is unknown, it fails at once.
   *
   * @default {10}
   */
  retries?: number | undefined;
  /**
   * The longest time without any byte of the relay, in milliseconds; after it the connection is given up,
   * and another one is made. A relay sends a byte every 15 seconds unless told otherwise, whatever the pull
   * does.
   *
   * @default {45000}
   */
  silenceTimeoutMs?: number | undefined;
}

/** What `fetch` is called with besides the address. */
export interface RelayRequestInit extends RequestInit {
  /** `POST` starts or joins a pull, `GET` watches it, and `DELETE` cancels it. */
  method: "GET" | "POST" | "DELETE";
  /** The headers, with their names in lower case. */
  headers: Record<string, string>;
  /** Aborts when the answer is no longer wanted. */
  signal: AbortSignal;
  /** `manual`, so that no header is sent to another server; `follow` in browsers, if there is none. */
  redirect: "manual" | "follow";
  /** `no-store` in pages, which would otherwise wait for each other in Firefox; elsewhere absent. */
  cache?: "no-store";
}
