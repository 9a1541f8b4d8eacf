/**
 * What the tests of the recipes for Workers share.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A Worker and all that it imports, as one module. A project that has wrangler leaves this to it. */
export function bundle(script: URL): string {
  const args = ["build", fileURLToPath(script), "--tsconfig-override=tsconfig.json"];
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 16 * 1024 * 1024 } as const;
  return execFileSync("node_modules/.bin/bun", args, options);
}
