/**
 * The options of {@link fetchManifest}.
 *
 * @module
 */

/** Options of {@link fetchManifest}. */
export interface FetchManifestOptions {
  /**
   * The registry to ask instead of the one that the name determines, as people write addresses: `host`,
   * `host:port`, a URL. A path is kept, for a registry behind a proxy. A user name and password are sent as
   * basic authentication. Without a scheme, `https` is used, or `http` if `insecure` is set. If it is empty
   * or absent, the name decides.
   *
   * @default the registry of the name
   */
  registry?: string | URL | undefined;
  /**
   * Allows requests without TLS. Then, as in the server (observed), the registry that the name determines
   * is asked by `http`. A name that begins with `http://` requires this option. Certificates are always
   * verified.
   *
   * @default {false}
   */
  insecure?: boolean | undefined;
  /**
   * Headers to send besides those of the protocol, such as `Authorization`. They are sent to the origin of
   * the registry only, not to the target of a redirect or a token server elsewhere.
   */
  headers?: RequestInit["headers"] | undefined;
  /**
   * Makes the requests: the runtime's `fetch`, a mock's, or one with a proxy or logging. It is called with
   * the URL and the options, whose `headers` are a plain object. It must return redirects rather than follow
   * them, as `redirect: "manual"` says.
   *
   * @default {fetch}
   */
  fetch?: ((url: string, init: ManifestRequestInit) => Response | Promise<Response>) | undefined;
  /** Ends the requests when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * How long all requests together may take, in milliseconds, before it fails with `stalled`.
   *
   * @default {10_000}
   */
  timeoutMs?: number | undefined;
  /**
   * The largest answer that is read, in bytes. The default is the size that the specification requires
   * registries to support for manifests (OCI: "at least 4 megabytes").
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

/** The options that `fetch` is called with. */
export interface ManifestRequestInit extends RequestInit {
  /** Always `GET`. */
  method: "GET";
  /** The headers, with their names in lower case. */
  headers: Record<string, string>;
  /** Redirects are followed one by one, so that no secret goes to another origin. */
  redirect: "manual";
  /** Aborts when the answer is no longer wanted. */
  signal: AbortSignal;
}
