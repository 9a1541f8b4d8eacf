/**
 * The types of the snapshot of a {@link PullManager}.
 *
 * @module
 */

import type { CauseJson, PullErrorJson } from "../errors.ts";
import type { PullProgress } from "../snapshot.ts";
import type { PullHub } from "./hub.ts";

/**
 * The state of a pull. `waiting` means that it waits for its turn. `cancelled` means that it was cancelled by
 * {@link PullManager.cancel}, its hub or its `signal`.
 */
export type PullState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

/** One pull, at one moment. An entry never changes. */
export type PullEntry =
  & {
    /** The model's name, as it was passed to `start`. */
    readonly model: string;
    /** The address of the server, without user name, password and final slash. */
    readonly host: string;
    /** The state of the pull. */
    readonly state: PullState;
    /** The latest snapshot. Absent before the first one. */
    readonly progress?: PullProgress;
    /** The pull itself, to watch or cancel it. Copies, such as by `structuredClone`, do not have it. */
    readonly hub: PullHub;
    /**
     * Everything except the hub as plain data, for `postMessage` and `JSON.stringify`. (A clone of the error
     * would lose its code and reason and, in Node, everything about an abort.)
     */
    toJSON(): PullEntryJson;
  }
  & ({
    readonly state: "waiting" | "running" | "succeeded";
    readonly error?: undefined;
  } | {
    readonly state: "failed" | "cancelled";
    /**
     * Why it failed, usually a {@link PullError}, or the reason of the cancel. A thrown value that is not an
     * `Error` is wrapped in one as its `cause`. Absent in the other states.
     */
    readonly error: Error;
  });

/** A {@link PullEntry} as plain data, for another process or a page. */
export interface PullEntryJson {
  /** The model's name, as it was passed to `start`. */
  readonly model: string;
  /** The address of the server, without user name, password and final slash. */
  readonly host: string;
  /** The state of the pull. */
  readonly state: PullState;
  /** The latest snapshot. */
  readonly progress?: PullProgress;
  /** Why it failed or was cancelled. {@link PullError.from} restores it if it was a `PullError`. */
  readonly error?: PullErrorJson | CauseJson;
}

/** All pulls of a {@link PullManager}, at one moment. A snapshot never changes. */
export interface PullManagerSnapshot {
  /** The pulls, in the order in which their models were first started. */
  readonly entries: readonly PullEntry[];
  /**
   * How many bytes are present, over all pulls that count: those started since the manager was last idle
   * (no pull waiting or running). When all have ended, they still count until the next start. A dismissed
   * pull still counts, unless no entry is left.
   */
  readonly completed: number;
  /**
   * The size of all pulls that count, in bytes, as far as it is known. A failed or cancelled pull counts with
   * the bytes present, because it will download nothing more.
   */
  readonly total: number;
  /**
   * The share of the work that is done: 0 before the first pull, below 1 while a pull waits or runs, and
   * exactly 1 when all have ended, however they ended. It is the share of the bytes; a pull of unknown size
   * counts as one of average size. It falls only when another pull is started, and drops to 0 when the last
   * entry is dismissed.
   */
  readonly fraction: number;
  /**
   * How long all pulls still take, in seconds, assuming that the pulls of one server share its speed. Absent
   * while it is unknown for any of them (as while one waits), and when all have ended.
   */
  readonly etaSeconds?: number;
}
