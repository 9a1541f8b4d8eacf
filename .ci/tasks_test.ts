/**
 * Shows that every task of `deno.json` has a help text, and suggests the right option for a misspelt one.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { type CommandResult, runDeno } from "./command.ts";
import { readDenoConfig, ROOT } from "./project.ts";

const { tasks } = await readDenoConfig();

/** A command of Deno, which has help of its own. */
const INSTALL = "install";

function runTask(name: string, option: string): Promise<CommandResult> {
  return runDeno(["task", "--quiet", name, option], ROOT);
}

/** The output of a task itself, without Deno's note that it waits for another Deno. */
function ownErrors({ stderr }: CommandResult): string {
  return stderr.replaceAll(/^Blocking waiting for file lock.*\n/gm, "");
}

describe("a task", () => {
  for (const name of Object.keys(tasks).filter((name) => name !== INSTALL)) {
    it(`knows --help, and suggests it for a misspelling: ${name}`, async () => {
      const [right, wrong] = await Promise.all([
        runTask(name, "--help"),
        runTask(name, "--hepl"),
      ]);
      assertEquals([right.ok, ownErrors(right)], [true, ""]);
      assertMatch(right.stdout, RegExp(`^Usage: (npx )?deno task ${name}\\b`));
      assertEquals([wrong.ok, wrong.stdout], [false, ""]);
      assertEquals(ownErrors(wrong), "error: unknown option '--hepl' (Did you mean --help?)\n");
    });
  }
});
