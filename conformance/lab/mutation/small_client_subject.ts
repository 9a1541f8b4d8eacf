/**
 * The small client of the zoo as a subject of the suite.
 *
 * @module
 */

import type { ClientSubject } from "../../client/subject.ts";
import { pullWith, TIME_LIMIT_MS } from "../zoo/client_parts.ts";

/** The small client. */
export const smallClient: ClientSubject = {
  name: "a small client",
  reports: "statuses",
  transport: "in-process",
  timeLimitMs: TIME_LIMIT_MS,
  pull: pullWith({}),
};
