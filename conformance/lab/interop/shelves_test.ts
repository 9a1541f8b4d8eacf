import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { IMPLEMENTATIONS, PROXIES, ROOT } from "./shelves.ts";

/** The most lines that README.md has about it, without empty ones. */
const MAX_LINES = 10;

describe("what is made of a record", () => {
  for (const { record, documents } of [IMPLEMENTATIONS, PROXIES]) {
    for (const [name, update] of Object.entries(documents)) {
      it(`is in ${name} as it follows from the record`, async () => {
        const text = await readFile(join(ROOT, name), "utf8");
        assertEquals(text, update(text, JSON.parse(await readFile(record, "utf8"))));
      });
    }
  }

  it("leaves README.md short", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const [, section = ""] = /task interop --write([^]*?)\n## /.exec(readme) ?? [];
    const lines = section.split("\n").filter((line) => line.trim() !== "");
    assert(lines.length > 0 && lines.length <= MAX_LINES, `${lines.length} lines`);
  });
});
