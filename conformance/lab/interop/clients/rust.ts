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
        "`pull_model_stream` makes the body the whole error, so one that says nothing hides the status",
      "C-DONE-3": "the stream of `pull_model_stream` fails where the connection breaks",
      "C-FRAME-5":
        "`pull_model_stream` passes over lines that are empty, but not over one with a lone CR",
      "C-FRAME-6":
        "`pull_model_stream` takes lines out of its buffer up to a newline, and drops what is left in " +
        "it at the end",
      "C-OBJ-2": NO_STATUS,
      "C-DIALECT-5": NO_STATUS,
      "C-ERR-4": NO_STATUS,
      "C-HTTP-2":
        "`pull_model_stream` makes the body the whole error (`OllamaError::Other`), without the HTTP " +
        "status",
      "C-HTTP-3":
        "`pull_model_stream` makes the body the whole error, so an error without a body has an empty " +
        "message",
      "C-HTTP-5": "`pull_model_stream` parses the page as JSON, and does not tell what came",
      "C-END-1":
        "the stream of `pull_model_stream` ends without an error when the body does, whatever the " +
        "last status was",
      "C-END-2": "`pull_model_stream` drops half a line that is left in its buffer at the end",
    },
  }),
];
