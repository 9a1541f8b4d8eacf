/**
 * The zoo: implementations that are each wrong in one way, to prove that the rules catch them.
 *
 * @module
 */

import type { ClientSubject } from "../../client/subject.ts";
import { clientSpecimens as statusSpecimens } from "./clients.ts";
import { progressSpecimens } from "./progress_clients.ts";
import type { Specimen } from "./specimen.ts";

export { serverSpecimens } from "./servers.ts";
export type { Specimen } from "./specimen.ts";

/** The clients, of both kinds. */
export const clientSpecimens: readonly Specimen<ClientSubject>[] = [
  ...statusSpecimens,
  ...progressSpecimens,
];
