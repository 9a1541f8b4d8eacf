/**
 * Which pages may call the relay, by the origin that the browser tells.
 *
 * A page of any origin can send requests that carry its user's cookies. So requests of foreign origins are
 * refused, whatever they ask for. Other programs than browsers send no origin: `allow` has to know them.
 *
 * @module
 */

import { quote } from "../text.ts";
import { Refusal } from "./refusal.ts";
import { METHODS } from "./route.ts";

/** How long a browser may remember that it may call, in seconds. */
const PREFLIGHT_MAX_AGE = "600";

/** What `Sec-Fetch-Site` tells of requests from other origins, which may come without an `Origin`. */
const FOREIGN_SITES = ["cross-site", "same-site"];

/** The origins of an app's pages. */
export class Origins {
  readonly #configured: ReadonlySet<string>;

  /**
   * @param configured Those besides the relay's own.
   * @throws {TypeError} If one is no origin.
   */
  constructor(configured: readonly string[]) {
    this.#configured = new Set(configured.map(checkOrigin));
  }

  /** @throws {Refusal} If the page that a request comes from must not call. */
  check(request: Request): void {
    if (!this.#isForeign(request)) return;
    const origin = request.headers.get("Origin");
    const who = origin === null ? "of another site" : `of ${quote(origin)}`;
    throw new Refusal(403, "foreign-origin", `Pages ${who} must not call this relay`);
  }

  /** The answer to the question of a browser whether it may call. */
  preflight(request: Request): Response {
    const headers = new Headers({ Allow: METHODS });
    if (this.#isConfigured(request)) {
      headers.set("Access-Control-Allow-Methods", METHODS);
      headers.set("Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
      const wanted = request.headers.get("Access-Control-Request-Headers");
      if (wanted !== null) headers.set("Access-Control-Allow-Headers", wanted);
    }
    return new Response(null, { status: 204, headers });
  }

  /** Marks an answer so that the page that asked may read it, if it is one of those configured. */
  mark(request: Request, response: Response): Response {
    return withHeaders(response, (headers) => {
      headers.append("Vary", "Origin");
      if (!this.#isConfigured(request)) return;
      headers.set("Access-Control-Allow-Origin", request.headers.get("Origin")!);
      headers.set("Access-Control-Allow-Credentials", "true");
      headers.set("Access-Control-Expose-Headers", "Retry-After");
    });
  }

  #isForeign(request: Request): boolean {
    const origin = request.headers.get("Origin");
    const site = request.headers.get("Sec-Fetch-Site");
    if (origin === null) return site !== null && FOREIGN_SITES.includes(site);
    // A proxy that ends TLS calls the relay at another address than the browser knows. `Sec-Fetch-Site`
    // tells nevertheless, and no page can set it.
    return origin !== new URL(request.url).origin && site !== "same-origin" &&
      !this.#configured.has(origin);
  }

  #isConfigured(request: Request): boolean {
    return this.#configured.has(request.headers.get("Origin") ?? "");
  }
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new TypeError(
    `Cannot use the origin ${
      quote(String(origin))
    }: write scheme, host and port as a browser sends them, such as https://example.com`,
  );
}

/** Changes the headers of a response, or of a copy where they cannot be changed, as in a redirect. */
function withHeaders(response: Response, change: (headers: Headers) => void): Response {
  try {
    change(response.headers);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    change(copy.headers);
    return copy;
  }
}
