/**
 * The options of {@link modelState} and {@link ensureModel}.
 *
 * @module
 */

import type { FetchManifestOptions, ManifestRequestInit } from "./manifest_options.ts";
import type { PullOptions, PullRequestInit } from "./options.ts";

/** Options of {@link modelState}. */
export interface ModelStateOptions {
  /**
   * The address of the server, as people write it, as in `pull`. If it is empty or absent, the default
   * is used.
   *
   * @default {"http://127.0.0.1:11434"}
   */
  host?: string | URL | undefined;
  /**
   * The path of the pull endpoint, as in `pull`. The paths of the other endpoints follow from it:
   * `/api/tags/0` for `/api/pull/0`. If it does not contain `/api/pull`, Ollama's own paths are used.
   *
   * @default {"/api/pull"}
   */
  path?: string | undefined;
  /** Headers to send to the server besides those of the protocol, such as `Authorization`. */
  headers?: RequestInit["headers"] | undefined;
  /**
   * Whether to ask the registry for the newest version if the server has the model. Otherwise the result is
   * `missing` or `present`.
   *
   * @default {false}
   */
  checkRegistry?: boolean | undefined;
  /** The registry to ask instead of the one that the name determines: see {@link fetchManifest}. */
  registry?: FetchManifestOptions["registry"];
  /** Headers to send to the registry only. Those in `headers` are not sent there. */
  registryHeaders?: RequestInit["headers"] | undefined;
  /**
   * Allows a registry without TLS: see {@link fetchManifest}.
   *
   * @default {false}
   */
  insecure?: boolean | undefined;
  /**
   * Makes the requests: the runtime's `fetch`, a mock's, or one with a proxy or logging. It is called with
   * the URL and the options, whose `headers` are a plain object. It must return redirects rather than follow
   * them, as `redirect: "manual"` says.
   *
   * @default {fetch}
   */
  fetch?:
    | ((
      url: string,
      init: ModelStateRequestInit | ManifestRequestInit,
    ) => Response | Promise<Response>)
    | undefined;
  /** Ends the requests when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * How long each of three steps may take, in milliseconds, before it fails with `stalled`: the list of the
   * server, the manifest of the registry, and the comparison on the server.
   *
   * @default {10_000}
   */
  timeoutMs?: number | undefined;
  /**
   * The largest answer that is read, in bytes.
   *
   * @default {4_194_304}
   */
  maxBytes?: number | undefined;
  /**
   * Waits for a number of milliseconds, or rejects when the signal aborts: the clock of `timeoutMs`.
   *
   * @default {setTimeout}
   */
  sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The options that `fetch` is called with for a request to the server. */
export interface ModelStateRequestInit extends RequestInit {
  /** `POST` for `/api/show`, `HEAD` for a blob. */
  method: "GET" | "HEAD" | "POST";
  /** The headers, with their names in lower case. */
  headers: Record<string, string>;
  /** The name of the model as JSON, for `POST`. */
  body?: string;
  /** Redirects are followed one by one, so that no header is sent to another server. */
  redirect: "manual";
  /** Aborts when the answer is no longer wanted. */
  signal: AbortSignal;
}

/** Options of {@link ensureModel}: those of {@link pull}, and how to find out whether to pull. */
export interface EnsureModelOptions
  extends
    PullOptions,
    Pick<ModelStateOptions, "registry" | "registryHeaders" | "timeoutMs" | "maxBytes"> {
  /**
   * Whether to also pull a model that the server has, unless it is known to be the version that the registry
   * has now.
   *
   * @default {false}
   */
  update?: boolean | undefined;
  /**
   * Makes the requests: the runtime's `fetch`, a mock's, or one with a proxy or logging. It is called with
   * the URL and the options, whose `headers` are a plain object.
   *
   * @default {fetch}
   */
  fetch?:
    | ((
      url: string,
      init: PullRequestInit | ModelStateRequestInit | ManifestRequestInit,
    ) => Response | Promise<Response>)
    | undefined;
}
