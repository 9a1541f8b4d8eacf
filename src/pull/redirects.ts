/**
 * Follows redirects by hand. Runtimes turn a POST into a GET where the standard allows it, and some send
 * headers to the new server that are meant for the first one only.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { showHost } from "../host.ts";
import { ignoreRejection } from "../streams/producer.ts";
import type { Answer } from "../answer.ts";
import type { RepeatableRequest } from "./request.ts";

/** How many redirects are followed. (The Fetch standard allows 20, which no server needs.) */
const MAX_REDIRECTS = 10;

/** The part of `fetch` that is needed. */
type MakeRequest<Init> = (url: string, init: Init) => Response | Promise<Response>;

/**
 * Makes a request and follows its redirects.
 *
 * @throws {PullError} `http` with the reason `redirected`, if the request cannot go where it is sent.
 */
export async function respond<Init>(
  request: RepeatableRequest<Init>,
  makeRequest: MakeRequest<Init>,
  signal: AbortSignal,
): Promise<Answer> {
  for (let redirects = 0;; redirects++) {
    const { url } = request;
    const response = await makeRequest(url.href, request.init(signal));
    if (response.type === "opaqueredirect") return respondInBrowser(request, makeRequest, signal);
    const location = response.headers.get("location");
    const isRedirect = response.status >= 300 && response.status < 400 && location !== null;
    if (!isRedirect) return { response, url: response.url || url.href };
    if (response.body) ignoreRejection(response.body.cancel());
    request = request.to(targetOf(response, location, request, redirects));
  }
}

/** A browser does not say where a redirect leads, so the only way is to let it follow. */
async function respondInBrowser<Init>(
  request: RepeatableRequest<Init>,
  makeRequest: MakeRequest<Init>,
  signal: AbortSignal,
): Promise<Answer> {
  const { url } = request;
  if (request.hasOwnHeaders) {
    const message = `${url.origin} redirects the request, and a browser does not say where to. ` +
      `It would send your headers there, too: give the address that it redirects to as the ${request.addressOption}`;
    throw redirected(message, undefined);
  }
  const response = await makeRequest(url.href, request.init(signal, "follow"));
  return { response, url: response.url || url.href };
}

/** Where a redirect leads, if the request can follow it. */
function targetOf(
  { status }: Response,
  location: string,
  request: RepeatableRequest<unknown>,
  redirects: number,
): URL {
  const { url: from, addressOption } = request;
  const title = `HTTP ${status}: ${showHost(from)} redirects`;
  if (!URL.canParse(location, from)) {
    throw redirected(`${title} to an address that cannot be read`, status);
  }
  const target = new URL(location, from);
  const where = `${title} to ${showHost(target)}`;
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    throw redirected(`${where}, which is not an address of HTTP`, status);
  }
  if (request.method !== "GET" && status !== 307 && status !== 308) {
    // RFC 9110: clients turn a POST into a GET at 303, and may do so at 301 and 302. All of them do.
    const address = showHost(target);
    const base = address.endsWith(request.path) ? address.slice(0, -request.path.length) : address;
    throw redirected(
      `${where}, where a ${request.method} would arrive as a GET: give ${base} as the ${addressOption}`,
      status,
    );
  }
  if (redirects === MAX_REDIRECTS) {
    throw redirected(`${where}, after ${MAX_REDIRECTS} redirects before it`, status);
  }
  return target;
}

function redirected(message: string, status: number | undefined): PullError {
  return new PullError("http", message, { status, reason: "redirected", retryable: false });
}
