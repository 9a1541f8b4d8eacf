/**
 * The clients in Python: the official package, in both of its forms.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { BuildPlan, Workshop } from "../workshop.ts";

/** The version of the package, as in `requirements.txt`. */
const VERSION = "0.6.3";

/** An environment with the package. */
export const pythonPlan: BuildPlan = {
  name: "python",
  sources: driverPath("python"),
  steps: () => [
    { command: ["python3", "-m", "venv", "."] },
    { command: ["bin/pip", "install", "--quiet", "--requirement", "src/requirements.txt"] },
  ],
};

/** Makes the environment, and returns the command that runs a driver in it. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build(pythonPlan);
  return [join(folder, "bin/python"), join(folder, "src", driver)];
}

/** What both of them break. */
const BREAKS: Subject["breaks"] = {
  "C-DONE-3": "`_request` reads to the end of the answer, and httpx fails if the connection breaks",
  "C-FRAME-5":
    "`_request` passes every line of the stream to `json.loads`, which raises an error for " +
    "blank ones",
  "C-FRAME-9": "`_request` uses `iter_lines` of httpx, which splits wherever `str.splitlines` does",
  "C-ERR-4":
    "`ResponseError` parses its message as JSON, which fails with a `TypeError` if the message " +
    "is an object",
  "C-HTTP-5":
    "`_request` passes the page to `json.loads`, whose error does not say what it received",
  "C-END-1":
    "the generator in `_request` ends when the lines end, and does not check for `success`",
};

/** The clients. */
export const pythonClients: readonly Subject[] = [
  drivenClient({
    name: "ollama (Python)",
    version: VERSION,
    needs: ["python"],
    command: (workshop) => command(workshop, "ollama_sync.py"),
    breaks: BREAKS,
  }),
  drivenClient({
    name: "ollama (Python, async)",
    version: VERSION,
    needs: ["python"],
    command: (workshop) => command(workshop, "ollama_async.py"),
    breaks: BREAKS,
  }),
];
