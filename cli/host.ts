/**
 * The address of the server, in every form in which users write it.
 *
 * The rules are those of Ollama's own clients (observed: `envconfig.ConnectableHost` in Go,
 * `_parse_host` in Python). Where they fall back to a default for what makes no sense, such as the
 * port 66000, this says so instead: a pull from elsewhere than was asked for helps nobody.
 *
 * @module
 */

import { isIPv6 } from "node:net";
import { UsageError } from "./command.ts";
import { printable } from "./format.ts";

const DEFAULT_PORT = "11434";
/** An address to listen on is often set for the server and the clients at once. */
const LOOPBACK_OF_ANY: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "[::]": "[::1]",
};

const FORM =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<login>[^/?#]*@)?(?<authority>[^/?#]*)(?<path>.*)$/i;

/**
 * Reads an address: `host`, `host:port`, `:port`, or a URL with or without port and path; IPv6 with
 * or without brackets; quotes and space around it do not count.
 *
 * The port is 11434 unless given; for `http://` it is 80 and for `https://` 443, as in a browser.
 *
 * @param text The address. An empty one means the default, `http://127.0.0.1:11434`.
 * @param source Where the text is from, for the message.
 * @return The address to connect to.
 * @throws {UsageError} If it is not an address.
 */
export function parseHost(text: string, source: string): URL {
  const address = text.trim().replace(/^["']+|["']+$/g, "").trim();
  const { scheme, login = "", authority = "", path = "" } = FORM.exec(address)?.groups ?? {};
  if (scheme !== undefined && !/^https?$/i.test(scheme)) throw notAnAddress(text, source);

  const { host, port } = splitPort(authority);
  // Observed: the one name for which the Go client does not mean plain http on its own port.
  const isOllamaCom = scheme === undefined && address === "ollama.com";
  const defaultPort = scheme === undefined && !isOllamaCom ? DEFAULT_PORT : "";
  const base = `${isOllamaCom ? "https" : scheme ?? "http"}://${login}${host || "127.0.0.1"}`;
  const candidate = `${base}:${port ?? defaultPort}${path}`;
  const isComplete = port === undefined || /^[0-9]+$/.test(port) && Number(port) > 0;
  if (/\s/.test(candidate) || !isComplete || !URL.canParse(candidate)) {
    throw notAnAddress(text, source);
  }

  const url = new URL(candidate);
  url.search = "";
  url.hash = "";
  url.hostname = LOOPBACK_OF_ANY[url.hostname] ?? url.hostname;
  return url;
}

function splitPort(authority: string): { host: string; port: string | undefined } {
  if (isIPv6(authority)) return { host: `[${authority}]`, port: undefined };
  const { host = authority, port } =
    /^(?<host>\[[^\]]*\]|[^:[]*):(?<port>.*)$/.exec(authority)?.groups ??
      {};
  return { host, port };
}

function notAnAddress(text: string, source: string): UsageError {
  // A password may hold what an address may not, such as `@` and `/`.
  const shown = JSON.stringify(printable(text).replace(/^(\w+:\/\/)?.*@/s, "$1***@"));
  return new UsageError(
    `${source} is not an address: ${shown}; write it like 192.168.0.5:11434 or https://example.com`,
  );
}

/** Where the server is: `--host`, else `OLLAMA_HOST`, else the default. */
export function chooseHost(option: string | undefined, variable: string | undefined): URL {
  return option !== undefined
    ? parseHost(option, "--host")
    : parseHost(variable ?? "", "OLLAMA_HOST");
}

/** An address for a person to read: without a password. */
export function showHost(host: URL): string {
  const shown = new URL(host);
  if (shown.password !== "") shown.password = "***";
  return shown.href.replace(/\/$/, "");
}
