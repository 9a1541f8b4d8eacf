/**
 * The page of the browser's recipe, as tests use and read it.
 *
 * @module
 */

import { readText } from "../../project.ts";
import type { Consumer } from "../consumer.ts";
import { bundle } from "../tarball.ts";
import type { Page } from "./engine.ts";
import { scriptFile, type SiteFiles, watched } from "./site.ts";

/** The folder of the recipe. */
export const RECIPE = "mock/recipes/browser";

/** How long a page may take to show something on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;

/** The files of the page, bundled with the package that a project has installed. */
export async function recipeFiles(consumer: Consumer): Promise<SiteFiles> {
  await consumer.write({ "page.js": await readText(`${RECIPE}/page.js`) });
  return new Map([
    ["/", watched(await readText(`${RECIPE}/index.html`))],
    ["/bundle.js", scriptFile(await bundle(consumer, "page.js"))],
  ]);
}

/** Waits until a condition holds in a page. Fails with what the page says if its pull fails before. */
export async function waitFor(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const look = () => {
      if (${condition}) return resolve();
      const isOver = document.body.matches(".failed") ||
        performance.now() - startedAt > ${PATIENCE_MS};
      const says = document.querySelector("#status")?.textContent;
      if (isOver) return reject(new Error([says, ...globalThis.problems ?? []].join("; ")));
      setTimeout(look, 10);
    };
    look();
  })`);
}

/** Waits until the bar of the whole has come so far. */
export const waitForBar = (page: Page, fraction: number) =>
  waitFor(page, `document.querySelector("#whole").value >= ${fraction}`);

/** Waits until the page says something. */
export const waitForStatus = (page: Page, text: string) =>
  waitFor(page, `document.querySelector("#status").textContent.includes("${text}")`);

/** Waits until the page says that the pull has failed. */
export const waitForFailure = (page: Page) => waitFor(page, 'document.body.matches(".failed")');

/** What the page says. */
export const statusIn = (page: Page) =>
  page.evaluate<string>('document.querySelector("#status").textContent');

/** How far the bar of the whole has come. */
export const barIn = (page: Page) =>
  page.evaluate<number>('document.querySelector("#whole").value');

/** All words and bars of the page, of which the first is the status. */
export const shownIn = (page: Page) =>
  page.evaluate<(string | number)[]>(
    `Array.from(document.querySelectorAll("main :is(p, span, progress)"),
      ({ value, textContent }) => value ?? textContent)`,
  );

/** Presses a button. */
export const click = (page: Page, button: "start" | "cancel") =>
  page.evaluate(`document.querySelector("[name=${button}]").click()`);

/** Has a page note in its global `falls` how far each bar falls. */
export const noteFalls = (page: Page) =>
  page.evaluate(`void (() => {
    globalThis.falls = [];
    const options = { subtree: true, attributeFilter: ["value"], attributeOldValue: true };
    new MutationObserver((records) => {
      for (const { target, oldValue } of records) {
        if (target.value < Number(oldValue)) falls.push([oldValue, target.value]);
      }
    }).observe(document.body, options);
  })()`);
