/**
 * Who may control a mock: programs on the same machine, but no page in a browser from another origin.
 *
 * @module
 */

/** The prefix of all paths of the control interface. */
export const CONTROL_PATH = "/__mock";

/** Whether a request is for the control interface. */
export function isForControl({ pathname }: URL): boolean {
  return pathname === CONTROL_PATH || pathname.startsWith(`${CONTROL_PATH}/`);
}

/** Loopback addresses, including IPv4 addresses written as IPv6. */
const LOOPBACK_ADDRESS = /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/;

/** `localhost` and names below it always mean this machine (RFC 6761, section 6.3). */
const LOOPBACK_HOST = /^(127(\.\d{1,3}){3}|\[::1\]|localhost|.+\.localhost)$/;

/** Headers that show a request came through a proxy, which anybody may be able to reach. */
const FORWARDING_HEADERS = ["Forwarded", "X-Forwarded-For", "Via"];

/**
 * Why a request may not control the mock, or `undefined` if it may.
 *
 * - A page from another origin sends its `Origin`, or reveals itself by `Sec-Fetch-Site`.
 * - A page whose host name was made to resolve to this machine (DNS rebinding) sends that name as `Host`.
 *
 * @param request The request.
 * @param peer The address that it came from, or `undefined` if it came from the same process.
 */
export function refusalOf(request: Request, peer: string | undefined): string | undefined {
  const { hostname, origin } = new URL(request.url);
  const { headers } = request;
  if (peer !== undefined && !LOOPBACK_ADDRESS.test(peer)) {
    return `it came from ${peer}: only programs on the same machine may control the mock`;
  }
  if (!LOOPBACK_HOST.test(hostname)) {
    return `it was sent to ${hostname}: use the address 127.0.0.1, ::1 or localhost`;
  }
  const page = headers.get("Origin");
  const site = headers.get("Sec-Fetch-Site") ?? "none";
  if ((page !== null && page !== origin) || (site !== "none" && site !== "same-origin")) {
    return `it came from a page${
      page ? ` of ${page}` : ""
    }: pages from other origins may not control the mock`;
  }
  const forwarded = FORWARDING_HEADERS.find((name) => headers.has(name));
  return forwarded &&
    `it came through a proxy (header ${forwarded}): send it to the mock directly`;
}
