import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assertEquals } from "@std/assert";
import { readVersion } from "./version.ts";

describe("readVersion", () => {
  it("is the version in deno.json", async () => {
    const manifest = await readFile(new URL("../deno.json", import.meta.url), "utf8");
    assertEquals(await readVersion(), JSON.parse(manifest).version);
  });

  it("is the version in package.json, in a package made for npm", async () => {
    const root = await mkdtemp(join(tmpdir(), "kit-"));
    try {
      await mkdir(join(root, "cli"));
      const manifest = { name: "@ollama-pull/kit", version: "1.2.3" };
      await writeFile(join(root, "package.json"), JSON.stringify(manifest));
      for (const file of ["cli/version.js", "chunk.js"]) {
        const module = pathToFileURL(join(root, file));
        assertEquals(await readVersion(module.href), "1.2.3", file);
      }
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it("is not that of another package", async () => {
    const root = await mkdtemp(join(tmpdir(), "other-"));
    try {
      await writeFile(join(root, "package.json"), '{"name":"other","version":"1.2.3"}');
      assertEquals(await readVersion(pathToFileURL(join(root, "chunk.js")).href), "unknown");
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
