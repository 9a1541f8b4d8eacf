/**
 * Shows that the package works in Deno as published to JSR.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { after, describe, it } from "node:test";
import { createMockServer } from "../../mock/mod.ts";
import { runCommand } from "../command.ts";
import { readDenoConfig } from "../project.ts";
import { Consumer } from "./consumer.ts";
import { tryRelay } from "./relays.ts";
import { verdictsOfSources } from "./sources.ts";
import { countLeft } from "./upstream.ts";
import { startRegistry } from "./registry.ts";

const { name, version, exports } = await readDenoConfig();

/** The command of README.md. */
const COMMAND = "deno run --allow-net --allow-env jsr:@ollama-pull/kit/cli pull llama3.2";

/** Runs Deno without prompts for permissions. */
const deno = (...args: string[]) =>
  [Deno.execPath(), "run", "--quiet", "--no-prompt", ...args] as const;

const registry = await startRegistry();
const consumer = await Consumer.create({ JSR_URL: registry.url, DENO_DIR: ".deno" });

describe("the package from JSR, in Deno", () => {
  after(async () => {
    await consumer[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  it("can be imported by its full name, and needs no permission for a mock in process", async () => {
    await consumer.write({
      "inline.ts": [
        `import { pull } from "jsr:${name}";`,
        `import { createMockServer } from "jsr:${name}@^${version}/mock";`,
        `import { serverRules } from "jsr:${name}/conformance";`,
        "const { fetch } = createMockServer();",
        'for await (const { phase } of pull("llama3.2", { fetch })) console.log(phase);',
        "console.log(serverRules.length > 0);",
      ].join("\n"),
    });
    const lines = (await consumer.outputOf(deno("inline.ts"))).trim().split("\n");
    assertEquals(lines.slice(0, 2), ["manifest", "downloading"]);
    assertEquals(lines.slice(-2), ["success", "true"]);
  });

  it("keeps the same rules, and finds the same ones broken, as the sources, without any permission", async () => {
    const names = Object.keys(exports).map((path) => name + path.slice(1));
    const imports = names.map((alias) => [alias, alias.replace(name, `jsr:${name}@^${version}`)]);
    await consumer.write({ "deno.json": { imports: Object.fromEntries(imports) } });
    const { runtime, verdicts } = await consumer.findingsOf(deno("main.ts"));
    assertEquals(runtime, `Deno ${Deno.version.deno}`);
    assertEquals(verdicts, await verdictsOfSources());
  });

  it("has types without errors", async () => {
    await consumer.outputOf([Deno.execPath(), "check", "--quiet", "--all", "main.ts"]);
  });

  it("pulls with only the permission to reach the server", async () => {
    await using listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
    await consumer.write({
      "pull.ts": [
        `import { pullModel } from "${name}";`,
        `await pullModel("llama3.2", { host: "${listener.url}" });`,
      ].join("\n"),
    });
    await consumer.outputOf(deno(`--allow-net=${new URL(listener.url).host}`, "pull.ts"));
  });

  it("relays, as the guide says", () => {
    const permissions = ["--no-prompt", "--allow-net", "--allow-env"];
    return tryRelay(consumer, "deno.js", [Deno.execPath(), "run", ...permissions]);
  });

  it("leaves nothing open on a server, in whatever state a pull is abandoned", () =>
    countLeft(async (host) => {
      await consumer.writeLeaving(host);
      await consumer.outputOf(deno(`--allow-net=${new URL(host).host}`, "leave.ts"));
    }));

  it("has a command that runs from its address", async () => {
    await using listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
    const [permissions, args] = COMMAND.split(` jsr:${name}/cli `).map((part) => part.split(" "));
    const cli = deno(...permissions!.slice("deno run".split(" ").length), `jsr:${name}/cli`);
    assertEquals(await consumer.outputOf([...cli, "--version"]), `${version}\n`);
    const pulling = [...cli, ...args!, "--host", listener.url] as const;
    assertMatch(await consumer.outputOf(pulling), /\nsuccess\nllama3\.2: .+\n$/);
    for (const left of ["--allow-net", "--allow-env"]) {
      const [program, ...rest] = pulling;
      const { ok, stderr } = await runCommand([program, ...rest.filter((flag) => flag !== left)], {
        cwd: consumer.folder,
        env: { JSR_URL: registry.url, DENO_DIR: ".deno" },
      });
      assertEquals(ok, false);
      assertMatch(stderr, new RegExp(`^error: Cannot [^\n]+: run it with ${left}=[^\n]+\n$`));
    }
  });
});
