/**
 * How servers of different versions report a pull.
 *
 * @module
 */

import { ConfigurationError } from "./configuration_error.ts";

/** The name of a dialect: `spec`, or the first version of the real server that speaks it. */
export type DialectName = "spec" | "v0.1.0" | "v0.1" | "v0.5" | "client2" | "tensor";

/** How a server reports a pull. */
export interface Dialect {
  /** The `status` of a download, or `undefined` if it has none. */
  readonly downloading: (digest: string) => string | undefined;
  /** The same, of a layer that is there already. */
  readonly cached: (digest: string) => string | undefined;
  /** Whether layers are downloaded one by one, at once, or at once and reported as one. */
  readonly layers: "sequential" | "parallel" | "aggregate";
  /** The time between two lines about a layer, in milliseconds. */
  readonly tickMs: number;
  /** Whether a download sends a line when it begins. */
  readonly announces: boolean;
  /** Whether a download sends a line when it ends. Without, its last line often falls short. */
  readonly concludes: boolean;
  /** Whether a line says that layers are verified. */
  readonly verifies: boolean;
  /** The words for removing unused layers, if it is reported. */
  readonly removing?: string;
  /** Whether it is reported even when there are none. */
  readonly alwaysRemoves: boolean;
}

/** The digest under which tensor models report all of their layers. */
export const AGGREGATE_DIGEST = "sha256:model";

const shortDigest = (digest: string) => `pulling ${digest.slice("sha256:".length).slice(0, 12)}`;
const longDigest = (digest: string) => `downloading ${digest}`;
const noWords = () => undefined;

/** The published page: each download begins without `completed`, and all final lines are sent. */
const SPEC: Dialect = {
  downloading: longDigest,
  cached: longDigest,
  layers: "sequential",
  tickMs: 60,
  announces: true,
  concludes: true,
  verifies: true,
  removing: "removing any unused layers",
  alwaysRemoves: true,
};

/** Observed: v0.1.x to v0.4. */
const V0_1: Dialect = {
  ...SPEC,
  downloading: shortDigest,
  cached: shortDigest,
  announces: false,
  concludes: false,
  alwaysRemoves: false,
};

/** The dialects by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  "spec": SPEC,
  // Observed: the published page describes it, but for this.
  "v0.1.0": { ...SPEC, cached: noWords },
  "v0.1": V0_1,
  "v0.5": { ...V0_1, removing: "removing unused layers" },
  "client2": {
    downloading: noWords,
    cached: noWords,
    layers: "parallel",
    tickMs: 100,
    announces: true,
    concludes: true,
    verifies: true,
    alwaysRemoves: false,
  },
  "tensor": {
    downloading: () => "pulling model",
    cached: () => "pulling model",
    layers: "aggregate",
    tickMs: 60,
    announces: false,
    concludes: true,
    verifies: false,
    alwaysRemoves: false,
  },
};

/** The dialect of a name. */
export function dialectNamed(name: string): Dialect {
  if (Object.hasOwn(dialects, name)) return dialects[name as DialectName];
  const names = Object.keys(dialects).join(", ");
  throw new ConfigurationError(`There is no dialect ${JSON.stringify(name)}; there are ${names}`);
}
