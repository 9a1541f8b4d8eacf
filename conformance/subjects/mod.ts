/**
 * The implementations that the suites are run against.
 *
 * @module
 */

import { curl } from "./curl.ts";
import { ollamaJs } from "./ollama_js.ts";
import { mocks, ownClient, ownDecoder } from "./own.ts";
import type { Subject } from "./subject.ts";

export type { Subject } from "./subject.ts";

const ownClients = [ownClient("network"), ownDecoder("network")];

/** The subjects: ours, and those of others. */
export const subjects: readonly Subject[] = [
  ...mocks.map((implementation): Subject => ({ side: "server", implementation, breaks: {} })),
  ...ownClients.map((implementation): Subject => ({ side: "client", implementation, breaks: {} })),
  ollamaJs,
  curl,
];
