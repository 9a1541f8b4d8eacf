/**
 * Shows that the package works in a page in Chromium: bundled from what npm installs. With
 * `SCREENSHOT=1`, makes the picture in README.md anew.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { chromium, type Page } from "playwright-core";
import { readText, ROOT } from "../project.ts";
import { CHROMIUM_ARGS, findChromium, HOW_TO_GET_CHROMIUM } from "./chromium.ts";
import type { Findings } from "./program.ts";
import { verdictsOfSources } from "./sources.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";
import { countLeft, startUpstream, type Upstream } from "./upstream.ts";

const RECIPE = "mock/recipes/browser";

const executablePath = findChromium();
if (executablePath === undefined) throw new Error(HOW_TO_GET_CHROMIUM);

const consumer = await installWithNpm(TOOLS.esbuild);
await consumer.write({ "page.js": await readText(`${RECIPE}/page.js`) });

/** What is served to the browser. */
const files = new Map([
  ["/", { type: "text/html", text: await readText(`${RECIPE}/index.html`) }],
  ["/bundle.js", { type: "text/javascript", text: await bundle(consumer, "page.js") }],
  ["/program.js", { type: "text/javascript", text: await bundle(consumer, "program.ts") }],
]);
const site = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
  const { text, type } = files.get(new URL(url).pathname) ?? {};
  if (text === undefined) return new Response(null, { status: 404 });
  return new Response(text, { headers: { "Content-Type": type! } });
});

/** A name for the site that the real server does not let in. */
const FOREIGN_HOST = "elsewhere.test";
const browser = await chromium.launch({
  executablePath,
  args: [...CHROMIUM_ARGS, `--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`],
});

/** Opens the page for a server. */
async function openPage(upstream: Pick<Upstream, "url">, host = "127.0.0.1"): Promise<Page> {
  const page = await browser.newPage({
    viewport: { width: 720, height: 300 },
    deviceScaleFactor: 2,
  });
  await page.goto(`http://${host}:${site.addr.port}/?host=${upstream.url}`);
  return page;
}

const statusOf = (page: Page) => page.textContent("#status");
const barOf = (page: Page) =>
  page.$eval("#whole", (bar) => (bar as unknown as { value: number }).value);

/** Waits until the whole has come so far. */
async function waitForBar(page: Page, fraction: number): Promise<void> {
  await page.waitForFunction(`document.querySelector("#whole").value >= ${fraction}`);
}

describe("the package from npm, in Chromium", () => {
  after(async () => {
    await browser.close();
    await site.shutdown();
    await consumer[Symbol.asyncDispose]();
  });

  it("keeps and finds broken what the sources do", async () => {
    await using upstream = await startUpstream({});
    const page = await openPage(upstream);
    const run = 'import("/program.js").then(({ tryPackage }) => tryPackage())';
    const { runtime, verdicts } = await page.evaluate<Findings>(run);
    assertMatch(runtime, /^Chrome \d+/);
    assertEquals(verdicts, await verdictsOfSources());
  });

  it("shows live bars, cancels and resumes, across origins", async () => {
    const layers = [1.2e9, 3e8, 2.5e8].map((size) => ({ size }));
    const models = [{ name: "llama3.2", layers }];
    await using upstream = await startUpstream({ models, dialect: "v0.33", bytesPerSecond: 4e8 });
    const page = await openPage(upstream);
    assert(new URL(page.url()).origin !== new URL(upstream.url).origin);

    await page.click("text=Pull >> nth=-1");
    await waitForBar(page, 0.6);
    assertMatch((await statusOf(page))!, /^[\d.]+ [MG]B of [\d.]+ GB, /);
    if (Deno.env.has("SCREENSHOT")) {
      await page.screenshot({ path: join(ROOT, RECIPE, "page.png") });
    }
    await page.click("text=Cancel");
    await page.waitForSelector("text=Cancelled");
    assertEquals(await upstream.nextOutcome(), "cancelled");
    const before = await barOf(page);
    assert(before < 1);

    await page.click("text=Resume");
    await waitForBar(page, 1);
    assertEquals([await statusOf(page), await upstream.nextOutcome()], ["success", "finished"]);
  });

  it("leaves nothing open on a server, in whatever state it leaves", () =>
    countLeft(async (host) => {
      const page = await openPage({ url: host });
      const run = `import("/program.js").then(({ leavePulls }) => leavePulls("${host}"))`;
      await page.evaluate(run);
    }));

  it("says why a pull has failed", async () => {
    const models = [{ name: "llama3.2", layers: [{ size: 1_000 }] }];
    await using upstream = await startUpstream({ models, faults: [{ kind: "disk-full" }] });
    const page = await openPage(upstream);
    await page.click("text=Pull >> nth=-1");
    await page.waitForSelector("#status.failed");
    assertMatch((await statusOf(page))!, /no space left on device/);
  });

  it("says that a server cannot be reached which does not know the page's origin", async () => {
    await using upstream = await startUpstream({});
    const page = await openPage(upstream, FOREIGN_HOST);
    await page.click("text=Pull >> nth=-1");
    await page.waitForSelector("text=Cannot reach");
    assertMatch((await statusOf(page))!, /OLLAMA_ORIGINS/);
  });

  it("is let in from an origin that the server was told of", async () => {
    const origins = [`http://${FOREIGN_HOST}:${site.addr.port}`];
    await using upstream = await startUpstream({ origins, bytesPerSecond: 1e11 });
    const page = await openPage(upstream, FOREIGN_HOST);
    await page.click("text=Pull >> nth=-1");
    await waitForBar(page, 1);
    assertEquals(await upstream.nextOutcome(), "finished");
  });
});
