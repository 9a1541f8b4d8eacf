import { assertEquals } from "@std/assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { listenChecks } from "./listen_test_helpers.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("A mock that listens", () => {
  for (const [name, check] of Object.entries(listenChecks)) it(name, check);
});

/** Runs every check in Node, which takes no TypeScript, and prints those that fail as JSON. */
const SCRIPT = `
import { listenChecks } from ${JSON.stringify(join(ROOT, "mock/runtime/listen_test_helpers.ts"))};
const failed = {};
for (const [name, check] of Object.entries(listenChecks)) {
  await check().catch((error) => failed[name] = String(error?.stack ?? error));
}
console.log(JSON.stringify(failed));
process.exit();
`;

describe("A mock that listens in Node", () => {
  it("holds to all of that as well", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mock-in-node-"));
    try {
      const [script, bundle] = [join(folder, "checks.ts"), join(folder, "checks.mjs")];
      await writeFile(script, SCRIPT);
      const config = `--tsconfig-override=${join(ROOT, "tsconfig.json")}`;
      const bun = join(ROOT, "node_modules/.bin/bun");
      await run(bun, ["build", script, "--target=node", `--outfile=${bundle}`, config], {
        cwd: ROOT,
      });
      const { stdout } = await run("node", [bundle]);
      assertEquals(JSON.parse(stdout), {});
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
