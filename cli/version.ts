/**
 * The version of this package, from the one place where it is written: `deno.json`, which is beside
 * the sources in the repository and on JSR. An npm package made by `deno pack` has the same version in
 * its `package.json`. An executable has no file beside it: its build puts the version into the code.
 *
 * It is read on demand: `deno pack` leaves out JSON imports, and in Node 20 they cause a warning.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { describeDenial } from "./permissions.ts";

/** The version, in an executable: its build defines it. */
declare const OLLAMA_PULL_VERSION: string | undefined;

/** Where the manifests may be, relative to this file, or to a bundle in the npm package. */
const MANIFESTS = ["../deno.json", "../package.json", "./package.json"];

/** The name of this package. A manifest found nearby may belong to another package. */
const NAME = "@ollama-pull/kit";

async function readText(url: URL): Promise<string> {
  if (url.protocol === "file:") return await readFile(url, "utf8");
  const response = await fetch(url); // run from JSR, without being installed
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return await response.text();
}

/** The version, such as `0.2.0`. Fails if Deno does not allow to read it. */
export async function readVersion(base: string = import.meta.url): Promise<string> {
  if (typeof OLLAMA_PULL_VERSION === "string") return OLLAMA_PULL_VERSION;
  for (const manifest of MANIFESTS) {
    try {
      const { name, version } = JSON.parse(await readText(new URL(manifest, base)));
      if (name === NAME && typeof version === "string") return version;
    } catch (error) {
      if (describeDenial(error) !== undefined) throw error;
      // Not this one: only one of the manifests exists.
    }
  }
  return "unknown";
}
