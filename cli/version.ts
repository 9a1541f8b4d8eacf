/**
 * The version of this package, from the one place where it is written: `deno.json`, which is beside
 * the sources in the repository and on JSR. An npm package made by `deno pack` has the same version in
 * its `package.json`.
 *
 * It is read on demand: `deno pack` leaves out JSON imports, and in Node 20 they cause a warning.
 *
 * @module
 */

import { readFile } from "node:fs/promises";

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

/** The version, such as `0.1.0`. */
export async function readVersion(base: string = import.meta.url): Promise<string> {
  for (const manifest of MANIFESTS) {
    try {
      const { name, version } = JSON.parse(await readText(new URL(manifest, base)));
      if (name === NAME && typeof version === "string") return version;
    } catch {
      // Not this one: only one of the manifests exists.
    }
  }
  return "unknown";
}
