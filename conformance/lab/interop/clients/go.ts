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
  "`Client.stream` looks at the HTTP status only when it has read a line, so an error without a body " +
  "is a success";

const NO_TEXT = "`Client.stream` wants a text for `error`, and tells only that it is none";

/** What the official client breaks, and with it the command line, which is built on it. */
export const OFFICIAL_BREAKS: Subject["breaks"] = {
  "C-ERR-4":
    "`Client.stream` makes a line whose `error` is no text the message, with all its escapes",
  "C-DONE-3": "`Client.stream` reads until the answer ends, and fails where the connection breaks",
  "C-FRAME-5":
    "`Client.stream` parses every line, blank ones too, and fails on them with an empty message",
  "C-HTTP-3": NO_LINE,
  "C-HTTP-4":
    "`Client.stream` takes `error` out of an object, and keeps nothing of one that has other fields",
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
        "`NewClient` takes all that follows the colon in `OLLAMA_HOST` for a port, a path, too",
      "C-FRAME-5": "`Client.stream` parses every line, blank ones too, and fails on them",
      "C-ERR-4": NO_TEXT,
      "C-HTTP-2":
        "`Client.stream` parses the body as JSON before it looks at the HTTP status, so it tells of a " +
        "character that it did not expect and not of the status",
      "C-HTTP-3": NO_LINE,
      "C-HTTP-4": NO_TEXT,
      "C-HTTP-5":
        "`Client.stream` tells of the character that it did not expect and not of what came",
      "C-END-1": "`Client.Pull` looks for an error in the last object, not for `success`",
      "C-END-3":
        "`Client.stream` does not ask its scanner for an error (`scanner.Err`), so a broken " +
        "connection looks like the end",
    },
  }),
];
