/**
 * What a person is shown of a pull: the types of a snapshot, and its phases.
 *
 * @module
 */

import type { PullStatus } from "./status.ts";

/** What a pull is doing. A server may skip a phase, and a new connection may begin with an earlier one. */
export type PullPhase = Exclude<PullStatus["kind"], "error" | "other">;

/** The phases in the order in which a pull gets to them. */
export const PHASES: readonly PullPhase[] = [
  "manifest",
  "downloading",
  "verifying",
  "writing",
  "removing",
  "success",
];

/**
 * How far one layer has come. `digest ?? status` names it: nearly all servers send digests, and where one
 * does not, the layers are told apart by the words of its statuses.
 */
export type PullLayer =
  & {
    /** Its size in bytes. Absent while that is unknown. */
    readonly total?: number;
    /** How many bytes of it are present. Never falls. */
    readonly completed: number;
    /** Whether it is complete. */
    readonly done: boolean;
  }
  & ({
    /** The layer's digest, as the server gave it. */
    readonly digest: string;
    readonly status?: undefined;
  } | {
    readonly digest?: undefined;
    /**
     * The server's words for the layer; empty if it has none. Percentages, amounts and times in them are
     * replaced with `…`, since they may change with each status: `downloading …`.
     */
    readonly status: string;
  });

/** How far a pull has come, at one moment. It never changes after it was handed out. */
export interface PullProgress {
  /** What the pull is doing. */
  readonly phase: PullPhase;
  /** The server's own words, as it used them last. */
  readonly status: string;
  /** How many bytes are present, over all known layers. Never falls. */
  readonly completed: number;
  /** The size in bytes of all known layers. A layer of unknown size counts with the bytes present. */
  readonly total: number;
  /**
   * Whether `total` is the size of the whole model. It is not while a server has yet to name layers: most
   * name one when they begin to download it (observed). It is known
   *
   * - with `options.layers`, unless the server names a layer that is not among them;
   * - if the server gives one size for all layers, under the digest `sha256:model` (observed);
   * - once all layers are downloaded, from `verifying` on.
   */
  readonly totalIsKnown: boolean;
  /**
   * The share of the pull that is done: 0 while nothing is known, below 1 until `success`, and exactly
   * 1 then. Never falls.
   *
   * It is `completed / total` where `totalIsKnown`; if that became known late, and `fraction` was higher
   * by then, it stays until the share is as high. Otherwise it is an estimate, from the layers named so
   * far whose size is known. One that is complete when it is first reported (`config.json`, say) does not
   * count there before a layer is named that is not.
   */
  readonly fraction: number;
  /** The layers, in the order in which they were first seen. */
  readonly layers: readonly PullLayer[];
  /**
   * The speed: an average of the bytes per second in which the last few seconds count most. It fades
   * while no bytes come in, and is 0 after 10 s without any. Absent until half a second was measured, and
   * after the download.
   */
  readonly bytesPerSecond?: number;
  /**
   * How long the known layers still take, in seconds: the missing bytes at an average speed that looks as
   * far back as would have predicted this download best so far. Absent until a second was measured, after
   * 10 s without new bytes (even if the server goes on sending lines), while the size of a layer is
   * unknown, and after the download.
   */
  readonly etaSeconds?: number;
}

/** The digest and size of a layer, as a manifest lists them. */
export interface LayerSize {
  /** The digest, as in `sha256:…`. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
}
