/**
 * The records in which the progress of a pull crosses a border: what they look like, and what is left out
 * of them since it follows from the rest.
 *
 * @module
 */

import type { CauseJson, PullErrorJson } from "../errors.ts";
import type { PullLayer, PullPhase, PullProgress } from "../snapshot.ts";

/** The version of the format. A reader refuses another one. */
export const RECORD_VERSION: PullSnapshotRecord["version"] = 1;

/**
 * One record of a pull: plain data, which goes through JSON and through `structuredClone`.
 *
 *     {"version":1,"sequence":1,"phase":"downloading","status":"pulling aaaa","totalIsKnown":false,
 *      "layers":[{"index":0,"digest":"sha256:aaaa","completed":25,"total":100}]}
 *     {"sequence":2,"grown":[[0,75]],"bytesPerSecond":50.5,"etaSeconds":0.495}
 *     {"sequence":3,"phase":"success","status":"success","totalIsKnown":true,"grown":[[0,100]]}
 *     {"sequence":4,"end":"success"}
 *
 * A record with a `version` is a {@link PullSnapshotRecord}, one with an `end` is the
 * {@link PullEndRecord}, and any other one is a {@link PullChangeRecord}. The first record is a snapshot
 * (or the end, if the pull failed before there was one), and so may be any other one: a reader forgets what
 * came before it. The last record is the end. There is one snapshot for each record but the end.
 *
 * `sequence` counts the records, so that one that is lost is noticed: that of a change or of a success is
 * one more than that of the record before. A snapshot may have any, and so may the end of a failure.
 *
 * Fields that a reader does not know are to be ignored. A change that an older reader must not ignore
 * gets another `version`.
 */
export type PullRecord = PullSnapshotRecord | PullChangeRecord | PullEndRecord;

/**
 * What has changed since the record before. Of the fields that are absent,
 *
 * - `phase`, `status` and `totalIsKnown` are as before, and so is each layer;
 * - `completed` is the sum of those of the layers, and `total` that of theirs, where a layer without a
 *   `total` counts with its `completed`;
 * - `fraction` is `completed / total` (0 if there is no `total`), or that of the snapshot before if that is
 *   larger;
 * - `bytesPerSecond` and `etaSeconds` are absent from the snapshot, too.
 *
 * So a record has `completed`, `total` or `fraction` only where that is not what a reader would work out.
 */
export interface PullChangeRecord {
  /** The number of the record. */
  readonly sequence: number;
  /** What the pull is doing. */
  readonly phase?: PullPhase;
  /** The server's own words. */
  readonly status?: string;
  /** Whether `total` is the size of the whole model. */
  readonly totalIsKnown?: boolean;
  /** The layers that are new, or of which more than `completed` has changed. */
  readonly layers?: readonly PullLayerRecord[];
  /** The index and the new `completed`, in bytes, of each other layer that has changed. */
  readonly grown?: readonly (readonly [index: number, completed: number])[];
  /** How many bytes are present. */
  readonly completed?: number;
  /** The size in bytes. */
  readonly total?: number;
  /** The share of the pull that is done. */
  readonly fraction?: number;
  /** The speed. */
  readonly bytesPerSecond?: number;
  /** How long the known layers still take, in seconds. */
  readonly etaSeconds?: number;
}

/** A whole snapshot. What is absent follows as in a change, where nothing was before. */
export interface PullSnapshotRecord extends PullChangeRecord {
  /** The version of the format. */
  readonly version: 1;
  /** What the pull is doing. */
  readonly phase: PullPhase;
  /** The server's own words. */
  readonly status: string;
  /** Whether `total` is the size of the whole model. */
  readonly totalIsKnown: boolean;
  /** All layers. */
  readonly layers: readonly PullLayerRecord[];
}

/** All that is known of a layer, which takes the place of what was known before. */
export interface PullLayerRecord {
  /** Which one it is, counted from 0. A new layer has the index that follows. */
  readonly index: number;
  /** Its digest. Where it has none, `status` names it. */
  readonly digest?: string;
  /** The server's words for it. */
  readonly status?: string;
  /** Its size in bytes. Absent while that is unknown. */
  readonly total?: number;
  /** How many bytes of it are present. */
  readonly completed: number;
  /** Whether it is complete. If absent, it is so if `completed` equals `total`. */
  readonly done?: boolean;
}

/** How the pull has ended. */
export interface PullEndRecord {
  /** The number of the record. */
  readonly sequence: number;
  /** Whether it has succeeded. Then the phase of the snapshot before is `success`. */
  readonly end: "success" | "error";
  /**
   * Why it has failed: a {@link PullError} as data, or the name and message of another error, such as an
   * `AbortError` where the pull was cancelled. Absent after success.
   */
  readonly error?: PullErrorJson | CauseJson;
}

/** What the layers come to: the bytes that are present, and the size. */
export function sumLayers(
  layers: readonly PullLayer[],
): Pick<PullProgress, "completed" | "total"> {
  let completed = 0;
  let total = 0;
  for (const layer of layers) {
    completed += layer.completed;
    total += layer.total ?? layer.completed;
  }
  return { completed, total };
}

/** The share of a pull that is done, where no record tells it. */
export function shareOf(completed: number, total: number, fractionBefore: number): number {
  return Math.max(total === 0 ? 0 : completed / total, fractionBefore);
}

/** Whether a layer is complete, where no record tells it. */
export function isDone({ completed, total }: Pick<PullLayer, "completed" | "total">): boolean {
  return completed === total;
}
