/**
 * What a stranger is: a server that is wrong in one way, and that the rules have never met.
 *
 * @module
 */

import type { RightServer, ServerOptions } from "./right_server.ts";

/** A way in which rules are known to be blind. */
export type Blindness = "states" | "bounds" | "bytes" | "requests" | "failures";

/** A server that is wrong in one way. */
export interface Stranger {
  /** Its name: what it does wrong. */
  readonly name: string;
  readonly kind: Blindness;
  /** The sentence that it breaks, of the spec, of what was observed, or of HTTP. */
  readonly breaks: string;
  /** The rule that says so, if there is one. */
  readonly rule?: string;
  /** When a user would see it. */
  readonly how: string;
  /** Makes the server, which has not started yet. */
  readonly make: (options?: ServerOptions) => RightServer;
}
