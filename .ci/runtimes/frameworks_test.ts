/**
 * Shows that the mock works beside what people test with: runs the recipes that need more than this
 * repository has, in a project that has installed the package and that from npm.
 *
 * @module
 */

import { after, describe, it } from "node:test";
import { readText } from "../project.ts";
import { chromium } from "./browsers/chromium.ts";
import { installWithNpm, TOOLS } from "./tarball.ts";

const RECIPES = {
  express: "app.node.mjs",
  jest: "fake_timers.jest.mjs",
  msw: "pull.node.mjs",
  node: "fake_timers.node.mjs",
  playwright: "pull.playwright.mjs",
} as const;

const [browserProgram] = chromium.versionCommand;

/** Playwright's configuration: the browser is the one that is here, and not one that it downloads. */
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

/** A test in CommonJS, as those of Jest are by default. */
const COMMONJS_TEST = `test("a model is pulled", async () => {
  const { pullModel } = await import("@ollama-pull/kit");
  const { createMockServer } = await import("@ollama-pull/kit/mock");
  await pullModel("llama3.2", createMockServer({ models: ["llama3.2"] }).client);
});
`;

const consumer = await installWithNpm(
  TOOLS.express,
  TOOLS.jest,
  TOOLS.msw,
  TOOLS.playwright,
);
for (const [folder, file] of Object.entries(RECIPES)) {
  await consumer.write({ [`${folder}/${file}`]: await readText(`mock/recipes/${folder}/${file}`) });
}
await consumer.write({
  "playwright/playwright.config.mjs": PLAYWRIGHT_CONFIG,
  "jest/commonjs.jest.cjs": COMMONJS_TEST,
});

describe("the mock from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

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
