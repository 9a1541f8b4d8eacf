/**
 * Thirty broken pull servers, and the right one that they are made from.
 *
 * @module
 */

import { bounds } from "./bounds.ts";
import { bytes } from "./bytes.ts";
import { failures } from "./failures.ts";
import { requests } from "./requests.ts";
import { RightServer } from "./right_server.ts";
import { states } from "./states.ts";
import type { Stranger } from "./stranger.ts";

export { type Layer, type LayerFault, layerOf, Registry } from "./registry.ts";
export { RightServer, type RunningServer, type ServerOptions } from "./right_server.ts";
export type { Blindness, Stranger } from "./stranger.ts";

/** The server that breaks nothing: what it fails is a fault of the rules, or of the strangers' core. */
export const rightServer: Pick<Stranger, "name" | "make"> = {
  name: "the right server",
  make: (options) => new RightServer(options),
};

/** The servers that are wrong in one way each. */
export const strangers: readonly Stranger[] = [
  ...states,
  ...bounds,
  ...bytes,
  ...requests,
  ...failures,
];
