/**
 * The kinds of faults, each with its effect and its parameters.
 *
 * @module
 */

/** The effect of a kind of fault, and its parameters. */
export interface FaultKindInfo {
  /** What it does, in words for help texts. */
  readonly does: string;
  /**
   * Where it strikes: at a `point` (default: half-way), on all lines `from` a point on (default: the first
   * line), on a `layer` (default: the first), or on the `whole` pull.
   */
  readonly at: "point" | "from" | "layer" | "whole";
  /** Its parameters, with their defaults. */
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The kinds of faults by name. */
export const faultKinds = {
  "http-error": {
    does: "answers with an HTTP error and a JSON, HTML or empty body instead of a stream",
    at: "whole",
    parameters: { status: 500, body: "json", message: "internal server error" },
  },
  "slow-first-byte": {
    does: "delays the answer, headers included",
    at: "whole",
    parameters: { ms: 5_000 },
  },
  "error": {
    does: "ends the stream with an error line",
    at: "point",
    parameters: { message: "max retries exceeded: unexpected EOF" },
  },
  "disk-full": {
    does: "ends the stream with the error line of a full disk",
    at: "point",
    parameters: { message: "write blob: no space left on device" },
  },
  "digest-mismatch": {
    does: "fails the checksum of a layer and deletes its blob",
    at: "layer",
    parameters: {},
  },
  "cut": {
    does: "ends the stream as if it were complete, even inside a line or a character",
    at: "point",
    parameters: {},
  },
  "reset": {
    does: "breaks the connection",
    at: "point",
    parameters: {},
  },
  "stall": {
    does: "sends nothing for a time",
    at: "point",
    parameters: { ms: 60_000 },
  },
  "freeze": {
    does: "pauses the download for a time, for every caller, while status lines continue",
    at: "point",
    parameters: { ms: 30_000 },
  },
  "rollback": {
    // Observed: a rollback loses what one connection fetched of a part; parts are at least 100 MB.
    does: "loses downloaded bytes, for every caller, as when a part fails: `completed` falls",
    at: "point",
    parameters: { bytes: 100_000_000 },
  },
  "malformed": {
    does: "sends a line that is not JSON",
    at: "point",
    parameters: { text: '{"status":"pulling' },
  },
  "unknown-status": {
    does: "sends a line with a status that no version knows",
    at: "point",
    parameters: { status: "reticulating splines" },
  },
  "early-success": {
    does: "sends `success` too early and continues",
    at: "point",
    parameters: {},
  },
  "no-success": {
    does: "ends the stream without `success`",
    at: "whole",
    parameters: {},
  },
  "duplicate-phase": {
    does: "sends every line that is not about a download twice",
    at: "whole",
    parameters: {},
  },
  "out-of-order": {
    does: "sends the lines between the download and `success` in reverse order",
    at: "whole",
    parameters: {},
  },
  "removing-fails": {
    does:
      "adds a line that unused layers could not be removed, where the dialect reports removing them",
    at: "whole",
    parameters: { message: "permission denied" },
  },
  "unknown-fields": {
    does: "adds a field that no version knows to every line",
    at: "from",
    parameters: { field: "x-unknown" },
  },
  "completed-absent": {
    does: "leaves out `completed`",
    at: "from",
    parameters: {},
  },
  "completed-over-total": {
    does: "reports a `completed` above `total`",
    at: "from",
    parameters: { bytes: 1 },
  },
  "completed-falls": {
    does: "reports fewer bytes than the previous line, in every other line about a download",
    at: "from",
    parameters: { bytes: 1_000_000 },
  },
  "crlf": {
    does: "ends lines with CR LF",
    at: "whole",
    parameters: {},
  },
  "blank-lines": {
    does: "sends a blank line after every line",
    at: "whole",
    parameters: {},
  },
  "split": {
    does: "splits every line into chunks of a few bytes",
    at: "whole",
    parameters: { bytes: 1 },
  },
  "coalesce": {
    does: "sends several lines in one chunk",
    at: "whole",
    parameters: { lines: 10 },
  },
  "no-final-newline": {
    does: "omits the newline after the last line",
    at: "whole",
    parameters: {},
  },
} as const satisfies Record<string, FaultKindInfo>;

/** The name of a kind of fault. */
export type FaultKind = keyof typeof faultKinds;

/** The kinds that strike before the answer begins, and so can strike any endpoint. */
export const EARLY_KINDS = ["http-error", "slow-first-byte"] as const satisfies FaultKind[];

/** The name of a kind that strikes before the answer begins. */
export type EarlyKind = typeof EARLY_KINDS[number];

/** All parameters of a kind of fault. */
export type FilledParameters<Kind extends FaultKind> = {
  readonly [Name in keyof typeof faultKinds[Kind]["parameters"]]:
    (typeof faultKinds[Kind]["parameters"])[Name] extends number ? number : string;
};

/** The parameters of a kind of fault, as {@link faultKinds} lists them. All are optional. */
export type FaultParameters<Kind extends FaultKind> = {
  -readonly [Name in keyof typeof faultKinds[Kind]["parameters"]]?:
    | ((typeof faultKinds[Kind]["parameters"])[Name] extends number ? number : string)
    | undefined;
};
