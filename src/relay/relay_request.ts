/**
 * What is asked of a relay: the address and the headers, checked before anything is sent.
 *
 * @module
 */

import { PullError, type PullErrorReason } from "../errors.ts";
import { hideSecrets } from "../host.ts";
import { httpError } from "../http_error.ts";
import { isJsonObject, NDJSON_TYPE } from "../ndjson.ts";
import {
  checkModel,
  headersFor,
  headersOnTheWay,
  type RepeatableRequest,
} from "../pull/request.ts";
import { quote } from "../text.ts";
import type { RelayRequestInit, RelayRequestOptions } from "./watch_options.ts";

/** A request to a relay. */
export type RelayRequest = RepeatableRequest<RelayRequestInit>;

/**
 * Events rather than lines: what stands between a relay and a page (proxies, and what compresses) knows
 * that events must not be kept back. Lines are read as well.
 */
const ACCEPT = `text/event-stream, ${NDJSON_TYPE};q=0.9`;

/**
 * Plans the request for a pull of a relay.
 *
 * @throws {TypeError} If the model, the address or a header cannot be used.
 */
export function planRelayRequest(
  method: RelayRequestInit["method"],
  relay: string | URL,
  model: string,
  options: RelayRequestOptions,
): RelayRequest {
  checkModel(model);
  const address = addressOf(relay);
  const headers = headersFor(address, options.headers);
  const path = `/pulls/${encodeURIComponent(model)}`;
  const url = new URL(address);
  url.username = "";
  url.password = "";
  url.hash = "";
  url.pathname = address.pathname.replace(/\/$/, "") + path;
  return requestTo(method, url, path, headers);
}

function requestTo(
  method: RelayRequestInit["method"],
  url: URL,
  path: string,
  ownHeaders: Headers,
): RelayRequest {
  const headers = { accept: ACCEPT, ...Object.fromEntries(ownHeaders) };
  return {
    url,
    method,
    addressOption: "relay",
    path,
    hasOwnHeaders: [...ownHeaders].length > 0,
    init: (signal, redirect = "manual") => ({ method, headers, signal, redirect, ...caching() }),
    to: (next) => requestTo(method, next, path, headersOnTheWay(ownHeaders, url, next)),
  };
}

/** The address of a relay. In a page, and in a worker of one, it may be relative. */
function addressOf(relay: string | URL): URL {
  const text = String(relay);
  const base = baseOfPage();
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  const advice = base === undefined && !url
    ? "outside of a page it must be a whole address, such as https://example.com/api"
    : "it must be an address of http or https, such as https://example.com/api, or in a page a path, " +
      "such as /api";
  throw new TypeError(`Cannot use the relay ${quote(hideSecrets(text))}: ${advice}`);
}

/**
 * In a page, the browser's cache is left out: Firefox holds a GET back for 20 seconds while another page is
 * still receiving the answer to the same one, although that must not be stored. Servers have no such
 * cache, and some of them refuse the option.
 */
function caching(): { cache?: "no-store" } {
  return baseOfPage() === undefined ? {} : { cache: "no-store" };
}

/** What relative addresses are relative to, as for `fetch`. Absent outside of pages and their workers. */
function baseOfPage(): string | undefined {
  const { document, location } = globalThis as {
    document?: { baseURI?: string };
    location?: { href?: string };
  };
  return document?.baseURI ?? location?.href;
}

/** What the codes of a relay mean that say more than its status. */
const REASONS: ReadonlyMap<unknown, PullErrorReason> = new Map([
  ["unknown-pull", "not-running"],
  ["invalid-name", "invalid-name"],
]);

/**
 * The error for an answer of a relay that is no success, and the text of its body: `{"error":"…",
 * "code":"…"}`, if it is the relay that has answered.
 */
export function relayError(response: Response, text: string): PullError {
  const error = httpError(response, text, "the relay");
  const reason = isJsonObject(error.body) ? REASONS.get(error.body.code) : undefined;
  if (reason === undefined) return error;
  return PullError.from({ ...error.toJSON(), reason, retryable: false }) ?? error;
}

/** Whether a relay has said that it has no such pull; another 404 says nothing of pulls. */
export function isNotRunning(error: PullError): boolean {
  return error.reason === "not-running";
}
