/**
 * What a person is shown of a pull: the types of a snapshot.
 *
 * @module
 */

import type { PullStatus } from "./status.ts";

/** What a pull is doing. A server may skip a phase, and a new connection may begin with an earlier one. */
export type PullPhase = Exclude<PullStatus["kind"], "error" | "other">;

/** How far one layer has come. */
export interface PullLayer {
  /** The layer's digest, as the server gave it. */
  readonly digest: string;
  /** Its size in bytes. Absent while that is unknown. */
  readonly total?: number;
  /** How many bytes of it are present. Never falls. */
  readonly completed: number;
  /** Whether it is complete. */
  readonly done: boolean;
}

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
   * The share of the pull that is done: 0 while nothing is known, below 1 until `success`, and exactly
   * 1 then. Never falls. Layers of unknown size do not count.
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
