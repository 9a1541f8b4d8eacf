/**
 * Who may steer a mock: programs of the same machine, and no page in a browser.
 *
 * @module
 */

/** What the paths of the control interface begin with. */
export const CONTROL_PATH = "/__mock";

/** Whether a request is one to the control interface. */
export function isForControl({ pathname }: URL): boolean {
  return pathname === CONTROL_PATH || pathname.startsWith(`${CONTROL_PATH}/`);
}

/** IPv4 as IPv6 writes it, too. */
const LOOPBACK_ADDRESS = /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/;

/** `localhost`, and the names below it, lead to this machine and nowhere else (RFC 6761, section 6.3). */
const LOOPBACK_HOST = /^(127(\.\d{1,3}){3}|\[::1\]|localhost|.+\.localhost)$/;

/** Headers of a request that somebody else has passed on, who may be asked from anywhere. */
const FORWARDING_HEADERS = ["Forwarded", "X-Forwarded-For", "Via"];

/**
 * Why a request must not steer the mock, or `undefined` if it may.
 *
 * - A page that was opened on this machine sends its `Origin`, or what `Sec-Fetch-Site` says of it.
 * - A page whose host name was made to lead to this machine (DNS rebinding) sends that name as `Host`.
 *
 * @param request The request.
 * @param peer The address that it came from, or `undefined` where it came from the same program.
 */
export function refusalOf(request: Request, peer: string | undefined): string | undefined {
  const { hostname, origin } = new URL(request.url);
  const { headers } = request;
  if (peer !== undefined && !LOOPBACK_ADDRESS.test(peer)) {
    return `it came from ${peer}: only programs of the same machine may steer the mock`;
  }
  if (!LOOPBACK_HOST.test(hostname)) {
    return `it was sent to ${hostname}: use the address 127.0.0.1, ::1 or localhost`;
  }
  const page = headers.get("Origin");
  const site = headers.get("Sec-Fetch-Site") ?? "none";
  if ((page !== null && page !== origin) || (site !== "none" && site !== "same-origin")) {
    return `it came from a page${
      page ? ` of ${page}` : ""
    }: no page of another origin may steer the mock`;
  }
  const forwarded = FORWARDING_HEADERS.find((name) => headers.has(name));
  return forwarded &&
    `it was passed on by a proxy, as its header ${forwarded} says: ask the mock itself`;
}
