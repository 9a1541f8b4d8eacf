/**
 * Shows that a pull that is left, in whatever state, leaves nothing open: not on the server, and, as
 * Deno's leak checks see it, nothing in the client either. (`node:test` does without these checks.)
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
