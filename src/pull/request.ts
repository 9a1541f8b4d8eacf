/**
 * The request to the server: address, headers and body, checked before anything is sent.
 *
 * @module
 */

import { parseHost } from "../host.ts";
import { parseModelName } from "../model_name.ts";
import { NDJSON_TYPE } from "../ndjson.ts";
import { quote } from "../text.ts";
import type { PullModelOptions, PullRequestInit } from "./options.ts";

/** A request that can be made more than once. */
export interface RepeatableRequest<Init> {
  /** The address, without user name and password. */
  readonly url: URL;
  /** The HTTP method. */
  readonly method: string;
  /** The option that holds the base address, for messages. */
  readonly addressOption: "host" | "relay";
  /** The path that the request adds to the base address, for messages. */
  readonly path: string;
  /** Whether it carries headers of the caller, which may be secret. */
  readonly hasOwnHeaders: boolean;
  /** The options for `fetch`, with a signal that aborts the request. */
  init(signal: AbortSignal, redirect?: "manual" | "follow"): Init;
  /** The same request to another address. If the origin differs, it carries no headers of the caller. */
  to(url: URL): RepeatableRequest<Init>;
}

/** The request for a pull. */
export type PullRequest = RepeatableRequest<PullRequestInit>;

/**
 * Plans the request for a model.
 *
 * @throws {TypeError} If the model, the host, the path or a header cannot be used.
 */
export function planRequest(model: string, options: PullModelOptions): PullRequest {
  checkModel(model);
  const { path = "/api/pull", insecure, stream = true } = options;
  const host = parseHost(options.host ?? "");
  const headers = headersFor(host, options.headers);
  // Some servers only read `name`: Ollama before 0.1.18, and the proxy in older versions of Open WebUI.
  const body = JSON.stringify({ model, name: model, insecure, stream });
  const accept = stream ? NDJSON_TYPE : "application/json";
  return requestTo(endpointOf(host, path), headers, accept, body);
}

/** @throws {TypeError} If a model is not a name that servers accept. */
export function checkModel(model: string): void {
  if (typeof model !== "string") {
    const type = typeof model;
    throw new TypeError(
      `Cannot pull a model of type ${type}: it must be a name, such as "llama3.2"`,
    );
  }
  parseModelName(model);
}

function requestTo(url: URL, ownHeaders: Headers, accept: string, body: string): PullRequest {
  const headers = { accept, ...Object.fromEntries(ownHeaders), "content-type": "application/json" };
  return {
    url,
    method: "POST",
    addressOption: "host",
    path: "/api/pull",
    hasOwnHeaders: [...ownHeaders].length > 0,
    init: (signal, redirect = "manual") => ({ method: "POST", headers, body, signal, redirect }),
    to: (next) => requestTo(next, headersOnTheWay(ownHeaders, url, next), accept, body),
  };
}

/** The caller's headers after a redirect: all within the same origin, none to another one. */
export function headersOnTheWay(ownHeaders: Headers, from: URL, to: URL): Headers {
  return to.origin === from.origin ? ownHeaders : new Headers();
}

/** The address of an endpoint, without user name and password, which `fetch` refuses in an address. */
export function endpointOf(host: URL, path: string): URL {
  const prefix = host.pathname.endsWith("/") ? host.pathname.slice(0, -1) : host.pathname;
  return new URL(`${host.origin}${prefix}${path.startsWith("/") ? "" : "/"}${path}`);
}

/**
 * The headers to send to a host: the caller's, and the user name and password of the address.
 *
 * @throws {TypeError} If a header cannot be sent. The message does not contain its value.
 */
export function headersFor(host: URL, given: RequestInit["headers"] = {}): Headers {
  const headers = readHeaders(given);
  if ((host.username !== "" || host.password !== "") && !headers.has("authorization")) {
    headers.set("authorization", basicAuthorization(host));
  }
  return headers;
}

function readHeaders(given: NonNullable<RequestInit["headers"]>): Headers {
  const headers = new Headers();
  const entries: Iterable<[string, string]> = Symbol.iterator in given
    ? given as Iterable<[string, string]>
    : Object.entries(given);
  for (const [name, value] of entries) {
    try {
      headers.append(name, value);
    } catch {
      // The runtime's message may contain the value, which may be secret.
      throw new TypeError(`Cannot send the header ${describeHeaderProblem(String(name))}`);
    }
  }
  return headers;
}

/** The characters that HTTP allows in the name of a header. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]*/;

/** The name of a header that the runtime refuses, and the reason. */
function describeHeaderProblem(name: string): string {
  const [start = ""] = HEADER_NAME.exec(name) ?? [];
  if (start !== "" && start === name) {
    return `${quote(name)}: its value has a character that HTTP does not allow, such as a line ` +
      "break or one beyond U+00FF";
  }
  // Do not show the rest: it may be a secret value in the wrong place.
  const next = name === "" ? "it is empty" : `it has ${quote(name.charAt(start.length))}`;
  return `${quote(`${start}…`)}: a name must not be empty or have spaces or colons, and ${next}`;
}

/** User name and password as basic authentication, in UTF-8. */
function basicAuthorization({ username, password }: URL): string {
  const credentials = `${decodePercent(username)}:${decodePercent(password)}`;
  const bytes = new TextEncoder().encode(credentials);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** Decodes a part of an address. A stray `%` stands for itself. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
