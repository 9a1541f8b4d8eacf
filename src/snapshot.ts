/**
 * The progress of a pull at one moment: the types of a snapshot, and the phases.
 *
 * @module
 */

import type { PullStatus } from "./status.ts";

/** What a pull is doing. A server may skip phases, and a new connection may start with an earlier one. */
export type PullPhase = Exclude<PullStatus["kind"], "error" | "other">;

/** The phases, in the order in which a pull reaches them. */
export const PHASES: readonly PullPhase[] = [
  "manifest",
  "downloading",
  "verifying",
  "writing",
  "removing",
  "success",
];

/**
 * The progress of one layer. `digest ?? status` identifies it: nearly all servers send digests; without
 * them, the layers are distinguished by their `status` texts.
 */
export type PullLayer =
  & {
    /** Its size in bytes. Absent while it is unknown. */
    readonly total?: number;
    /** How many of its bytes are present. Never falls. */
    readonly completed: number;
    /** Whether it is complete. */
    readonly done: boolean;
  }
  & ({
    /** The layer's digest, as the server sent it. */
    readonly digest: string;
    readonly status?: undefined;
  } | {
    readonly digest?: undefined;
    /**
     * The server's `status` text for the layer; empty if there is none. Percentages, amounts and times in it
     * are replaced with `…`, because they may change with each status: `downloading …`.
     */
    readonly status: string;
  });

/** The progress of a pull at one moment. A snapshot never changes. */
export interface PullProgress {
  /** What the pull is doing. */
  readonly phase: PullPhase;
  /** The latest `status` text of the server. */
  readonly status: string;
  /** How many bytes are present, over all known layers. Never falls. */
  readonly completed: number;
  /** The size of all known layers, in bytes. A layer of unknown size counts with the bytes present. */
  readonly total: number;
  /**
   * Whether `total` is the size of the whole model. Most servers name a layer only when they begin to
   * download it (observed), so at first more layers may follow. The total is known
   *
   * - with `options.layers`, unless the server names a layer that is not among them;
   * - if the server reports one size for all layers, under the digest `sha256:model` (observed);
   * - once all layers are downloaded, from `verifying` on.
   */
  readonly totalIsKnown: boolean;
  /**
   * The share of the pull that is done: 0 while nothing is known, below 1 until `success`, and exactly 1
   * then. Never falls.
   *
   * It is `completed / total` if `totalIsKnown`. (If the total became known late and `fraction` was higher
   * by then, it stands still until the true share has caught up.) Otherwise it is an estimate from the
   * layers named so far whose size is known. A layer that is already complete when it is first reported
   * (`config.json`, say) does not count until an incomplete layer is named after it.
   */
  readonly fraction: number;
  /** The layers, in the order in which they were first seen. */
  readonly layers: readonly PullLayer[];
  /**
   * The speed: an average of the bytes per second in which the last few seconds count most. It falls while
   * no bytes arrive, and is 0 after 10 s without any. Absent until there is half a second of measurements,
   * and after the download.
   */
  readonly bytesPerSecond?: number;
  /**
   * How long the known layers still take, in seconds: the missing bytes divided by an average speed. How far
   * back the average looks is chosen by what would have predicted this download best so far. Absent until
   * there is a second of measurements, after 10 s without new bytes (even if the server keeps sending
   * lines), while the size of a layer is unknown, and after the download.
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
