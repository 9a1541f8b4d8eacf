/**
 * Shows that the client uses only the web platform, and that anything else would be noticed.
 *
 * @module
 */

import { assertArrayIncludes, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { dirname, join } from "node:path";
import { listFiles, ROOT } from "./project.ts";
import { findNonWebUses } from "./web_only.ts";

/**
 * The findings in a scratch copy of the client, in which each piece of code was appended to a copy
 * of one of its files.
 */
async function findUsesIn(code: string[]): Promise<string[]> {
  const root = await Deno.makeTempDir();
  try {
    for (const file of ["mod.ts", ...await listFiles(ROOT, "src")]) {
      if (!file.endsWith(".ts")) continue;
      await Deno.mkdir(join(root, dirname(file)), { recursive: true });
      await Deno.copyFile(join(ROOT, file), join(root, file));
    }
    const original = await Deno.readTextFile(join(root, "src/errors.ts"));
    for (const [index, line] of code.entries()) {
      await Deno.writeTextFile(join(root, `src/scratch_${index}.ts`), `${original}\n${line}\n`);
    }
    await Deno.writeTextFile(join(root, "outside.ts"), "export {};\n");
    return await findNonWebUses(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

describe("the client", () => {
  it("uses only the web platform", async () => {
    assertEquals(await findNonWebUses(ROOT), []);
  });

  it("cannot use a feature of one runtime or of pages unnoticed", async () => {
    const names = ["Deno", "Bun", "process", "Buffer", "document"];
    const problems = await findUsesIn(names.map((name) => `export const use = ${name};`));
    for (const name of names) {
      assertMatch(problems.join("\n"), new RegExp(`Cannot find name '${name}'`));
    }
  });

  it("cannot import other files unnoticed", async () => {
    const problems = await findUsesIn(['import "node:fs";', 'import "../outside.ts";']);
    assertArrayIncludes(problems, [
      "The library imports node:fs",
      "The library imports outside.ts",
    ]);
  });
});
