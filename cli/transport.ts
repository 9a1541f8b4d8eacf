/**
 * How the command reaches a server: a `fetch` without time limits of its own, which uses no proxy to reach
 * this machine.
 *
 * - Node's `fetch` gives up after 300 s without headers or without a byte, and has no documented option for
 *   that; `node:http` has no such limit. Bun's gives up after six minutes (observed) unless it gets
 *   `timeout: false`. Deno's has no limit (observed: 760 s).
 * - Like Ollama's own client (Go's `ProxyFromEnvironment`), it uses no proxy to reach this machine. Deno and
 *   Bun would use one unless `NO_PROXY` lists this machine.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { CommandContext } from "./command.ts";
import { isLoopback } from "./host.ts";

type Transport = CommandContext["fetch"];
type TransportInit = Parameters<Transport>[1];

/** The transport of a runtime. */
export function createTransport(env: Record<string, string | undefined>): Transport {
  const request = "Bun" in globalThis
    ? fetchPatiently
    : "Deno" in globalThis
    ? fetch
    : requestByNode;
  return (url, init) => {
    goAroundProxy(new URL(url), env);
    return request(url, init);
  };
}

/** Adds a host of this machine to the hosts reached without a proxy. */
export function goAroundProxy(
  url: URL,
  env: Record<string, string | undefined>,
): void {
  if (!isLoopback(url)) return;
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const hosts = env[name]?.split(",") ?? [];
    if (!hosts.includes(url.hostname)) env[name] = [...hosts, url.hostname].join(",");
  }
}

/** Bun's `fetch`, without its time limit. */
function fetchPatiently(url: string, init: TransportInit): Promise<Response> {
  return fetch(url, Object.assign({}, init, { timeout: false }));
}

/** The statuses of answers that have no body. */
const WITHOUT_BODY: readonly (number | undefined)[] = [204, 205, 304];

/** A request with `node:http`, which does not follow redirects. Callers ask for that, too. */
export async function requestByNode(url: string, init: TransportInit): Promise<Response> {
  const { method, headers, body, signal } = init;
  // Loaded on demand: these modules would delay commands that make no requests.
  const { request } = new URL(url).protocol === "https:"
    ? await import("node:https")
    : await import("node:http");
  return await new Promise((resolve, reject) => {
    // A separate agent bypasses the proxy that Node may be configured to use.
    const agent = isLoopback(new URL(url)) ? { agent: false } : {};
    request(url, { method, headers, signal, ...agent }, (message) => {
      const { statusCode, statusMessage = "" } = message;
      const isEmpty = WITHOUT_BODY.includes(statusCode);
      if (isEmpty) message.resume();
      const bytes = isEmpty ? null : Readable.toWeb(message) as ReadableStream<Uint8Array>;
      resolve(
        new Response(bytes, {
          status: statusCode!,
          statusText: statusMessage,
          headers: headersOf(message),
        }),
      );
    }).on("error", reject).end(body as string | undefined);
  });
}

/** The headers of an answer. Some may occur more than once. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return headers;
}
