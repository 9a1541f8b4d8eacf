/**
 * The options of {@link fetchManifest}.
 *
 * @module
 */

/** Options of {@link fetchManifest}. */
export interface FetchManifestOptions {
  /**
   * The registry to ask in place of the one that the name leads to, as people write addresses:
   * `host`, `host:port`, a URL. A path is kept, for a registry behind a proxy. A user name and password
   * are sent as basic authentication. Without a scheme it is `https`, or `http` if `insecure` is set. If
   * it is empty or absent, the name decides.
   *
   * @default the registry of the name
   */
  registry?: string | URL | undefined;
  /**
   * Allows requests without TLS. As in the server (observed), the registry of a name is then reached by
   * `http`, and a name that begins with `http://` needs it. A certificate is always verified.
   *
   * @default {false}
   */
  insecure?: boolean | undefined;
  /**
   * Headers to send besides those of the protocol, such as `Authorization`. They are sent to the origin
   * of the registry only: not to where it redirects, nor to a token server elsewhere.
   */
  headers?: RequestInit["headers"] | undefined;
  /**
   * Makes the requests: the runtime's `fetch`, that of a mock, or one with a proxy or logging. It is
   * called with the address and the options, whose `headers` are a plain object. It must return
   * redirects rather than follow them, as `redirect: "manual"` asks for.
   *
   * @default {fetch}
   */
  fetch?: ((url: string, init: ManifestRequestInit) => Response | Promise<Response>) | undefined;
  /** Ends the requests when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * How long it may take in all, in milliseconds, before it fails with `stalled`.
   *
   * @default {10_000}
   */
  timeoutMs?: number | undefined;
  /**
   * The largest answer that is read, in bytes. The default is what the specification of registries lets
   * them limit manifests to (OCI: "at least 4 megabytes").
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

/** What `fetch` is called with besides the address. */
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
