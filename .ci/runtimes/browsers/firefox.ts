/**
 * Firefox, over WebDriver BiDi.
 *
 * @module
 */

import { type Engine, findProgram } from "./engine.ts";
import { startWithPuppeteer } from "./puppeteer.ts";

const program = findProgram(
  Deno.env.get("FIREFOX"),
  "firefox",
  "firefox-esr",
  "/Applications/Firefox.app/Contents/MacOS/firefox",
);

const LACKS = "there is no Firefox: `apt-get install firefox-esr`, " +
  "or set FIREFOX to the path of the program";

/** Firefox. */
export const firefox: Engine = {
  name: "Firefox",
  runtime: /^Firefox \d+/,
  versionCommand: [program ?? "firefox", "--version"],
  ...(program === undefined && { lacks: LACKS }),
  start: () => startWithPuppeteer({ browser: "firefox", executablePath: program! }),
};
