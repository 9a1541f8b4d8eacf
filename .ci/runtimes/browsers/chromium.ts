/**
 * Chromium.
 *
 * @module
 */

import { type Engine, findProgram } from "./engine.ts";
import { startWithPuppeteer } from "./puppeteer.ts";

const program = findProgram(
  Deno.env.get("CHROMIUM"),
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
);

const LACKS = "there is no Chromium: `apt-get install chromium`, or get Chrome, " +
  "or set CHROMIUM to the path of the program";

/** Chromium must make no requests of its own. For root there is no sandbox. */
const ARGS = [
  ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Chromium, or Chrome. */
export const chromium: Engine = {
  name: "Chromium",
  runtime: /^Chrome \d+/,
  versionCommand: [program ?? "chromium", "--version"],
  ...(program === undefined && { lacks: LACKS }),
  start: () => startWithPuppeteer({ executablePath: program!, args: ARGS }),
};
