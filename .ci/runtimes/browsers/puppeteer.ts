/**
 * Browsers that Puppeteer drives.
 *
 * @module
 */

import { launch, type LaunchOptions } from "puppeteer-core";
import type { Browser } from "./engine.ts";

/** Starts a browser. */
export async function startWithPuppeteer(options: LaunchOptions): Promise<Browser> {
  const viewport = { width: 960, height: 320, deviceScaleFactor: 2 };
  const browser = await launch({ headless: true, defaultViewport: viewport, ...options });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return {
        evaluate: <Value>(expression: string) => page.evaluate(expression) as Promise<Value>,
        reload: async () => void await page.reload(),
        screenshot: () => page.screenshot(),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
