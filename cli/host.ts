/**
 * Parses the address of the server, and chooses between `--host` and `OLLAMA_HOST`.
 *
 * @module
 */

import { parseHost as parseAddress } from "../src/host.ts";
import { UsageError } from "./command.ts";
import { printable } from "./printable.ts";

export { DEFAULT_HOST, showHost } from "../src/host.ts";

/**
 * Parses an address given by a user.
 *
 * @param text The address.
 * @param source Where it was given, such as `--host`.
 * @return The address to connect to.
 * @throws {UsageError} If it cannot be used.
 */
export function parseHost(text: string, source: string): URL {
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${source}: ${printable(error.message)}`);
  }
}

/** Environment variables. One that an option replaces is not read, which takes a permission in Deno. */
type Env = Readonly<Record<string, string | undefined>>;

/** The address of the server: `--host`, else `OLLAMA_HOST`, else the default. */
export function chooseHost(option: string | undefined, env: Env): URL {
  return option !== undefined
    ? parseHost(option, "--host")
    : parseHost(env.OLLAMA_HOST ?? "", "OLLAMA_HOST");
}

/**
 * The registry to ask for manifests: `--registry`, else `OLLAMA_PULL_REGISTRY`, else that of the model.
 * Without a scheme, it uses TLS unless `--insecure` is given.
 */
export function chooseRegistry(
  option: string | undefined,
  env: Env,
  insecure: boolean,
): URL | undefined {
  const given = (option ?? env.OLLAMA_PULL_REGISTRY ?? "").trim();
  if (given === "") return undefined;
  const address = given.includes("://") ? given : `${insecure ? "http" : "https"}://${given}`;
  return parseHost(address, option === undefined ? "OLLAMA_PULL_REGISTRY" : "--registry");
}

/** Whether a host is this machine, by the same rules as Go's `ProxyFromEnvironment` (observed). */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.[\d.]+$/.test(hostname);
}
