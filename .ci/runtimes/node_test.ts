/**
 * Shows that the package works in Node as npm installs it, and that its types compile.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { spawn } from "node:child_process";
import { after, describe, it } from "node:test";
import { createMockServer } from "../../mock/mod.ts";
import { readDenoConfig } from "../project.ts";
import { tryRelay } from "./relays.ts";
import { verdictsOfSources } from "./sources.ts";
import { installWithNpm, TOOLS } from "./tarball.ts";
import { countLeft } from "./upstream.ts";

/** The command of README.md. */
const COMMAND = "npx @ollama-pull/kit pull llama3.2";

const { version } = await readDenoConfig();
const nodes = Object.entries(TOOLS.nodes);

const consumer = await installWithNpm(
  TOOLS.typescript,
  TOOLS.nodeTypes,
  TOOLS.honoNodeServer,
  TOOLS.hono,
  ...nodes.map(([alias, wanted]) => `${alias}@npm:node@${wanted}`),
);

/** The strictest options, with which the types of all packages are checked too. */
const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: "es2023",
  rewriteRelativeImportExtensions: true,
  rootDir: ".",
  outDir: "out",
};

/** The platforms of a project: with the types of Node, or of browsers. */
const PLATFORMS = {
  "Node": { lib: ["esnext"], types: ["node"] },
  "browsers": { lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"], types: [] },
};

const RESOLUTIONS = {
  "nodenext": { module: "nodenext", moduleResolution: "nodenext" },
  "bundler": { module: "esnext", moduleResolution: "bundler" },
};

describe("the package from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const [platform, libraries] of Object.entries(PLATFORMS)) {
    for (const [resolution, modules] of Object.entries(RESOLUTIONS)) {
      it(`has types for ${platform} when modules are resolved as in ${resolution}`, async () => {
        const compilerOptions = { ...COMPILER_OPTIONS, ...libraries, ...modules };
        await consumer.write({ "tsconfig.json": { compilerOptions, files: ["main.ts"] } });
        await consumer.outputOf(["node_modules/.bin/tsc"]);
      });
    }
  }

  for (const [alias, wanted] of nodes) {
    const node = `node_modules/${alias}/bin/node`;

    it(`keeps the same rules, and finds the same ones broken, as the sources, in Node ${wanted}`, async () => {
      const { runtime, verdicts } = await consumer.findingsOf([node, "out/main.js"]);
      assertEquals(runtime, `Node ${wanted}`);
      assertEquals(verdicts, await verdictsOfSources());
    });

    it(`survives network failures and leaves nothing open, in Node ${wanted}`, () =>
      countLeft(async (host) => {
        await consumer.write({
          "out/leave.js": `import { tryNetwork } from "./program.js"; await tryNetwork("${host}");`,
        });
        await consumer.outputOf([node, "--expose-gc", "out/leave.js"]);
      }));

    it(`relays, as the guide says, in Node ${wanted}`, () => tryRelay(consumer, "node.js", [node]));

    it(`has a command that runs in Node ${wanted}`, async () => {
      await using listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
      const cli = "node_modules/.bin/ollama-pull";
      assertEquals(await consumer.outputOf([node, cli, "--version"]), `${version}\n`);
      const args = ["pull", "llama3.2", "--host", listener.url] as const;
      assertMatch(await consumer.outputOf([node, cli, ...args]), /\nsuccess\nllama3\.2: .+\n$/);
    });
  }

  it("has a command that npx runs", async () => {
    await using listener = await createMockServer({ bytesPerSecond: 1e12 }).listen();
    const command = ["npx", ...COMMAND.split(" ").slice(1), "--host", listener.url] as const;
    assertMatch(await consumer.outputOf(command), /\nsuccess\nllama3\.2: .+\n$/);
  });

  it("has a mock that ends with npx when a signal ends npx", async () => {
    const args = ["@ollama-pull/kit", "mock", "--port", "0"];
    const npx = spawn("npx", args, { cwd: consumer.folder, stdio: ["ignore", "pipe", "inherit"] });
    const closed = new Promise((resolve) => npx.once("close", resolve));
    const url = await new Promise<string>((resolve) => {
      let text = "";
      npx.stdout.on("data", (chunk) => {
        text += chunk;
        const [address] = /http:[\d./:]+/.exec(text) ?? [];
        if (address) resolve(address);
      });
    });
    assertEquals(await (await fetch(url)).text(), "Ollama is running");
    npx.kill("SIGTERM");
    // Every process that holds its standard output must end, including the mock.
    await closed;
    await assertRejects(() => fetch(url));
  });
});
