/**
 * Shows that the mock works with common test tools: runs the recipes that need packages which this
 * repository does not have, in a project that has installed them and the package from npm. It also runs the
 * recipes for apps there, in Node, and a relay in a framework.
 *
 * @module
 */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readText, ROOT } from "../project.ts";
import { chromium } from "./browsers/chromium.ts";
import { tryRelay } from "./relays.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

const RECIPES = {
  express: "app.node.mjs",
  jest: "fake_timers.jest.mjs",
  msw: "pull.node.mjs",
  node: "fake_timers.node.mjs",
  playwright: "pull.playwright.mjs",
} as const;

/** The recipes for apps that run in Node. They are in TypeScript, and their tests also run in Deno and Bun. */
const APP_RECIPES = ["electron", "service"];

const [browserProgram] = chromium.versionCommand;

/** Playwright's configuration: it uses the browser on this machine, and does not download one. */
const PLAYWRIGHT_CONFIG = `export default {
  testMatch: "*.playwright.mjs",
  use: { launchOptions: { executablePath: ${JSON.stringify(browserProgram)} } },
};
`;

/** Jest's configurations: its defaults, and with its timers faked before a module loads. */
const JEST_CONFIGS = {
  "as it comes": {},
  "with fake timers enabled globally": { fakeTimers: { enableGlobally: true } },
};

/** A test in CommonJS, Jest's default. */
const COMMONJS_TEST = `test("a model is pulled", async () => {
  const { pullModel } = await import("@ollama-pull/kit");
  const { createMockServer } = await import("@ollama-pull/kit/mock");
  await pullModel("llama3.2", createMockServer({ models: ["llama3.2"] }).client);
});
`;

const consumer = await installWithNpm(
  TOOLS.esbuild,
  TOOLS.express,
  TOOLS.jest,
  TOOLS.msw,
  TOOLS.playwright,
  TOOLS.hono,
  TOOLS.honoNodeServer,
);
for (const [folder, file] of Object.entries(RECIPES)) {
  await consumer.write({ [`${folder}/${file}`]: await readText(`mock/recipes/${folder}/${file}`) });
}
await consumer.write({
  "playwright/playwright.config.mjs": PLAYWRIGHT_CONFIG,
  "jest/commonjs.jest.cjs": COMMONJS_TEST,
});

after(() => consumer[Symbol.asyncDispose]());

describe("the mock from npm", () => {
  for (const folder of ["express", "msw"] as const) {
    it(`works with ${TOOLS[folder]}, as the recipe says`, async () => {
      await consumer.outputOf(["node", "--test", `${folder}/${RECIPES[folder]}`]);
    });
  }

  it("works with node:test, as the recipe says", async () => {
    await consumer.outputOf(["node", "--test", `node/${RECIPES.node}`]);
  });

  for (const [title, options] of Object.entries(JEST_CONFIGS)) {
    it(`works with ${TOOLS.jest} ${title}, as the recipe says`, async () => {
      const config = { ...options, testMatch: ["**/*.jest.[cm]js"], transform: {} };
      await consumer.write({ "jest/jest.config.json": config });
      const jest = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"];
      await consumer.outputOf(["node", ...jest, "--config=jest/jest.config.json"]);
    });
  }

  const skip = chromium.lacks ?? false;
  it(`works with ${TOOLS.playwright}, as the recipe says`, { skip }, async () => {
    const config = "--config=playwright/playwright.config.mjs";
    await consumer.outputOf(["node_modules/.bin/playwright", "test", config]);
  });
});

describe("the package from npm, in Node", () => {
  for (const folder of APP_RECIPES) {
    it(`does what the recipe for ${folder} says`, async () => {
      await cp(join(ROOT, "mock/recipes", folder), join(consumer.folder, folder), {
        recursive: true,
      });
      const entry = `${folder}/${folder}_test.ts`;
      const options = ["--platform=node", "--target=node20", "--packages=external"];
      const script = await bundle(consumer, entry, ...options);
      await consumer.write({ [`${folder}/test.mjs`]: script });
      await consumer.outputOf(["node", "--test", `${folder}/test.mjs`]);
    });
  }

  it(`relays in ${TOOLS.hono}, as the guide says`, () => tryRelay(consumer, "hono.js", ["node"]));
});
