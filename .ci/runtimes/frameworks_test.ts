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
  msw: "pull.node.mjs",
  playwright: "pull.playwright.mjs",
} as const;

const [browserProgram] = chromium.versionCommand;

/** Playwright's configuration: the browser is the one that is here, and not one that it downloads. */
const PLAYWRIGHT_CONFIG = `export default {
  testMatch: "*.playwright.mjs",
  use: { launchOptions: { executablePath: ${JSON.stringify(browserProgram)} } },
};
`;

const consumer = await installWithNpm(TOOLS.express, TOOLS.msw, TOOLS.playwright);
for (const [folder, file] of Object.entries(RECIPES)) {
  await consumer.write({ [`${folder}/${file}`]: await readText(`mock/recipes/${folder}/${file}`) });
}
await consumer.write({ "playwright/playwright.config.mjs": PLAYWRIGHT_CONFIG });

describe("the mock from npm", () => {
  after(() => consumer[Symbol.asyncDispose]());

  for (const folder of ["express", "msw"] as const) {
    it(`works with ${TOOLS[folder]}, as the recipe says`, async () => {
      await consumer.outputOf(["node", "--test", `${folder}/${RECIPES[folder]}`]);
    });
  }

  const skip = chromium.lacks ?? false;
  it(`works with ${TOOLS.playwright}, as the recipe says`, { skip }, async () => {
    const config = "--config=playwright/playwright.config.mjs";
    await consumer.outputOf(["node_modules/.bin/playwright", "test", config]);
  });
});
