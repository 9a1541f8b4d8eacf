/**
 * Follows a pull, status by status. {@link ProgressTracker} knows what the pull is doing and how far it
 * has come; it has no clock, and is told when each status arrived.
 *
 * @module
 */

import { PullError } from "./errors.ts";
import { type Layer, LayerSet } from "./layers.ts";
import type { LayerSize, PullPhase, PullProgress } from "./snapshot.ts";
import { TransferRate } from "./rate.ts";
import {
  DIGEST_OF_ALL_LAYERS,
  type DownloadingStatus,
  isByteCount,
  type PullStatus,
} from "./status.ts";
import { quote } from "./text.ts";

/** The largest fraction of a pull that is not done: the last number below 1. */
const MAX_FRACTION = 1 - 2 ** -53;

/** Follows a pull, status by status. */
export class ProgressTracker {
  #layers = new LayerSet();
  /** The layer that was reported last. */
  #latest: Layer | undefined;
  readonly #rate = new TransferRate();
  #phase: PullPhase = "manifest";
  #status = "";
  #fraction = 0;
  /** When the latest status arrived. */
  #time = 0;

  /** @param layers The layers that are to be pulled, where they are known. */
  constructor(layers: Iterable<LayerSize> = []) {
    for (const { digest, size } of layers) {
      if (typeof digest !== "string" || digest === "" || !isByteCount(size)) {
        const layer = quote(`${digest}, ${size}`);
        throw new TypeError(
          `Cannot use the layer ${layer}: it needs a digest, and a size that is a whole number of bytes`,
        );
      }
      if (this.#layers.get(digest) === undefined) this.#layers.add(digest, size);
    }
  }

  /** What the pull is doing. */
  get phase(): PullPhase {
    return this.#phase;
  }

  /** The bytes that are present, over all layers. */
  get completed(): number {
    return this.#layers.completed;
  }

  /** The size in bytes of all layers, as far as it is known. */
  get total(): number {
    return this.#layers.total;
  }

  /** Whether the pull has succeeded. */
  get hasSucceeded(): boolean {
    return this.#phase === "success";
  }

  /**
   * Takes a status that arrived at a time in milliseconds.
   *
   * @throws {PullError} `server`, for an `error` object; `malformed`, for too many layers.
   */
  push(status: PullStatus, time: number): void {
    if (status.kind === "error") {
      throw new PullError("server", status.error || "The server gave no reason");
    }
    if (this.hasSucceeded) return;
    this.#time = time;
    this.#status = status.status ?? this.#status;
    if (status.kind === "other") return;

    this.#phase = status.kind;
    if (status.kind === "downloading") this.#download(status, time);
    else if (status.kind !== "manifest") this.#layers.completeAll();
    this.#raiseFraction();
  }

  /**
   * Takes the end of the statuses.
   *
   * @throws {PullError} `truncated`, if there was no `success`.
   */
  end(): void {
    if (this.hasSucceeded) return;
    const after = this.#status === "" ? "" : `, after ${quote(this.#status)}`;
    throw new PullError("truncated", `The stream ended without success${after}`);
  }

  /** Prepares for a new connection: what its first statuses report was present before. */
  restart(): void {
    this.#layers.restart();
  }

  /**
   * How far the pull has come.
   *
   * @param now The time in milliseconds at which the speed and the time left are wanted: that of the
   * latest status, unless a later one is given.
   */
  snapshot(now: number = this.#time): PullProgress {
    const known = this.#layers;
    const phase = this.#phase;
    const status = this.#status;
    const completed = known.completed;
    // From 2^53 on sums are rounded, and may end up the wrong way round.
    const total = Math.max(known.total, completed);
    const fraction = this.#fraction;
    const layers = known.list();
    const bytesPerSecond = phase === "downloading" ? this.#rate.bytesPerSecond(now) : NaN;
    const etaSeconds = known.areAllSized
      ? this.#rate.secondsFor(Math.max(0, known.total - known.received), now)
      : NaN;
    // Each shape is written out: engines keep fields that are added to an object apart, which costs more.
    if (!Number.isFinite(bytesPerSecond)) {
      return { phase, status, completed, total, fraction, layers };
    }
    if (!Number.isFinite(etaSeconds)) {
      return { phase, status, completed, total, fraction, layers, bytesPerSecond };
    }
    return { phase, status, completed, total, fraction, layers, bytesPerSecond, etaSeconds };
  }

  #download(status: DownloadingStatus, time: number): void {
    const layer = this.#findLayer(status.digest);
    if (layer.completed === layer.total) return;
    // The protocol leaves out what is 0, so a total of 0 says as little as none.
    const total = status.total ? Math.max(status.total, layer.completed) : layer.total;
    const received = Math.min(status.completed ?? layer.received, total ?? Infinity);
    this.#measure(layer, received, time);
    this.#layers.setReceived(layer, received);
    this.#layers.update(layer, total, Math.max(layer.completed, received));
  }

  #findLayer(digest: string): Layer {
    // Most lines are about the same layer as the one before. Comparing a digest costs less than looking
    // it up, for which all of it is hashed.
    if (this.#latest?.digest === digest) return this.#latest;
    const layer = this.#layers.get(digest) ?? this.#discoverLayer(digest);
    this.#latest = layer;
    return layer;
  }

  /** Adds a layer that the server is the first to name. */
  #discoverLayer(digest: string): Layer {
    const { total, completed } = this.#layers;
    const standsForAll = digest === DIGEST_OF_ALL_LAYERS && total > 0;
    if (!standsForAll || completed > 0 || this.#latest) return this.#layers.add(digest);
    // The server reports one figure for all layers: it takes the place of those of the manifest.
    this.#layers = new LayerSet();
    return this.#layers.add(digest, total);
  }

  /** Takes the speed from how many bytes of a layer have come since the server last reported them. */
  #measure(layer: Layer, received: number, time: number): void {
    const growth = received - layer.received;
    if (growth < 0 || time <= layer.measuredFrom) layer.measuredFrom = time;
    else this.#rate.add(growth, layer.lastReportAt, time);
    layer.lastReportAt = time;
  }

  #raiseFraction(): void {
    if (this.hasSucceeded) {
      this.#fraction = 1;
      return;
    }
    const { completed, total, unsizedBytes } = this.#layers;
    const sizedTotal = total - unsizedBytes;
    if (sizedTotal === 0) return;
    const share = (completed - unsizedBytes) / sizedTotal;
    this.#fraction = Math.max(this.#fraction, Math.min(share, MAX_FRACTION));
  }
}
