/**
 * Shows that the package, installed by npm and bundled, works in a page in every engine. With
 * `SCREENSHOT=1`, takes the picture for the guide again.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, it } from "node:test";
import { readText } from "../project.ts";
import { typeScriptExamples } from "../readme.ts";
import { describeInEngines } from "./browsers/describe.ts";
import type { Browser, Engine, Page } from "./browsers/engine.ts";
import {
  barIn,
  click,
  recipeFiles,
  shownIn,
  statusIn,
  waitForBar,
  waitForFailure,
  waitForStatus,
} from "./browsers/recipe_page.ts";
import { describeSharedPull } from "./browsers/shared_pull.ts";
import { scriptFile, serveSite, type SiteFiles } from "./browsers/site.ts";
import type { Findings } from "./program.ts";
import { verdictsOfSources } from "./sources.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";
import { countLeft, startUpstream } from "./upstream.ts";

/** The first examples of README.md, each with a pattern for the last line that it prints. */
const EXAMPLES = [
  { of: "the streams", file: "streams.ts", lastLine: /^success 100 %/ },
  { of: "pull", file: "pull.ts", lastLine: /^(\d+) of \1 bytes, \d+ layers$/ },
];

/** The files that are served to the browsers. */
async function makeFiles(): Promise<SiteFiles> {
  await using consumer = await installWithNpm(TOOLS.esbuild);
  const files = new Map(await recipeFiles(consumer));
  const serve = async (path: string, entry: string) => {
    files.set(path, scriptFile(await bundle(consumer, entry)));
  };
  await serve("/program.js", "program.ts");
  const examples = typeScriptExamples(await readText("README.md"));
  for (const [index, { file }] of EXAMPLES.entries()) {
    await consumer.write({ [file]: examples[index]! });
    await serve(`/${file}`, file);
  }
  return files;
}

const files = await makeFiles();
const site = serveSite(files);

/** A host name for the site that the real server does not allow. Browsers resolve it to this machine. */
const FOREIGN_HOST = "elsewhere.localhost";

/** The tests of one engine. */
function testIn(engine: Engine): void {
  let browser: Browser | undefined;
  before(async () => void (browser = await engine.start()));
  after(() => browser?.close());

  /** Opens the page, optionally for a server. Fails if an error in the page is not caught. */
  async function usePage(
    use: (page: Page) => Promise<void>,
    { server = "", host = "127.0.0.1" } = {},
  ): Promise<void> {
    const page = await browser!.open(`http://${host}:${site.addr.port}/?host=${server}`);
    try {
      await use(page);
      assertEquals(await page.evaluate("problems"), []);
    } finally {
      await page.close();
    }
  }

  it("keeps the same rules, and finds the same ones broken, as the sources", () =>
    usePage(async (page) => {
      const run = 'import("/program.js").then(({ tryPackage }) => tryPackage())';
      const { runtime, verdicts } = await page.evaluate<Findings>(run);
      assertMatch(runtime, engine.runtime);
      assertEquals(verdicts, await verdictsOfSources());
    }));

  for (const { of, file, lastLine } of EXAMPLES) {
    it(`runs README.md's example of ${of}`, () =>
      usePage(async (page) => {
        const lines = await page.evaluate<string[]>(`(async () => {
          const lines = [];
          console.log = (...words) => lines.push(words.join(" "));
          await import("/${file}");
          return lines;
        })()`);
        assertMatch(lines.at(-1) ?? "", lastLine);
      }));
  }

  it("shows live bars, cancels and resumes, across origins", async () => {
    const layers = [1.2e9, 3e8, 2.5e8].map((size) => ({ size }));
    const models = [{ name: "llama3.2", layers }];
    await using upstream = await startUpstream({ models, dialect: "v0.33", bytesPerSecond: 4e8 });
    await usePage(async (page) => {
      const origin = await page.evaluate("location.origin");
      assert(origin !== new URL(upstream.url).origin);

      await click(page, "start");
      await waitForBar(page, 0.6);
      assertMatch(String(await shownIn(page)), /^Downloading,.*[\d.]+ [MG]B,[\d.]+ [MG]B\/s/);
      await click(page, "cancel");
      await waitForStatus(page, "Cancelled");
      assertEquals(await upstream.nextOutcome(), "cancelled");
      assert(await barIn(page) < 1);

      await click(page, "start");
      await waitForBar(page, 1);
      assertEquals([await statusIn(page), await upstream.nextOutcome()], [
        "Ready to use",
        "finished",
      ]);
    }, { server: upstream.url });
  });

  it("survives network failures, and leaves nothing open", () =>
    usePage((page) =>
      // which stays open until they are counted: closing it would close all
      countLeft((host) =>
        page.evaluate(`import("/program.js").then(({ tryNetwork }) => tryNetwork("${host}"))`)
      )
    ));

  it("says why a pull failed", async () => {
    const models = [{ name: "llama3.2", layers: [{ size: 1_000 }] }];
    await using upstream = await startUpstream({ models, faults: [{ kind: "disk-full" }] });
    await usePage(async (page) => {
      await click(page, "start");
      await waitForFailure(page);
      assertMatch(await statusIn(page), /no space left on device/);
    }, { server: upstream.url });
  });

  it("says why it tries again, and succeeds", async () => {
    const models = [{ name: "llama3.2", layers: [{ size: 1_000 }] }];
    const faults = [{ kind: "error", message: "max retries exceeded: EOF", times: 1 }] as const;
    await using upstream = await startUpstream({ models, faults });
    await usePage(async (page) => {
      await click(page, "start");
      await waitForStatus(page, "max retries exceeded: EOF. Another attempt in ");
      await waitForStatus(page, "Ready to use");
    }, { server: upstream.url });
  });

  it("says that a server which does not allow the page's origin cannot be reached", async () => {
    await using upstream = await startUpstream({});
    await usePage(async (page) => {
      await click(page, "start");
      await waitForStatus(page, "Cannot reach");
      assertMatch(await statusIn(page), /OLLAMA_ORIGINS/);
    }, { server: upstream.url, host: FOREIGN_HOST });
  });

  it("may call from an origin that the server allows", async () => {
    const origins = [`http://${FOREIGN_HOST}:${site.addr.port}`];
    await using upstream = await startUpstream({ origins, bytesPerSecond: 1e11 });
    await usePage(async (page) => {
      await click(page, "start");
      await waitForBar(page, 1);
      assertEquals(await upstream.nextOutcome(), "finished");
    }, { server: upstream.url, host: FOREIGN_HOST });
  });
}

describeInEngines("the package from npm", testIn);
describeSharedPull(files);
