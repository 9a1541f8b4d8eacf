/**
 * Runs tests that depend on the runtime in Node as well, which takes no TypeScript.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILES = ["mock/runtime/node_listener_test.ts", "mock/endpoints/fallback_test.ts"];

/** Bundles a file of tests, and runs them in Node. */
async function runInNode(file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tests-in-node-"));
  try {
    const bundle = join(folder, "tests.mjs");
    const options = ["--target=node", `--outfile=${bundle}`, "--tsconfig-override=tsconfig.json"];
    await run(join(ROOT, "node_modules/.bin/bun"), ["build", file, ...options], { cwd: ROOT });
    await run("node", [bundle]);
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} fails in Node: ${stdout}${stderr}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("in Node", () => {
  for (const file of FILES) it(`pass the tests of ${file}`, () => runInNode(file));
});
