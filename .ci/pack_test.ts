/**
 * Shows that the task `pack` does not change the checkout, and completes the manifest for npm.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { outputOf } from "./command.ts";
import { readDenoConfig, ROOT } from "./project.ts";

/** Runs the task, and returns the path that it prints. */
async function packAs(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const printed = await outputOf([Deno.execPath(), "task", "--quiet", "pack"], { cwd: ROOT, env });
  return printed.trim();
}

describe("the task pack", () => {
  it("prints the path of the tarball, which Git ignores", async () => {
    const { version } = await readDenoConfig();
    const tarball = await packAs();
    assertEquals(basename(tarball), `ollama-pull-kit-${version}.tgz`);
    assert((await Deno.stat(tarball)).isFile);
    await outputOf(["git", "check-ignore", tarball], { cwd: ROOT }); // fails if Git would see it
  });

  it("names the repository if a workflow runs it, as npm requires for provenance", async () => {
    const tarball = await packAs({
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "somebody/kit",
    });
    const manifest = await outputOf(["tar", "-xzOf", tarball, "package/package.json"]);
    const url = "git+https://github.com/somebody/kit.git";
    assertEquals(JSON.parse(manifest).repository, { type: "git", url });
  });
});
