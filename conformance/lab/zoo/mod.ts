/**
 * The zoo: implementations that are each wrong in one way, and prove by it that the rules bite.
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
