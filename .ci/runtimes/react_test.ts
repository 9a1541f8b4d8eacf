/**
 * Shows that the recipe for a React page with a pool of downloads works in every engine, with the package from
 * npm, React, and an app's server between the page and Ollama.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, it } from "node:test";
import { createMockServer, type MockServer } from "../../mock/mod.ts";
import { readText, ROOT } from "../project.ts";
import { describeInEngines } from "./browsers/describe.ts";
import type { Browser, Engine, Page } from "./browsers/engine.ts";
import { scriptFile, serveSite, watched } from "./browsers/site.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";

const RECIPE = "mock/recipes/react";

/** How long the page may take to show something on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;

const TOKEN = "a-token";

const MODELS = ["llama3.2", "mistral", "qwen3", "gemma3"].map((name) => ({
  name,
  layers: [{ size: 2_000_000_000 }, { size: 10_000 }],
}));

/** The recipe, bundled as its page loads it. */
async function bundleRecipe(): Promise<string> {
  await using consumer = await installWithNpm(TOOLS.esbuild, TOOLS.react, TOOLS.reactDom);
  await cp(join(ROOT, RECIPE), join(consumer.folder, "react"), { recursive: true });
  const options = ["--jsx=automatic", '--define:process.env.NODE_ENV="production"'];
  return await bundle(consumer, "react/main.jsx", ...options);
}

let ollama: MockServer;

/** An app's server, with errors in the style of FastAPI. Behind it is Ollama, in virtual time. */
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname !== "/backend/models/download") {
    return Response.json({ detail: "Not Found" }, { status: 404 });
  }
  if (request.headers.get("Authorization") !== `Bearer ${TOKEN}`) {
    return Response.json({ detail: "Your session has expired" }, { status: 401 });
  }
  const { method, body } = request;
  return await ollama.fetch("http://ollama.test/api/pull", { method, body });
}

const files = new Map([
  ["/", watched(await readText(`${RECIPE}/index.html`))],
  ["/bundle.js", scriptFile(await bundleRecipe())],
]);
const site = serveSite(files, answer);

/** The rows of the page: the model, the percentage, the label of the button, and the message. */
const ROWS = `Array.from(document.querySelectorAll("li"), (row) =>
  ["strong", "span", "button", "p"].map((part) => row.querySelector(part).textContent))`;

/** Waits until the rows meet a condition. */
const waitForRows = (page: Page, condition: string) =>
  page.evaluate<string[][]>(`new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const look = () => {
      const rows = ${ROWS};
      if (${condition}) return resolve(rows);
      if (performance.now() - startedAt > ${PATIENCE_MS}) return reject(new Error(String(rows)));
      setTimeout(look, 10);
    };
    look();
  })`);

/** Waits until the row of a model has a message that matches, and returns it. */
async function waitForMessage(page: Page, model: string, message: RegExp): Promise<string> {
  const isThere = `rows.some((row) => row[0] === "${model}" && ${message}.test(row[3]))`;
  const rows = await waitForRows(page, isThere);
  return rows.find(([name]) => name === model)![3]!;
}

/** Enters a model as a person would, and clicks on the button. */
const enter = (page: Page, model: string) =>
  page.evaluate(`(() => {
    document.querySelector("input").value = "${model}";
    document.querySelector("[type=submit]").click();
  })()`);

const updateAll = (page: Page) =>
  page.evaluate(`document.querySelector("form > [type=button]").click()`);

/** Clicks on the button in the row of a model. */
const clickIn = (page: Page, model: string) =>
  page.evaluate(`Array.from(document.querySelectorAll("li"))
    .find((row) => row.querySelector("strong").textContent === "${model}")
    .querySelector("button").click()`);

/** Makes the pull of a model wait half-way. */
const holdHalfWay = (model: string) => ollama.hold({ model, at: { completed: "50%" } });

/** The tests of one engine. */
function testIn(engine: Engine): void {
  let browser: Browser | undefined;
  before(async () => void (browser = await engine.start()));
  after(() => browser?.close());
  beforeEach(() => void (ollama = createMockServer({ models: MODELS, dialect: "v0.33" })));

  /** Opens the page for a user with a token. Fails if an error in the page is not caught. */
  async function usePage(use: (page: Page) => Promise<void>): Promise<void> {
    const page = await browser!.open(`http://127.0.0.1:${site.addr.port}/`);
    try {
      await page.evaluate(`localStorage.setItem("token", "${TOKEN}")`);
      await waitForRows(page, 'document.querySelector("input")');
      await use(page);
      assertEquals(await page.evaluate("problems"), []);
    } finally {
      await page.close();
    }
  }

  it("downloads three models at a time, and the rest in turn", () =>
    usePage(async (page) => {
      const holds = MODELS.map(({ name }) => holdHalfWay(name));
      for (const { name } of MODELS) await enter(page, name);
      await waitForRows(page, 'rows.filter((row) => row[1] === "50%").length === 3');
      await waitForMessage(page, "gemma3", /^Waiting/);
      assertEquals(ollama.requests.length, 3);

      holds[0]!.release();
      await waitForMessage(page, "llama3.2", /^Ready/);
      await waitForRows(page, 'rows[3][1] === "50%"');
      for (const hold of holds) hold.release();
      await waitForRows(page, 'rows.filter((row) => row[3].startsWith("Ready")).length === 4');
    }));

  it("downloads a model once, however often and in whatever form it is entered", () =>
    usePage(async (page) => {
      const hold = holdHalfWay("qwen3");
      for (const name of ["qwen3", "qwen3", "qwen3:latest"]) await enter(page, name);
      const [[model, percent, action] = []] = await waitForRows(page, 'rows[0]?.[1] === "50%"');
      assertEquals([model, percent, action], ["qwen3", "50%", "cancel"]);
      hold.release();
      await waitForMessage(page, "qwen3", /^Ready/);
      assertEquals(ollama.requests.length, 1);
      await clickIn(page, "qwen3");
      await waitForRows(page, "rows.length === 0");
    }));

  it("cancels a download, and resumes it", () =>
    usePage(async (page) => {
      holdHalfWay("qwen3");
      await enter(page, "qwen3");
      await waitForRows(page, 'rows[0]?.[1] === "50%"');
      await clickIn(page, "qwen3");
      await waitForMessage(page, "qwen3", /^Cancelled/);
      assertEquals((await ollama.requestEnded(1)).outcome, "cancelled");
      await enter(page, "qwen3");
      await waitForMessage(page, "qwen3", /^Ready/);
    }));

  it("updates all models, with a percentage for each", () =>
    usePage(async (page) => {
      for (const { name } of MODELS) await ollama.install({ name, size: 1_000_000 });
      const holds = ["llama3.2", "mistral"].map(holdHalfWay);
      await updateAll(page);
      const rows = await waitForRows(page, 'rows.filter((row) => row[1] === "50%").length === 2');
      assertEquals(rows.map(([model]) => model), ["llama3.2", "mistral"]);
      for (const hold of holds) hold.release();
      await waitForRows(
        page,
        'rows.every((row) => row[1] === "100%" && row[3] === "Ready to use")',
      );
    }));

  it("says why a download failed, in the words of whoever refused it", () =>
    usePage(async (page) => {
      await enter(page, "unknown");
      await waitForMessage(page, "unknown", /file does not exist/);
      await enter(page, "no name!");
      await waitForMessage(page, "no name!", /^Cannot /);
      await page.evaluate('localStorage.setItem("token", "an old one")');
      await enter(page, "qwen3");
      const message = await waitForMessage(page, "qwen3", /^HTTP/);
      assertMatch(message, /401 .*: Your session has expired$/);
    }));
}

describeInEngines("the recipe for a page with React", testIn);
