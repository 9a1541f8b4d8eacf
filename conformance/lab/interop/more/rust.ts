/**
 * The clients in Rust.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Builds the drivers, and returns the command that runs one of them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "more-rust",
    sources: driverPath("more/rust"),
    steps: () => [{ command: ["cargo", "build", "--quiet", "--target-dir=.."], cwd: "src" }],
  });
  return [join(folder, "debug", driver)];
}

/** What both of them break. */
const BREAKS: Subject["breaks"] = {
  "C-HTTP-3":
    "the stream does not check the HTTP status, so an error without a body is a pull without " +
    "updates",
  "C-END-1": "the stream ends when the body does, whatever the last status was",
};

const NATIVE = {
  chunk: "`parse_chunks` assumes that each chunk of the body contains whole lines",
  status: "`PullModelStreamingResponse` requires `status`, so an object without it is a JSON error",
};

const REST = {
  chunk: "`pull_model_streamed` assumes that each chunk of the body is one object",
  status:
    "`ModelPullStatus` requires `status`, and the JSON error for an object without it does not " +
    "quote the object",
  download:
    "`ModelDownloadStatus` requires `digest` and `total`, and a download without one of them is " +
    "dropped from the update",
};

/** The clients. */
export const rustClients: readonly Subject[] = [
  drivenClient({
    name: "ollama-native (Rust)",
    version: "1.0.2",
    needs: ["cargo"],
    command: (workshop) => command(workshop, "ollama-native"),
    breaks: {
      ...BREAKS,
      "C-FRAME-2": NATIVE.chunk,
      "C-FRAME-3": NATIVE.chunk,
      "C-FRAME-5": "`parse_chunks` parses every line, including blank ones, and fails on those",
      "C-FRAME-7": NATIVE.chunk,
      "C-OBJ-2": NATIVE.status,
      "C-DIALECT-5": NATIVE.status,
      "C-HTTP-2": "the stream does not check the HTTP status, and reports a line that is not JSON",
    },
  }),
  drivenClient({
    name: "ollama-rest (Rust)",
    version: "0.7.2",
    needs: ["cargo"],
    command: (workshop) => command(workshop, "ollama-rest"),
    breaks: {
      ...BREAKS,
      "C-FRAME-2": REST.chunk,
      "C-FRAME-3": REST.chunk,
      "C-FRAME-5": REST.chunk,
      "C-FRAME-7": REST.chunk,
      "C-OBJ-2": REST.status,
      "C-OBJ-6": REST.download,
      "C-OBJ-8": REST.download,
      "C-DIALECT-5": REST.status,
      "C-ERR-1": REST.status,
      "C-ERR-2": REST.status,
      "C-ERR-4": REST.status,
      "C-HTTP-1": REST.status,
      "C-HTTP-2":
        "`pull_model_streamed` parses the page as JSON, and does not check the HTTP status",
      "C-HTTP-4": REST.status,
      "C-HTTP-5":
        "`pull_model_streamed` parses the page as JSON, and does not report what it received",
    },
  }),
];
