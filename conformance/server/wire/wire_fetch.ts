/**
 * A `fetch` on its own sockets, which hides nothing about an answer: it decodes no codings, merges no chunks,
 * and tolerates no violation of HTTP.
 *
 *     RequestInit ─▶ WireRequest ─▶ Connection ─▶ AnswerParser ─▶ Response, with details from `wireOf`
 *
 * @module
 */

import { builtinModule } from "../../../mock/runtime/builtin.ts";
import type { AnswerParser } from "./answer_parser.ts";
import { Connection, type WireAnswer, type WireRequest } from "./connection.ts";

/** Makes a request. Unlike `fetch`, it follows no redirects and decodes no codings. */
export type WireFetch = (url: URL, init?: RequestInit) => Promise<Response>;

const answers = new WeakMap<Response, AnswerParser>();

/** The wire details of a response that came over a socket of {@link createWireFetch}. */
export function wireOf(response: Response): AnswerParser | undefined {
  return answers.get(response);
}

/** A `fetch` on its own sockets, or `undefined` if the runtime has none. */
export function createWireFetch(): WireFetch | undefined {
  const net = builtinModule("node:net");
  const tls = builtinModule("node:tls");
  if (!net || !tls) return undefined;
  const connect = ({ protocol, hostname, port }: URL) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    if (protocol !== "https:") return net.connect({ host, port: Number(port || 80) });
    const servername = net.isIP(host) === 0 ? host : "";
    return tls.connect({ host, port: Number(port || 443), servername });
  };
  const resting = new Map<string, Set<Connection>>();
  return async (url, init = {}) => {
    init.signal?.throwIfAborted();
    const request = await wireRequestOf(url, init);
    const idle = resting.get(url.origin) ?? new Set();
    resting.set(url.origin, idle);
    const onFree = (connection: Connection) => {
      idle.add(connection);
      connection.rest(() => idle.delete(connection));
    };
    const [kept] = idle;
    if (kept) idle.delete(kept);
    const connection = kept ?? new Connection(connect(url));
    try {
      return responseOf(await connection.ask(request, onFree));
    } catch (error) {
      // A server may close an idle connection at any time, which is not a failure.
      const isStale = kept !== undefined && !kept.hasAnswered;
      if (!isStale || init.signal?.aborted || request.body instanceof ReadableStream) throw error;
      return responseOf(await new Connection(connect(url)).ask(request, onFree));
    }
  };
}

/** A request with the headers that every request has. */
async function wireRequestOf(url: URL, init: RequestInit): Promise<WireRequest> {
  const { method = "GET", body: given, signal } = init;
  const headers = new Headers(init.headers);
  let body: WireRequest["body"];
  if (given instanceof ReadableStream) {
    body = given;
    headers.set("Transfer-Encoding", "chunked");
  } else if (given !== undefined && given !== null) {
    const carrier = new Response(given);
    const type = carrier.headers.get("Content-Type");
    if (type !== null && !headers.has("Content-Type")) headers.set("Content-Type", type);
    body = new Uint8Array(await carrier.arrayBuffer());
  }
  if (!(body instanceof ReadableStream) && (body || !["GET", "HEAD"].includes(method))) {
    headers.set("Content-Length", String(body?.length ?? 0));
  }
  if (!headers.has("Accept-Encoding")) headers.set("Accept-Encoding", "identity");
  if (!headers.has("Host")) headers.set("Host", url.host);
  if (url.username !== "" && !headers.has("Authorization")) {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set("Authorization", `Basic ${btoa(user)}`);
  }
  return { method, url, fields: [...headers], body, signal: signal ?? undefined };
}

/** Statuses whose answers have no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

function responseOf({ parser, body }: WireAnswer): Response {
  const { status, fields } = parser.head!;
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  const response = new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers });
  answers.set(response, parser);
  return response;
}
