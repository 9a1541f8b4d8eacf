/**
 * Clients that are wrong in one way each, written from the text of the rules alone, before any check was
 * run against them. They measure how many faults the suite catches that it was not written for.
 *
 * @module
 */

import { commandClients } from "./commands.ts";
import { contentClients } from "./content.ts";
import { framingClients } from "./framing.ts";
import { requestClients } from "./requests.ts";
import type { StrangerClient } from "./specimen.ts";
import { stateClients } from "./states.ts";
import { timeClients } from "./time.ts";

export { rightCommand } from "./commands.ts";
export { rightProgressClient } from "./progress.ts";
export { rightClient } from "./right_client.ts";
export type { Difficulty, StrangerClient } from "./specimen.ts";

/** All clients, by the kind of their fault. */
export const strangerClients: readonly StrangerClient[] = [
  ...framingClients,
  ...contentClients,
  ...stateClients,
  ...requestClients,
  ...timeClients,
  ...commandClients,
];
