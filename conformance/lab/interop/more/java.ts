/**
 * The clients in Java.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** What makes a program start sooner, which is most of what a check takes. */
const SOONER = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** How many inputs are tried for a rule: to start takes a second all the same. */
const MAX_RUNS = 3;

const NO_ERROR =
  "`PullAsyncLine` has no `error` and ignores unknown fields; only the text `file does not " +
  "exist` is recognized";

const NO_STATUS = "`pullAsync` does not check the HTTP status";

/** Builds the drivers, and returns the command that runs one of them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "more-java",
    sources: driverPath("more/java"),
    steps: (folder) => [{
      command: ["mvn", "--batch-mode", "--quiet", `-Ddrivers.directory=${folder}`, "package"],
      cwd: "src",
    }],
  });
  return ["java", ...SOONER, "-cp", join(folder, "more-drivers.jar"), driver];
}

/** The clients. */
export const javaClients: readonly Subject[] = [
  drivenClient({
    name: "Quarkus dev services (Java)",
    version: "1.2.0",
    needs: ["java", "maven"],
    reports: "outcome", // its updates have no digest, by which layers are told apart
    maxRuns: MAX_RUNS,
    command: (workshop) => command(workshop, "QuarkusDevServices"),
    breaks: {
      "C-ERR-1": NO_ERROR,
      "C-ERR-2": NO_ERROR,
      "C-ERR-3": NO_ERROR,
      "C-ERR-4": NO_ERROR,
      "C-HTTP-1": NO_STATUS,
      "C-HTTP-2": NO_STATUS,
      "C-HTTP-3": NO_STATUS,
      "C-HTTP-4": NO_STATUS,
      "C-HTTP-5":
        "`PullAsyncLineSubscriber` parses the page as JSON, and reports an unexpected character",
      "C-END-1":
        "`PullAsyncLineSubscriber` completes when the body ends, whatever the last status was",
    },
  }),
];
