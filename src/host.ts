/**
 * Reads the address of a server, in every form in which people write it.
 *
 *     "example.com/ollama" ── split into parts ──▶ check each part ──▶ URL
 *
 * The rules are those of Ollama's own `OLLAMA_HOST` (observed: `envconfig.ConnectableHost` in Go), but
 * where Ollama would silently accept a mistake, this reports an error. {@link parseHost} marks each rule as
 * `observed` or `ours`.
 *
 * @module
 */

import { quote } from "./text.ts";

/** The default port of Ollama. */
export const DEFAULT_PORT = "11434";
const DEFAULT_NAME = "127.0.0.1";

/** The address of Ollama on the same machine. */
export const DEFAULT_HOST = `http://${DEFAULT_NAME}:${DEFAULT_PORT}`;

const HIGHEST_PORT = 65_535;

/** Addresses that servers listen on, and the address at which a client on the same machine reaches each. */
const LOOPBACK_OF_UNSPECIFIED: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["[::]", "[::1]"],
  ["[::ffff:0:0]", "127.0.0.1"],
]);

/** The parts of an address, unchecked. */
interface AddressParts {
  /** What precedes `://`, in lower case. */
  readonly scheme: string | undefined;
  /** User name and password, with the `@` that ends them. */
  readonly login: string;
  /** A host name or an IP address; IPv6 is in brackets. */
  readonly name: string;
  /** What follows the colon. */
  readonly port: string | undefined;
  /** What follows host and port: path, query and fragment. */
  readonly rest: string;
}

/**
 * Reads the address of a server: `localhost`, `host:port`, `:port`, `[::1]:port`, `http(s)://host/path`.
 *
 * - Without a scheme: `http`, and port 11434 by default. `ollama.com` alone means `https`, port 443
 *   (observed).
 * - With `http://` or `https://`: port 80 or 443 by default (observed). As in every `URL`, the default port
 *   of the scheme is not shown: `port` of `http://host:80` is `""`.
 * - An empty host means `127.0.0.1`; IPv6 may be in brackets or not (observed).
 * - The addresses `0.0.0.0` and `::`, on which servers listen, become `127.0.0.1` and `::1`, to which
 *   clients can connect (observed).
 * - White space and quotes around the address are ignored, a path is kept (observed).
 * - A user name and password are kept; `pull` sends them as basic authentication. A query and a fragment
 *   are dropped (ours).
 * - An unusable port, a number without a colon before it and any scheme other than `http` and `https` are
 *   errors (ours; the reference falls back to the default port or treats them as a host name).
 *
 * ```ts
 * import { parseHost } from "@ollama-pull/kit";
 *
 * console.log(parseHost("").href); // "http://127.0.0.1:11434/"
 * console.log(parseHost("example.com").href); // "http://example.com:11434/"
 * console.log(parseHost("https://example.com/ollama").href); // "https://example.com/ollama"
 * console.log(parseHost("0.0.0.0:8080").href); // "http://127.0.0.1:8080/"
 * ```
 *
 * @param host The address. Absent, empty or blank, it is `http://127.0.0.1:11434`.
 * @return The address to connect to, without query and fragment.
 * @throws {TypeError} If the address cannot be used. The message quotes it without user name, password
 * and query, and says what is wrong and what to write instead.
 */
export function parseHost(host?: string | URL | undefined): URL {
  const address = typeof host === "string" ? trimQuotes(host) : String(host ?? "");
  const parts = splitAddress(address === "ollama.com" ? "https://ollama.com" : address);
  const { scheme = "http", login, name, rest } = parts;
  const port = parts.port ?? (parts.scheme === undefined ? DEFAULT_PORT : "");
  const href = `${scheme}://${login}${name || DEFAULT_NAME}:${port}${rest}`;
  const problem = findProblem(address, parts, href);
  if (problem !== undefined) {
    throw new TypeError(`Cannot use the host ${quote(hideSecrets(address))}: ${problem}`);
  }

  const url = new URL(href);
  url.search = "";
  url.hash = "";
  url.hostname = LOOPBACK_OF_UNSPECIFIED.get(url.hostname) ?? url.hostname;
  return url;
}

/** Removes white space and quotes around an address (observed: `envconfig.Var`). */
function trimQuotes(text: string): string {
  let start = 0;
  let end = text.length;
  while (/^["'\s]$/.test(text.charAt(start))) start++;
  while (end > start && /^["'\s]$/.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function splitAddress(address: string): AddressParts {
  // Matches any text. As in a URL, a backslash counts as a slash.
  const [, scheme, authority = "", rest = ""] =
    /^(?:([^:/\\?#@]*):\/\/)?([^/\\?#]*)(.*)$/s.exec(address) ?? [];
  const hostStart = authority.lastIndexOf("@") + 1;
  return {
    scheme: scheme?.toLowerCase(),
    login: authority.slice(0, hostStart),
    ...splitPort(authority.slice(hostStart)),
    rest,
  };
}

function splitPort(host: string): { name: string; port: string | undefined } {
  const colon = host.lastIndexOf(":");
  const hasSeveralColons = host.indexOf(":") !== colon;
  if (hasSeveralColons && !host.startsWith("[")) return { name: `[${host}]`, port: undefined };
  if (colon <= host.lastIndexOf("]")) return { name: host, port: undefined };
  return { name: host.slice(0, colon), port: host.slice(colon + 1) };
}

/** Says what is wrong with an address and what to write instead, or returns `undefined`. */
function findProblem(address: string, parts: AddressParts, href: string): string | undefined {
  const { scheme, name, rest } = parts;
  if (/[\s\p{Cc}]/u.test(address)) {
    return "it contains white space or a control character; in a path or a password, percent-encode it, such as %20";
  }
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    return `the scheme must be http or https, such as ${DEFAULT_HOST}`;
  }
  const problem = /^\d+$/.test(name)
    ? `a port needs a colon before it, such as ${quote(`:${name}`)}`
    : findPortProblem(parts) ?? (URL.canParse(href) ? undefined : describeName(name));
  // An `@` in the rest suggests a password with a slash in it, which was not recognized as a password.
  return problem !== undefined && rest.includes("@")
    ? 'percent-encode "/", "?", "#" and "\\" in a user name or password, such as %2F for "/"'
    : problem;
}

function findPortProblem({ scheme, name, port }: AddressParts): string | undefined {
  if (port === undefined) return undefined;
  if (scheme === undefined && /^https?$/i.test(name) && !/^\d/.test(port)) {
    return `two slashes must follow the scheme, such as ${DEFAULT_HOST}`;
  }
  if (port === "") {
    return `the port after ":" is missing; write it, such as :${DEFAULT_PORT}, or leave out the ":"`;
  }
  if (!/^\d+$/.test(port)) return `the port must be a number, such as :${DEFAULT_PORT}`;
  if (Number(port) === 0 || Number(port) > HIGHEST_PORT) {
    return `the port must be from 1 to ${HIGHEST_PORT}`;
  }
  return undefined;
}

/** Explains why a host name or an IP address cannot be used. */
function describeName(name: string): string {
  if (!name.startsWith("[")) {
    return "the host name is neither a valid domain name nor a valid IP address";
  }
  if (name.includes("%")) return "a URL cannot contain the zone of an IPv6 address, such as %eth0";
  return `what has brackets or several colons must be an IPv6 address, such as ::1, or [::1]:${DEFAULT_PORT} with a port`;
}

/**
 * Removes what may be secret from an address as people write it: user name, password, query and fragment.
 * The text need not be valid, so a password may contain the separators of an address.
 */
export function hideSecrets(address: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0] ?? "";
  const rest = address.slice(scheme.length);
  const loginEnd = rest.lastIndexOf("@") + 1;
  const queryStart = rest.search(/[?#]/);
  const end = queryStart === -1 ? rest.length : queryStart;
  // What looks like a query may be part of a password, and vice versa.
  if (loginEnd > end) return `${scheme}***`;
  return `${scheme}${loginEnd === 0 ? "" : "***@"}${rest.slice(loginEnd, end)}`;
}

/** An address for messages: without user name, password, query, fragment and a final slash. */
export function showHost({ protocol, username, password, host, pathname }: URL): string {
  const login = username + password === "" ? "" : "***@";
  return `${protocol}//${login}${host}${pathname.replace(/\/$/, "")}`;
}

/** An address without user name, password, query, fragment and a final slash. */
export function addressOf({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname.replace(/\/$/, "")}`;
}
