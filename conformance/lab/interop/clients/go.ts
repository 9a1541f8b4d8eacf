/**
 * The clients in Go.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import { CURRENT_VERSION } from "../servers/reference.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Builds the drivers, and returns the command that runs one of them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "go",
    sources: driverPath("go"),
    steps: () => [{ command: ["go", "build", "-o", "../", "./..."], cwd: "src" }],
  });
  return [join(folder, driver)];
}

const NO_LINE =
  "`Client.stream` checks the HTTP status only after it has read a line, so an error without " +
  "a body is a success";

const NO_TEXT =
  "`Client.stream` expects `error` to be a string, and otherwise reports only the wrong type";

/** What the official client breaks, and with it the command line, which is built on it. */
export const OFFICIAL_BREAKS: Subject["breaks"] = {
  "C-ERR-4":
    "if `error` is not a string, `Client.stream` uses the whole line as the message, with all " +
    "its escapes",
  "C-DONE-3": "`Client.stream` reads to the end of the answer, and fails if the connection breaks",
  "C-FRAME-5":
    "`Client.stream` parses every line, including blank ones, and fails on those with an empty " +
    "message",
  "C-HTTP-3": NO_LINE,
  "C-HTTP-4":
    "`Client.stream` keeps only the `error` field of an object, and nothing if there is none",
  "C-END-1": "`Client.Pull` returns nil when the stream ends, whatever the last status was",
};

/** The clients. */
export const goClients: readonly Subject[] = [
  drivenClient({
    name: "ollama/api (Go)",
    version: CURRENT_VERSION,
    needs: ["go"],
    command: (workshop) => command(workshop, "api"),
    breaks: OFFICIAL_BREAKS,
  }),
  drivenClient({
    name: "LangChainGo (Go)",
    version: "0.1.14",
    reports: "outcome",
    needs: ["go"],
    command: (workshop) => command(workshop, "langchaingo"),
    breaks: {
      "C-REQ-4":
        "`NewClient` treats everything after the colon in `OLLAMA_HOST` as the port, including a " +
        "path",
      "C-FRAME-5": "`Client.stream` parses every line, including blank ones, and fails on those",
      "C-ERR-4": NO_TEXT,
      "C-HTTP-2":
        "`Client.stream` parses the body as JSON before it checks the HTTP status, so it reports an " +
        "unexpected character instead of the status",
      "C-HTTP-3": NO_LINE,
      "C-HTTP-4": NO_TEXT,
      "C-HTTP-5": "`Client.stream` reports an unexpected character, not what it received",
      "C-END-1": "`Client.Pull` checks the last object for an error, not for `success`",
      "C-END-3":
        "`Client.stream` does not ask its scanner for an error (`scanner.Err`), so a broken " +
        "connection looks like the end",
    },
  }),
];
