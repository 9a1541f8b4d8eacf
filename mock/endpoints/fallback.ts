/**
 * Forwards requests that the mock does not serve.
 *
 *     Request ─▶ handOn ─▶ fallback: a function, or a server by `forwardTo`
 *                               │
 *     Response ◀─ Exchange.relay ◀─ its Response, chunk by chunk
 *
 * @module
 */

import { HTTPException } from "hono/http-exception";
import { proxy } from "hono/proxy";
import { parseHost, showHost } from "../../src/host.ts";
import { diagnose } from "../../src/pull/diagnosis.ts";
import { messageOf } from "../../src/text.ts";
import { ConfigurationError, show } from "../configuration_error.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { answerJson } from "../exchange/json_answer.ts";

/** Answers requests that the mock does not serve: a `fetch`, the handler of an app, or {@link forwardTo}. */
export type Fallback = (request: Request) => Response | Promise<Response>;

/** The server addresses of fallbacks made by {@link forwardTo}. */
const addresses = new WeakMap<Fallback, string>();

/** The address of the server that a fallback forwards to. `undefined` for any other fallback. */
export function addressOf(fallback: Fallback): string | undefined {
  return addresses.get(fallback);
}

/** Checks that a fallback can be called. */
export function checkFallback(fallback: unknown): void {
  if (fallback === undefined || typeof fallback === "function") return;
  throw new ConfigurationError(
    `Cannot use the fallback ${show(fallback)}: it must be a function that answers a Request, ` +
      "such as forwardTo(url)",
  );
}

/**
 * Passes a request to the fallback, and its answer back. Nothing is buffered, redirects are returned, and
 * hop-by-hop headers (RFC 9110, section 7.6.1) are removed. If the fallback fails, the answer is a 502.
 */
export async function handOn(
  request: Request,
  fallback: Fallback,
  exchange: Exchange,
): Promise<Response> {
  try {
    const response = await proxy(request.url, {
      raw: request,
      redirect: "manual",
      strictConnectionProcessing: true,
      customFetch: async (request) => await fallback(request),
    });
    if (!response.body) return response;
    return new Response(exchange.relay(response.body), response);
  } catch (error) {
    if (request.signal.aborted) throw error;
    if (error instanceof HTTPException) return answerJson({ error: error.message }, error.status);
    const what = `${request.method} ${new URL(request.url).pathname}`;
    return answerJson({ error: `Cannot pass ${what} to the fallback: ${messageOf(error)}` }, 502);
  }
}

/**
 * Creates a fallback that forwards requests to a server. Bodies are streamed in both directions.
 *
 * ```ts
 * import { createMockServer, forwardTo } from "@ollama-pull/kit/mock";
 *
 * const fallback = forwardTo("http://127.0.0.1:11434"); // a real server chats, the mock pulls
 * const server = createMockServer({ models: ["llama3.2"], fallback });
 * ```
 *
 * @param host The address of the server. A path in it is put before the path of each request.
 * @throws {ConfigurationError} If the address cannot be used. The message says what to write instead.
 */
export function forwardTo(host: string | URL): Fallback {
  const base = requireBase(host);
  const address = showHost(base);
  // The name of this proxy in `Via`, by which it recognizes a request that it forwarded itself.
  const pseudonym = `mock-${crypto.randomUUID().slice(0, 8)}`;
  const { fetch } = globalThis; // taken now, since a test may later replace it by the mock
  const forward: Fallback = async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, body, signal, redirect } = request;
    const headers = new Headers(request.headers);
    if (headers.get("Via")?.includes(pseudonym)) {
      return answerJson(
        { error: `Cannot forward to ${address}: that address is the mock itself` },
        508,
      );
    }
    headers.append("Via", `1.1 ${pseudonym}`);
    headers.delete("Host"); // `fetch` adds the server's own
    const init = { method, headers, body, signal, redirect, duplex: "half" };
    try {
      return await fetch(
        `${base.href.replace(/\/$/, "")}${pathname}${search}`,
        init as RequestInit,
      );
    } catch (cause) {
      throw new Error(`Cannot reach ${address}: ${diagnose(cause).words}`, { cause });
    }
  };
  addresses.set(forward, base.href);
  return forward;
}

function requireBase(host: string | URL): URL {
  let base: URL;
  try {
    base = parseHost(host);
  } catch (error) {
    throw new ConfigurationError(`Cannot forward requests: ${messageOf(error)}`);
  }
  if (base.username === "" && base.password === "") return base;
  throw new ConfigurationError(
    `Cannot forward to ${
      showHost(base)
    }: leave out user name and password, since the Authorization ` +
      "of each request is forwarded",
  );
}
