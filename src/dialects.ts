/**
 * How servers of different versions report a pull.
 *
 * @module
 */

import { shortDigest } from "./digest.ts";
import { NDJSON_TYPE } from "./ndjson.ts";

/**
 * The name of a dialect: `spec` (the published page), the first server version that reports this way, or
 * `client2` and `tensor` (other download paths of v0.30).
 */
export type DialectName = "spec" | "v0.1.0" | "v0.1" | "v0.5" | "client2" | "tensor" | "v0.33";

/** How a server reports a pull. */
export interface Dialect {
  /** The `status` of a download, or `undefined` if it has none. */
  readonly downloading: (digest: string) => string | undefined;
  /** The `status` of a layer that is already downloaded. */
  readonly cached: (digest: string) => string | undefined;
  /**
   * Whether layers are downloaded one by one, in parallel, or in parallel and reported as one. If in
   * parallel, the first layer is announced as if none of it were downloaded, and every layer is reported at
   * each tick and at the end.
   */
  readonly layers: "sequential" | "parallel" | "aggregate";
  /** The time between two lines about a layer, in milliseconds. */
  readonly tickMs: number;
  /** Whether a download sends a line when it begins. */
  readonly announces: boolean;
  /** Downloads end only at multiples of this many milliseconds after their start. @default at any time */
  readonly completionGridMs?: number;
  /** Whether a download sends a line when it ends. If not, its last line is often short of `total`. */
  readonly concludes: boolean;
  /** Whether a line reports that layers are being verified. */
  readonly verifies: boolean;
  /** The `status` of removing unused layers, if it is reported. */
  readonly removing?: string | undefined;
  /** Whether removing is reported even if no layer is unused. */
  readonly alwaysRemoves: boolean;
  /** The `Content-Type` of streams. */
  readonly contentType: string;
  /** The object that reports a failed pull. */
  readonly failure: (message: string, model: string) => WireError;
  /** Whether that object ends in a newline. */
  readonly endsFailures: boolean;
  /** Whether a name with `http://` is refused, or its registry is tried with TLS. */
  readonly withoutTls: "refused" | "tried";
  /**
   * Whether names in requests are read literally, or trimmed and with a source at the end, such as
   * `:cloud`.
   */
  readonly names: "plain" | "with source";
  /** Whether tensor models are pulled, or refused because the runtime that they need is missing. */
  readonly tensors: "pulled" | "refused";
}

/** The error message for a model that the registry does not have. */
export const UNKNOWN_MODEL = "pull model manifest: file does not exist";

/** An object that reports a failure. */
export interface WireError {
  /** The name of the kind of failure. */
  readonly code?: string;
  /** The server's message. */
  readonly error: string;
}

const pullingShort = (digest: string) => `pulling ${shortDigest(digest)}`;
const downloadingLong = (digest: string) => `downloading ${digest}`;
const noWords = () => undefined;
const emptyWords = () => "";

/**
 * The published page: each download begins without `completed`, and all final lines are sent. What the page
 * does not say is as in v0.34.
 */
const SPEC: Dialect = {
  downloading: downloadingLong,
  cached: downloadingLong,
  layers: "sequential",
  tickMs: 60,
  announces: true,
  concludes: true,
  verifies: true,
  removing: "removing any unused layers",
  alwaysRemoves: true,
  contentType: NDJSON_TYPE,
  failure: (error) => ({ error }),
  endsFailures: true,
  withoutTls: "tried",
  names: "with source",
  tensors: "pulled",
};

/** Recorded from v0.30: a layer sends no line when it ends, and a small layer sends none at all. */
const V0_30: Dialect = {
  ...SPEC,
  downloading: pullingShort,
  cached: pullingShort,
  announces: false,
  concludes: false,
  removing: "removing unused layers",
  alwaysRemoves: false,
};

/** A failure with a code. */
function codedFailure(message: string, model: string): WireError {
  return message === UNKNOWN_MODEL
    ? { code: "not_found", error: `model ${JSON.stringify(model)} not found` }
    : { code: "internal_error", error: message };
}

/** The dialects by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  "spec": SPEC,
  // Recorded from v0.1.0: as the published page says, except for these.
  "v0.1.0": { ...SPEC, cached: emptyWords, withoutTls: "refused", names: "plain" },
  // Recorded from v0.1.17: every layer ends with a line, however small it is.
  "v0.1": {
    ...SPEC,
    downloading: pullingShort,
    cached: pullingShort,
    announces: false,
    withoutTls: "refused",
    names: "plain",
  },
  // Recorded from v0.30: it polls each part once a second, so a layer ends on a whole second.
  "v0.5": { ...V0_30, completionGridMs: 1_000 },
  // Recorded from v0.30, which uses it if OLLAMA_EXPERIMENT says so.
  "client2": {
    ...SPEC,
    downloading: noWords,
    cached: noWords,
    layers: "parallel",
    tickMs: 100,
    removing: undefined,
    alwaysRemoves: false,
    contentType: "text/plain; charset=utf-8",
    failure: codedFailure,
    endsFailures: false,
    names: "plain", // observed: `Local.handlePull` passes the name on
  },
  // Recorded from v0.30.
  "tensor": {
    ...V0_30,
    downloading: () => "pulling model",
    cached: () => "pulling model",
    layers: "aggregate",
    announces: true,
    concludes: true,
    verifies: false,
    removing: undefined,
  },
  // Recorded from v0.34, on a machine without MLX.
  "v0.33": { ...V0_30, tensors: "refused" },
};
