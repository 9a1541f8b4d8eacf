/**
 * The implementations that the suites are run against.
 *
 * @module
 */

import { curl } from "./clients/curl.ts";
import { goClients } from "./clients/go.ts";
import { javaClients } from "./clients/java.ts";
import { ownCommands } from "./clients/kit.ts";
import { ollamaCli } from "./clients/ollama_cli.ts";
import { ollamaJs } from "./clients/ollama_js.ts";
import { pythonClients } from "./clients/python.ts";
import { rustClients } from "./clients/rust.ts";
import { moreSubjects } from "./more/mod.ts";
import { ownMocks } from "./servers/mocks.ts";
import { referenceServers } from "./servers/reference.ts";
import type { Subject } from "./subject.ts";

export type { Subject } from "./subject.ts";

/** The subjects: third-party ones, and ours. */
export const subjects: readonly Subject[] = [
  ...referenceServers,
  ...ownMocks,
  ollamaCli,
  ...goClients,
  ...pythonClients,
  ollamaJs,
  ...rustClients,
  ...javaClients,
  curl,
  ...ownCommands,
];

/** The subjects, including those with a separate run. */
export const everySubject: readonly Subject[] = [...subjects, ...moreSubjects];
