/**
 * The command line of the reference implementation: `ollama pull`.
 *
 * @module
 */

import { drivenClient } from "../driver.ts";
import { buildReference, CURRENT_VERSION } from "../servers/reference.ts";
import { OFFICIAL_BREAKS } from "./go.ts";

/** The client. It draws bars for people, so that what it makes of a pull is its exit code. */
export const ollamaCli = drivenClient({
  name: "ollama pull",
  version: CURRENT_VERSION,
  reports: "outcome",
  needs: ["go"],
  breaks: OFFICIAL_BREAKS,
  command: async (workshop) => [await buildReference(workshop, CURRENT_VERSION), "pull"],
});
