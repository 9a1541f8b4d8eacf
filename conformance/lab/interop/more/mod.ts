/**
 * More clients, which are built and run by `deno task interop --more` only: they take longer to build
 * than they may in each run.
 *
 * @module
 */

import type { Subject } from "../subject.ts";
import { javaClients } from "./java.ts";
import { npmClients } from "./npm.ts";
import { pythonClients } from "./python.ts";
import { rustClients } from "./rust.ts";

/** The subjects. */
export const moreSubjects: readonly Subject[] = [
  ...npmClients,
  ...pythonClients,
  ...rustClients,
  ...javaClients,
];
