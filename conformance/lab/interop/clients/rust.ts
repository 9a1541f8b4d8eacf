/**
 * The clients in Rust.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { BuildPlan } from "../workshop.ts";

const NO_STATUS =
  "`PullModelStatus` requires `status` (`message: String`), so a download without it is a JSON error";

/** The driver, in the folder that Cargo builds into. */
export const rustPlan: BuildPlan = {
  name: "rust",
  sources: driverPath("rust"),
  // Into its own folder: who has another one for all that is built would find it there.
  steps: () => [{ command: ["cargo", "build", "--quiet", "--target-dir=.."], cwd: "src" }],
};

/** The clients. */
export const rustClients: readonly Subject[] = [
  drivenClient({
    name: "ollama-rs (Rust)",
    version: "0.3.6",
    needs: ["cargo"],
    async command(workshop) {
      const folder = await workshop.build(rustPlan);
      return [join(folder, "debug/ollama-rs")];
    },
    breaks: {
      "C-REQ-4": "`pull_model_stream` puts no slash between the path of a host and `api/pull`",
      "C-OBJ-4": NO_STATUS,
      "C-HTTP-1":
        "`pull_model_stream` uses the body as the whole error, so a body without a message hides " +
        "the status",
      "C-DONE-3": "the stream of `pull_model_stream` fails if the connection breaks",
      "C-FRAME-5": "`pull_model_stream` skips empty lines, but not lines with only a CR",
      "C-FRAME-6":
        "`pull_model_stream` reads lines up to a newline from its buffer, and drops the rest at the " +
        "end",
      "C-OBJ-2": NO_STATUS,
      "C-DIALECT-5": NO_STATUS,
      "C-ERR-4": NO_STATUS,
      "C-HTTP-2":
        "`pull_model_stream` uses the body as the whole error (`OllamaError::Other`), without the " +
        "HTTP status",
      "C-HTTP-3":
        "`pull_model_stream` uses the body as the whole error, so an error without a body has an " +
        "empty message",
      "C-HTTP-5":
        "`pull_model_stream` parses the page as JSON, and does not report what it received",
      "C-END-1":
        "the stream of `pull_model_stream` ends without an error when the body does, whatever the " +
        "last status was",
      "C-END-2":
        "`pull_model_stream` drops an incomplete line that is left in its buffer at the end",
    },
  }),
];
