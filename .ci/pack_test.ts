/**
 * Shows that the task `pack` leaves the checkout as it was.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { outputOf } from "./command.ts";
import { readDenoConfig, ROOT } from "./project.ts";

describe("the task pack", () => {
  it("prints where the tarball is, which Git ignores", async () => {
    const { version } = await readDenoConfig();
    const task = [Deno.execPath(), "task", "--quiet", "pack"] as const;
    const tarball = (await outputOf(task, { cwd: ROOT })).trim();
    assertEquals(basename(tarball), `ollama-pull-kit-${version}.tgz`);
    assert((await Deno.stat(tarball)).isFile);
    await outputOf(["git", "check-ignore", tarball], { cwd: ROOT }); // fails if Git would see it
  });
});
