/**
 * The implementations that the suites are run against.
 *
 * @module
 */

import { curl } from "./clients/curl.ts";
import { ownCommands } from "./clients/kit.ts";
import { ollamaCli } from "./clients/ollama_cli.ts";
import { ollamaJs } from "./clients/ollama_js.ts";
import { ownMocks } from "./servers/mocks.ts";
import { referenceServers } from "./servers/reference.ts";
import type { Subject } from "./subject.ts";

export type { Subject } from "./subject.ts";

/** The subjects: those of others, and ours. */
export const subjects: readonly Subject[] = [
  ...referenceServers,
  ...ownMocks,
  ollamaCli,
  ollamaJs,
  curl,
  ...ownCommands,
];
