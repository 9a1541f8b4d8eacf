/**
 * The clients that npm has.
 *
 * @module
 */

import { join } from "node:path";
import { drivenClient, driverPath } from "../driver.ts";
import type { Subject } from "../subject.ts";
import type { Workshop } from "../workshop.ts";

/** Installs the clients, and returns the command that runs a driver beside them. */
async function command(workshop: Workshop, driver: string): Promise<readonly string[]> {
  const folder = await workshop.build({
    name: "npm",
    sources: driverPath("more/javascript"),
    steps: () => [{ command: ["npm", "install", "--ignore-scripts"], cwd: "src" }],
  });
  return ["node", join(folder, "src", driver)];
}

/** The clients. */
export const npmClients: readonly Subject[] = [
  drivenClient({
    name: "llm-checker (npm)",
    version: "3.8.1",
    reports: "outcome", // its updates have no digest, by which layers are told apart
    needs: ["node"],
    command: (workshop) => command(workshop, "llm_checker.mjs"),
    breaks: {
      "C-FRAME-8": "`pullModel` continues after a line that `JSON.parse` rejects",
      "C-ERR-4": "`pullModel` uses `error` as the message, whatever its type",
      "C-HTTP-4": "`pullModel` reports the status, and does not read the body",
      "C-HTTP-5": "`pullModel` skips the page, and reports that there was no `success`",
    },
  }),
];
