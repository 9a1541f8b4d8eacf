/**
 * How servers of different versions report a pull.
 *
 * @module
 */

/** The name of a dialect: `spec`, or the first version of the real server that speaks it. */
export type DialectName = "spec" | "v0.1.0" | "v0.1" | "v0.5" | "client2" | "tensor" | "v0.33";

/** How a server reports a pull. */
export interface Dialect {
  /** The `status` of a download, or `undefined` if it has none. */
  readonly downloading: (digest: string) => string | undefined;
  /** The same, of a layer that is there already. */
  readonly cached: (digest: string) => string | undefined;
  /**
   * Whether layers are downloaded one by one, at once, or at once and reported as one. Of those that
   * are downloaded at once, the first is announced as if nothing of it were there, and all of them are
   * reported at every tick and at the end.
   */
  readonly layers: "sequential" | "parallel" | "aggregate";
  /** The time between two lines about a layer, in milliseconds. */
  readonly tickMs: number;
  /** Whether a download sends a line when it begins. */
  readonly announces: boolean;
  /** The time in milliseconds of which a download takes a whole multiple. @default any time */
  readonly settlesMs?: number;
  /** Whether a download sends a line when it ends. Without, its last line often falls short. */
  readonly concludes: boolean;
  /** Whether a line says that layers are verified. */
  readonly verifies: boolean;
  /** The words for removing unused layers, if it is reported. */
  readonly removing?: string | undefined;
  /** Whether it is reported even when there are none. */
  readonly alwaysRemoves: boolean;
  /** The `Content-Type` of streams. */
  readonly contentType: string;
  /** The object that tells of a failure to pull a model. */
  readonly failure: (message: string, model: string) => WireError;
  /** Whether that object ends in a newline. */
  readonly endsFailures: boolean;
  /** Whether a library without TLS is turned down by its name, or tried with TLS. */
  readonly withoutTls: "refused" | "tried";
}

/** How a pull fails of a model that the library does not have. */
export const UNKNOWN_MODEL = "pull model manifest: file does not exist";

/** An object that tells of a failure. */
export interface WireError {
  /** What the kind of failure is called. */
  readonly code?: string;
  /** The server's words. */
  readonly error: string;
}

const shortDigest = (digest: string) => `pulling ${digest.slice("sha256:".length).slice(0, 12)}`;
const longDigest = (digest: string) => `downloading ${digest}`;
const noWords = () => undefined;
const emptyWords = () => "";

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
  contentType: "application/x-ndjson",
  failure: (error) => ({ error }),
  endsFailures: true,
  withoutTls: "tried",
};

/** Recorded of v0.34: a layer that is done sends no line, and one that is small none at all. */
const V0_33: Dialect = {
  ...SPEC,
  downloading: shortDigest,
  cached: shortDigest,
  announces: false,
  concludes: false,
  removing: "removing unused layers",
  alwaysRemoves: false,
};

/** What failed, with a code. */
function codedFailure(message: string, model: string): WireError {
  return message === UNKNOWN_MODEL
    ? { code: "not_found", error: `model ${JSON.stringify(model)} not found` }
    : { code: "internal_error", error: message };
}

/** The dialects by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  "spec": SPEC,
  // Recorded of v0.1.0: the published page describes it, but for these.
  "v0.1.0": { ...SPEC, cached: emptyWords, withoutTls: "refused" },
  // Recorded of v0.1.17: a layer ends with a line, however small it is.
  "v0.1": {
    ...SPEC,
    downloading: shortDigest,
    cached: shortDigest,
    announces: false,
    withoutTls: "refused",
  },
  // Recorded of v0.30: who watches over a part looks up once a second, and holds up its layer till then.
  "v0.5": { ...V0_33, settlesMs: 1_000 },
  // Recorded of v0.30, which speaks it when OLLAMA_EXPERIMENT says so.
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
  },
  // Recorded of v0.30.
  "tensor": {
    ...V0_33,
    downloading: () => "pulling model",
    cached: () => "pulling model",
    layers: "aggregate",
    announces: true,
    concludes: true,
    verifies: false,
    removing: undefined,
  },
  "v0.33": V0_33,
};
