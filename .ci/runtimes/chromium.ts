/**
 * Where Chromium is on this machine, and how to get it.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The names of browsers that will do. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const MAC_APPLICATIONS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Says, in one line, what to do where there is none. */
export const HOW_TO_GET_CHROMIUM = "there is no Chromium: `apt-get install chromium`, " +
  "or get Chrome, or set CHROMIUM to the path of the program";

/** The path of the program, if there is one. */
export function findChromium(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  const candidates = [
    Deno.env.get("CHROMIUM") ?? "",
    ...folders.flatMap((folder) => PROGRAMS.map((program) => join(folder, program))),
    ...MAC_APPLICATIONS,
  ];
  return candidates.find((path) => path !== "" && existsSync(path));
}

/** Its options: with no screen, and nothing of its own on the network. Root has no sandbox. */
export const CHROMIUM_ARGS: readonly string[] = [
  ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
