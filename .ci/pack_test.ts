/**
 * Shows that the task `pack` leaves the checkout as it was, and completes the manifest for npm.
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
  it("prints where the tarball is, which Git ignores", async () => {
    const { version } = await readDenoConfig();
    const tarball = await packAs();
    assertEquals(basename(tarball), `ollama-pull-kit-${version}.tgz`);
    assert((await Deno.stat(tarball)).isFile);
    await outputOf(["git", "check-ignore", tarball], { cwd: ROOT }); // fails if Git would see it
  });

  it("names the repository where a workflow runs it, as npm wants it for a proof of origin", async () => {
    const tarball = await packAs({
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "somebody/kit",
    });
    const manifest = await outputOf(["tar", "-xzOf", tarball, "package/package.json"]);
    const url = "git+https://github.com/somebody/kit.git";
    assertEquals(JSON.parse(manifest).repository, { type: "git", url });
  });
});
