/**
 * The licences of the packages that are part of a bundle: they want to go where the code goes.
 *
 * @module
 */

import { join } from "node:path";
import { listFiles, ROOT } from "./project.ts";

/** The file of a package that holds these licences. */
export const LICENSES_FILE = "THIRD_PARTY_LICENSES.txt";

/** The comment that a bundler puts above each module of a package: the folder, and the name within. */
const MODULE_COMMENT =
  /^\/\/ (node_modules\/(?:.*\/node_modules\/)?((?:@[^/\n]+\/)?[^/\n]+))\/.+$/gm;

/** The packages of which a bundle holds modules: their folders, by their names. */
export function bundledPackages(code: string): Map<string, string> {
  const found = Array.from(code.matchAll(MODULE_COMMENT), ([, folder, name]) => [name!, folder!]);
  return new Map((found as [string, string][]).sort());
}

/** What a package wants to be said of it: what it is, and the text of its licence. */
async function licenseOf(folder: string): Promise<string> {
  const path = join(ROOT, folder);
  const { name, version, license, homepage } = JSON.parse(
    await Deno.readTextFile(join(path, "package.json")),
  );
  const file = (await listFiles(path)).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  if (file === undefined && (license === undefined || homepage === undefined)) {
    throw new Error(`Cannot bundle ${name}: no licence is in ${folder}`);
  }
  const text = file === undefined
    ? `The text of the licence is not in the package; see ${homepage}`
    : await Deno.readTextFile(join(path, file));
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

/** The licences of all packages of which some bundles hold modules, as one text. */
export async function licensesOf(bundles: readonly string[]): Promise<string> {
  const folders = new Set(bundles.flatMap((code) => [...bundledPackages(code).values()]));
  const licenses = await Promise.all([...folders].sort().map(licenseOf));
  const rule = `\n${"-".repeat(80)}\n\n`;
  return ["The command holds code of these packages.\n", ...licenses].join(rule);
}
