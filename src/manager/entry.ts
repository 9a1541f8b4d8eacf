/**
 * What a {@link PullManager} says of its pulls: the types of its snapshot.
 *
 * @module
 */

import type { CauseJson, PullErrorJson } from "../errors.ts";
import type { PullProgress } from "../snapshot.ts";
import type { PullHub } from "./hub.ts";

/**
 * What has become of a pull: it waits for its turn, runs, has ended well, has failed, or was cancelled
 * (by whoever may: {@link PullManager.cancel}, its hub, its `signal`).
 */
export type PullState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

/** One pull, at one moment. It never changes after it was handed out. */
export type PullEntry =
  & {
    /** The model's name, as it was started. */
    readonly model: string;
    /** The address of the server, without user name, password and final slash. */
    readonly host: string;
    /** What has become of the pull. */
    readonly state: PullState;
    /** The latest snapshot. Absent before the first one. */
    readonly progress?: PullProgress;
    /** The pull itself, to watch or cancel it. Copies, as of `structuredClone`, are without it. */
    readonly hub: PullHub;
    /**
     * All but the hub as plain data, so that it survives `postMessage` and `JSON.stringify`. (A clone of an
     * error would lose its code and reason or, in Node, all of an abort.)
     */
    toJSON(): PullEntryJson;
  }
  & ({
    readonly state: "waiting" | "running" | "succeeded";
    readonly error?: undefined;
  } | {
    readonly state: "failed" | "cancelled";
    /**
     * Why it failed, mostly a {@link PullError}, or the reason for which it was cancelled. What is thrown
     * and is no `Error` is the `cause` of one. Absent in the other states.
     */
    readonly error: Error;
  });

/** A {@link PullEntry} as plain data, for another process or a page. */
export interface PullEntryJson {
  /** The model's name, as it was started. */
  readonly model: string;
  /** The address of the server, without user name, password and final slash. */
  readonly host: string;
  /** What has become of the pull. */
  readonly state: PullState;
  /** The latest snapshot. */
  readonly progress?: PullProgress;
  /** Why it failed or was cancelled. {@link PullError.from} reads it, if it was a `PullError`. */
  readonly error?: PullErrorJson | CauseJson;
}

/** All pulls of a {@link PullManager}, at one moment. It never changes after it was handed out. */
export interface PullManagerSnapshot {
  /** The pulls, in the order in which their models were first started. */
  readonly entries: readonly PullEntry[];
  /**
   * How many bytes are present, over all pulls that count: those started since none was left waiting or
   * running. Once all have ended, they count until another one is started. One that was dismissed still
   * counts, unless no entry is left.
   */
  readonly completed: number;
  /**
   * The size in bytes of all pulls that count, as far as it is known. One that has failed or was cancelled
   * counts with the bytes present, since nothing more is to be downloaded for it.
   */
  readonly total: number;
  /**
   * The share of the work that is done: 0 before the first pull, below 1 while one waits or runs, and
   * exactly 1 when all have ended, in whatever way. It is the share of the bytes, in which a pull of
   * unknown size counts like an average one. It falls only when another pull is started, and to 0 when the
   * last entry is dismissed.
   */
  readonly fraction: number;
  /**
   * How long all pulls still take, in seconds, if those of one server share its speed. Absent while
   * that is unknown for one of them, as it is while one waits, and when all have ended.
   */
  readonly etaSeconds?: number;
}
