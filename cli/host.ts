/**
 * The address of the server: which one of those that are given, and what is wrong with it.
 *
 * @module
 */

import { parseHost as parseAddress } from "../src/host.ts";
import { UsageError } from "./command.ts";
import { printable } from "./format.ts";

export { showHost } from "../src/host.ts";

/**
 * Reads an address that a user has given.
 *
 * @param text The address.
 * @param source What gave it, such as `--host`.
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

/** Where the server is: `--host`, else `OLLAMA_HOST`, else the default. */
export function chooseHost(option: string | undefined, variable: string | undefined): URL {
  return option !== undefined
    ? parseHost(option, "--host")
    : parseHost(variable ?? "", "OLLAMA_HOST");
}
