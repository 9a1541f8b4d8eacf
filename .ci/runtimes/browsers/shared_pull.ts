/**
 * The tests of a pull that pages share: the recipe with its own server, in every engine.
 *
 *     page ──┐
 *            ├── line ──▶ site: files, relay ── one pull ──▶ mock
 *     page ──┘
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { MockServerOptions } from "../../../mock/mod.ts";
import { createSite } from "../../../mock/recipes/browser/serve.ts";
import { ROOT } from "../../project.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { describeInEngines } from "./describe.ts";
import type { Browser, Engine, Page } from "./engine.ts";
import { type Line, startLine } from "./line.ts";
import {
  click,
  noteFalls,
  RECIPE,
  shownIn,
  statusIn,
  waitFor,
  waitForBar,
  waitForFailure,
  waitForStatus,
} from "./recipe_page.ts";
import { serveSite, type SiteFiles, watched } from "./site.ts";

const MODEL = "llama3.2";
const LAYERS = [1.2e9, 3e8, 2.5e8].map((size) => ({ size }));

/** The model as it is in the registry: one large layer, and small ones that come after it. */
const PICTURED = [{ name: MODEL, layers: [2_019_377_376, 7_711, 6_016].map((size) => ({ size })) }];

/** How long Firefox holds back a request that another page has made, too, in milliseconds. */
const FIREFOX_CACHE_WAIT_MS = 20_000;

/** What the pages of a test are connected to. */
interface Setting {
  readonly upstream: Upstream;
  readonly line: Line;
  /** Opens a path of the site. */
  open(path: string): Promise<Page>;
  /** Opens a page, and starts the pull there. */
  start(): Promise<Page>;
  /** Opens a page that watches the pull. */
  watch(): Promise<Page>;
  /** The methods of the requests to the relay, in their order. */
  readonly methods: string[];
}

/** Has a test of the site run with pages of a browser. Fails if an error in one of them is not caught. */
async function useSite(
  { browser, files, ...options }: MockServerOptions & { browser: Browser; files: SiteFiles },
  use: (setting: Setting) => Promise<void>,
): Promise<void> {
  await using upstream = await startUpstream({
    models: [{ name: MODEL, layers: LAYERS }],
    dialect: "v0.33",
    bytesPerSecond: 2e9,
    ...options,
  });
  const methods: string[] = [];
  const relay = createSite({ host: upstream.url, retryMs: 10 });
  const site = serveSite(files, (request) => {
    if (new URL(request.url).pathname.startsWith("/api/")) methods.push(request.method);
    return relay(request);
  });
  const line = await startLine(site.addr.port);
  const pages = new Set<Page>();
  const open = async (path: string) => {
    const page = await browser.open(`http://127.0.0.1:${line.port}${path}`);
    const close = async () => {
      pages.delete(page);
      await page.close();
    };
    pages.add(page);
    return { ...page, close };
  };
  const start = async () => {
    const page = await open("/");
    await click(page, "start");
    return page;
  };
  const watch = () => open(`/?model=${MODEL}`);
  try {
    await use({ upstream, line, open, start, watch, methods });
    for (const page of pages) assertEquals(await page.evaluate("problems"), []);
  } finally {
    for (const page of pages) await page.close();
  }
}

/** Waits until all pages show the same, and returns that. */
async function waitForSame(...pages: Page[]): Promise<(string | number)[]> {
  for (;;) {
    const [shown = [], ...others] = await Promise.all(pages.map(shownIn));
    if (others.every((other) => String(other) === String(shown))) return shown;
  }
}

/** How many pulls the mock was asked for. */
const pullsOf = ({ server }: Upstream) =>
  server.requests.filter(({ path }) => path === "/api/pull").length;

/** Two pages beside each other, for the picture. */
const SIDE_BY_SIDE = `<!DOCTYPE html>
  <html lang="en">
    <head>
      <style>
      body { display: flex; gap: 12px; margin: 0; padding: 12px; background: #d9dedb; }
      iframe { flex: 1; height: 296px; border: 0; border-radius: 12px; }
      </style>
    </head>
    <body>
      <iframe src="/?model=${MODEL}"></iframe>
      <iframe src="/?model=${MODEL}"></iframe>
    </body>
  </html>`;

/** Describes the tests, for a site with these files. */
export function describeSharedPull(files: SiteFiles): void {
  const all = new Map([...files, ["/both", watched(SIDE_BY_SIDE)]]);
  describeInEngines("a pull that pages share", (engine) => testIn(engine, all));
}

function testIn(engine: Engine, files: SiteFiles): void {
  let browser: Browser;
  before(async () => void (browser = await engine.start()));
  after(() => browser?.close());

  const inSite = (use: (setting: Setting) => Promise<void>, options: MockServerOptions = {}) =>
    useSite({ browser, files, ...options }, use);

  it("shows the same in each, and is one request to Ollama", () =>
    inSite(async ({ upstream, start, watch }) => {
      const halfWay = upstream.server.hold();
      const pages = [await start(), await watch(), await start()];
      for (const page of pages) await waitForBar(page, 0.4);
      const shown = await waitForSame(...pages);
      assertEquals(shown[0], "Downloading");
      assertMatch(String(shown), /\d+(\.\d)? [MG]B of 1.2 GB/);

      halfWay.release();
      for (const page of pages) await waitForStatus(page, "Ready to use");
      assertMatch(String(await waitForSame(...pages)), /100%, 1.8 GB of 1.8 GB/);
      assertEquals(pullsOf(upstream), 1);
    }));

  it("is shown at once after a reload", () =>
    inSite(async ({ upstream, start, watch }) => {
      const halfWay = upstream.server.hold();
      const [first, second] = [await start(), await watch()];
      await waitForBar(second, 0.4);
      await halfWay.reached; // from here on, Ollama tells nothing
      const reloadedAt = performance.now();
      await first.reload();
      await waitForBar(first, 0.4);
      assert(performance.now() - reloadedAt < FIREFOX_CACHE_WAIT_MS);
      assertEquals((await waitForSame(first, second))[0], "Downloading");
    }));

  it("goes on when the page that has started it closes", () =>
    inSite(async ({ upstream, start, watch }) => {
      const halfWay = upstream.server.hold();
      const first = await start();
      await waitForBar(first, 0.4);
      await first.close();
      halfWay.release();
      assertEquals(await upstream.nextOutcome(), "finished");
      await waitForStatus(await watch(), "Ready to use");
    }));

  it("is cancelled for all by any of them, and resumed", () =>
    inSite(async ({ upstream, start, watch }) => {
      const halfWay = upstream.server.hold();
      const [first, second] = [await start(), await watch()];
      for (const page of [first, second]) await waitForBar(page, 0.4);
      await click(second, "cancel");
      for (const page of [first, second]) await waitForStatus(page, "Cancelled");
      assertEquals(await upstream.nextOutcome(), "cancelled");
      await waitForSame(first, second);

      halfWay.release();
      await click(first, "start");
      await waitForStatus(first, "Ready to use");
    }));

  it("is shown again after a lost connection, and no bar falls", () =>
    inSite(async ({ upstream, line, start, watch }) => {
      const [halfWay, further] = ["50%", "75%"].map((completed) =>
        upstream.server.hold({ at: { completed } as { completed: `${number}%` } })
      );
      const pages = [await start(), await watch()];
      for (const page of pages) await waitForBar(page, 0.4);
      for (const page of pages) await noteFalls(page);

      line.cut();
      for (const page of pages) await waitForStatus(page, "Another attempt in ");
      halfWay!.release();
      line.mend();
      for (const page of pages) await waitForStatus(page, "Downloading");
      await waitForSame(...pages);
      further!.release();
      for (const page of pages) await waitForStatus(page, "Ready to use");
      for (const page of pages) assertEquals(await page.evaluate("falls"), []);
      assertEquals(pullsOf(upstream), 1);
    }));

  it("says in each why it has failed, and what to do", () =>
    inSite(async ({ upstream, start, watch }) => {
      const early = upstream.server.hold({ at: { completed: "30%" } });
      const pages = [await start(), await watch()];
      for (const page of pages) await waitForBar(page, 0.2);
      early.release();
      for (const page of pages) await waitForFailure(page);
      const [status] = await waitForSame(...pages);
      assertMatch(String(status), /no space left on device\. Make room on the server's disk/);
    }, { faults: [{ kind: "disk-full", at: { completed: "60%" } }] }));

  it("is not started by a page that only watches", () =>
    inSite(async ({ upstream, watch }) => {
      const page = await watch();
      await waitForStatus(page, "Nobody is pulling this model now");
      assertEquals(pullsOf(upstream), 0);
    }));

  it("is refused by name where the server does not offer the model", () =>
    inSite(async ({ open }) => {
      const page = await open("/?model=another");
      await waitForFailure(page);
      assertMatch(await statusIn(page), /You may not watch a pull of "another"/);
    }));

  it("can be followed with an EventSource, which stops after the end", () =>
    inSite(async ({ upstream, open, methods }) => {
      const halfWay = upstream.server.hold();
      const page = await open("/");
      await click(page, "start");
      await waitForBar(page, 0.4);
      await page.evaluate(`void (() => {
        globalThis.records = [];
        globalThis.source = new EventSource("/api/pulls/${MODEL}");
        source.onmessage = ({ data }) => records.push(JSON.parse(data));
      })()`);
      await waitFor(page, "records.length > 0");
      halfWay.release();
      await waitFor(page, "source.readyState === EventSource.CLOSED");
      const ends = await page.evaluate("records.filter((record) => 'end' in record).length");
      // The page's own request, that of the source, and one more which is answered with 204.
      assertEquals([ends, methods], [1, ["POST", "GET", "GET"]]);
    }));

  if (Deno.env.has("SCREENSHOT") && engine.name === "Chromium") {
    it("has its picture made anew", () =>
      inSite(async ({ upstream, open, start }) => {
        const held = upstream.server.hold({ at: { completed: "60%" } });
        await start();
        await held.reached;
        const both = await open("/both");
        await waitFor(
          both,
          `Array.from(document.querySelectorAll("iframe"))
          .every((frame) => frame.contentDocument.querySelector("#whole")?.value > 0.6)`,
        );
        const picture = await both.screenshot();
        assert(picture.length > 0);
        await Deno.writeFile(join(ROOT, RECIPE, "page.png"), picture);
      }, { models: PICTURED, bytesPerSecond: 3e8 }));
  }
}
