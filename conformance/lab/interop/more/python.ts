/**
 * The clients in Python.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Makes an environment with the packages, and returns the command that runs a driver in it. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "more-python",
    sources: driverPath("more/python"),
    steps: () => [
      { command: ["python3", "-m", "venv", "."] },
      { command: ["bin/pip", "install", "--quiet", "--requirement", "src/requirements.txt"] },
    ],
  });
  return [join(folder, "bin/python"), join(folder, "src", driver)];
}

const NO_ERROR =
  "`execute_pull_streaming` yields an object with `error` like any other, and the agent that " +
  "calls it checks only `status`";

const PASSED_OVER = "`execute_pull_streaming` skips every line that `json.loads` rejects";

const NO_FIELD =
  "`ProgressResponse` has no `error`, so an error line is an update without a status";

/** The clients. */
export const pythonClients: readonly Subject[] = [
  drivenClient({
    name: "cxai-client (Python)",
    version: "3.0.0",
    needs: ["python"],
    maxRuns: 2, // it takes a second or more to start
    command: (workshop) => command(workshop, "cxai.py"),
    breaks: {
      "C-FRAME-9":
        "`_stream_request` uses `iter_lines` of httpx, which splits wherever `str.splitlines` does",
      "C-ERR-1": NO_FIELD,
      "C-ERR-2": NO_FIELD,
      "C-ERR-3": NO_FIELD,
      "C-ERR-4": NO_FIELD,
      "C-HTTP-5":
        "`_stream_request` parses the page as JSON, and its message mentions only the unexpected " +
        "character",
      "C-END-1": "`pull_stream` ends when the lines end, and does not check for `success`",
    },
  }),
  drivenClient({
    name: "propagul (Python)",
    version: "0.9.0",
    needs: ["python"],
    command: (workshop) => command(workshop, "propagul_mesh.py"),
    breaks: {
      "C-FRAME-8": PASSED_OVER,
      "C-ERR-1": NO_ERROR,
      "C-ERR-2": NO_ERROR,
      "C-ERR-3": NO_ERROR,
      "C-ERR-4": NO_ERROR,
      "C-HTTP-4":
        "`execute_pull_streaming` reports the text of `HTTPError`, which is the status, and does " +
        "not read the body",
      "C-HTTP-5": PASSED_OVER,
      "C-END-1":
        "`execute_pull_streaming` ends when the lines end, and does not check for `success`",
      "C-END-2": PASSED_OVER,
      "C-END-3":
        "`execute_pull_streaming` iterates over the answer of `urllib`, which treats a truncated " +
        "chunked body as complete (`HTTPResponse._peek_chunked`)",
    },
  }),
];
