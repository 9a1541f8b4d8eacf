/**
 * Shows that the library uses nothing but the web's own means, and that it would be noticed if it did.
 *
 * @module
 */

import { assertArrayIncludes, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { dirname, join } from "node:path";
import { listFiles, ROOT } from "./project.ts";
import { findNonWebUses } from "./web_only.ts";

/**
 * What is found in a scratch copy of the library, in which each piece of code was appended to a copy
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

describe("the library", () => {
  it("uses nothing but the web's own means", async () => {
    assertEquals(await findNonWebUses(ROOT), []);
  });

  it("cannot use what only a runtime or a page has unnoticed", async () => {
    const names = ["Deno", "Bun", "process", "Buffer", "document"];
    const problems = await findUsesIn(names.map((name) => `export const use = ${name};`));
    for (const name of names) {
      assertMatch(problems.join("\n"), new RegExp(`Cannot find name '${name}'`));
    }
  });

  it("cannot import what is not its own unnoticed", async () => {
    const problems = await findUsesIn(['import "node:fs";', 'import "../outside.ts";']);
    assertArrayIncludes(problems, [
      "The library imports node:fs",
      "The library imports outside.ts",
    ]);
  });
});
