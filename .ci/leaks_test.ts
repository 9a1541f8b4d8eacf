/**
 * Shows that a pull that is abandoned, in any state, leaves nothing open: not on the server and, according to
 * Deno's leak checks, not in the client either. (`node:test` has no such checks.)
 *
 * @module
 */

import { tryNetwork } from "./runtimes/program.ts";
import { countLeft } from "./runtimes/upstream.ts";

Deno.test(
  "leaves nothing open, in the client or on the server, when a pull is abandoned",
  { sanitizeOps: true, sanitizeResources: true },
  () => countLeft(tryNetwork),
);
