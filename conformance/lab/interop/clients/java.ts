/**
 * The clients in Java.
 *
 * @module
 */

import { access } from "node:fs/promises";
import { join } from "node:path";
import { createMockServer } from "../../../../mock/server.ts";
import { commandClient } from "../../../client/subject.ts";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** What makes a program start sooner, which is most of what a check takes. */
const SOONER = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** How many inputs are tried for a rule: to start takes a second all the same. */
const MAX_RUNS = 3;

const NO_ERROR =
  "`OllamaApi.ProgressResponse` has no `error` and ignores unknown fields, so an error line " +
  "is an ordinary update";

const NO_TEXT =
  "`Ollama.doPullModel` expects `error` to be a string, and reports only that it cannot " +
  "convert an object to one";

/** Builds the drivers, and returns the command that runs one of them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "java",
    sources: driverPath("java"),
    steps: (folder) => [{
      command: ["mvn", "--batch-mode", "--quiet", `-Ddrivers.directory=${folder}`, "package"],
      cwd: "src",
    }],
  });
  const main = ["-cp", join(folder, "drivers.jar"), driver];
  const archive = join(folder, `${driver}.jsa`);
  await archiveClasses(archive, main);
  return ["java", ...SOONER, `-XX:SharedArchiveFile=${archive}`, ...main];
}

/** Keeps the classes that a pull loads in a file, which halves the time that a program takes to start. */
async function archiveClasses(archive: string, main: readonly string[]): Promise<void> {
  if (await access(archive).then(() => true, () => false)) return;
  await using server = await createMockServer({ models: ["tiny"] }).listen();
  const client = commandClient(["java", `-XX:ArchiveClassesAtExit=${archive}`, ...main]);
  await client.pull({
    host: server.url,
    fetch,
    model: "tiny",
    signal: new AbortController().signal,
    onUpdate: () => {},
  });
}

/** The clients. */
export const javaClients: readonly Subject[] = [
  drivenClient({
    name: "Spring AI (Java)",
    version: "2.0.1",
    needs: ["java", "maven"],
    maxRuns: MAX_RUNS,
    command: (workshop) => command(workshop, "SpringAi"),
    breaks: {
      "C-REQ-5": "`WebClient` treats an answer with status 307 as empty",
      "C-FRAME-7":
        "`WebClient` accepts objects up to 256 KiB, unless an app sets `maxInMemorySize`",
      "C-DIALECT-5":
        "`WebClient` does not read JSON with the type `text/plain`, which this dialect uses",
      "C-DONE-3": "`pullModel` reads to the end of the answer, and fails if the connection breaks",
      "C-ERR-1": NO_ERROR,
      "C-ERR-2": NO_ERROR,
      "C-ERR-3": NO_ERROR,
      "C-ERR-4": NO_ERROR,
      "C-HTTP-4":
        "the `WebClientResponseException` of `pullModel` reports the status, but not the body",
      "C-END-1":
        "`OllamaApi.pullModel` passes on the objects of the body (`bodyToFlux`), and completes when " +
        "the body ends, whatever the last status was",
    },
  }),
  drivenClient({
    name: "ollama4j (Java)",
    version: "1.1.6",
    reports: "outcome",
    needs: ["java", "maven"],
    maxRuns: MAX_RUNS,
    command: (workshop) => command(workshop, "Ollama4j"),
    breaks: {
      "C-DONE-3": "`Ollama.doPullModel` fails if the connection breaks, even after `success`",
      "C-FRAME-5":
        "`Ollama.doPullModel` parses every line, including blank ones, and fails on those",
      "C-ERR-4": NO_TEXT,
      "C-HTTP-4": NO_TEXT,
      "C-HTTP-5":
        "`Ollama.doPullModel` parses the page as JSON, and reports an unexpected character",
      "C-HTTP-2":
        "`Ollama.doPullModel` parses the body before it checks the HTTP status, and reports an " +
        "unexpected character",
      "C-HTTP-3":
        "`Ollama.doPullModel` reports the missing `success` before it checks the HTTP status, which " +
        "it does not report",
    },
  }),
];
