/**
 * Shows that the package works in Bun as Bun installs it.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createMockServer } from "../../mock/mod.ts";
import { readDenoConfig, ROOT } from "../project.ts";
import { tryRelay } from "./relays.ts";
import { verdictsOfSources } from "./sources.ts";
import { createNpmProject } from "./tarball.ts";
import { countLeft } from "./upstream.ts";

const { version, imports } = await readDenoConfig();
const bun = join(ROOT, "node_modules/.bin/bun");

// With its own cache, Bun cannot use an earlier package of the same version.
const { consumer, tarball } = await createNpmProject({ BUN_INSTALL_CACHE_DIR: ".cache" });
await consumer.outputOf([bun, "add", "--silent", tarball]);

describe("the package from npm, in Bun", () => {
  after(() => consumer[Symbol.asyncDispose]());

  it("keeps the same rules, and finds the same ones broken, as the sources", async () => {
    const { runtime, verdicts } = await consumer.findingsOf([bun, "run", "main.ts"]);
    assertEquals(runtime, imports["bun"]!.replace("npm:bun@", "Bun "));
    assertEquals(verdicts, await verdictsOfSources());
  });

  it("survives network failures, and leaves nothing open", () =>
    countLeft(async (host) => {
      await consumer.writeLeaving(host);
      await consumer.outputOf([bun, "run", "leave.ts"]);
    }));

  it("relays, as the guide says", () => tryRelay(consumer, "bun.js", [bun, "run"]));

  it("has a command that bunx runs, in Bun", async () => {
    await using listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
    const bunx = [bun, "x", "--bun", "ollama-pull"] as const;
    assertEquals(await consumer.outputOf([...bunx, "--version"]), `${version}\n`);
    const args = ["pull", "llama3.2", "--host", listener.url] as const;
    assertMatch(await consumer.outputOf([...bunx, ...args]), /\nsuccess\nllama3\.2: .+\n$/);
  });
});
