/**
 * Follows a pull, status by status. {@link ProgressTracker} knows what the pull is doing and how much is
 * done. It has no clock: the caller says when each status arrived.
 *
 * @module
 */

import { causeOfError } from "./causes.ts";
import { PullError } from "./errors.ts";
import { type Layer, LayerSet } from "./layers.ts";
import type { LayerSize, PullPhase, PullProgress } from "./snapshot.ts";
import { TransferRate } from "./rate.ts";
import {
  DIGEST_OF_ALL_LAYERS,
  type DownloadingStatus,
  encodeStatus,
  type ErrorStatus,
  isByteCount,
  type PullStatus,
} from "./status.ts";
import { quote } from "./text.ts";

/** The largest fraction of a pull that has not succeeded: the largest number below 1. */
export const MAX_FRACTION = 1 - 2 ** -53;

/** The error for an `error` object of the stream. */
function serverError(status: ErrorStatus): PullError {
  const message = status.message || "The server gave no reason";
  const body = encodeStatus(status);
  return new PullError("server", message, { ...causeOfError(message), body });
}

/** Follows a pull, status by status. */
export class ProgressTracker {
  #layers = new LayerSet();
  /** The layer that was reported last, and the words of that status. */
  #latest: Layer | undefined;
  #latestWords = "";
  readonly #rate = new TransferRate();
  #phase: PullPhase = "manifest";
  #status = "";
  /** How it is known that these are all layers of the model; `undefined` if it is not known. */
  #totalSource: "list" | "server" | undefined;
  /** The list that a promise resolved to, until it is used. */
  #arrivedList: Iterable<LayerSize> | undefined;
  /**
   * The bytes of layers that were already complete when they were announced. Reset to 0 whenever a layer is
   * announced that is not.
   */
  #bytesHeldBack = 0;
  #fraction = 0;
  #newBytes = 0;
  /** When the latest status arrived. */
  #time = 0;

  /**
   * @param layers The layers to be pulled, if they are known. The layers of a promise count from the first
   *   status or snapshot after it resolves.
   */
  constructor(layers: Iterable<LayerSize> | PromiseLike<Iterable<LayerSize>> = []) {
    if (isPromise(layers)) {
      // If it rejects, there is no list.
      Promise.resolve(layers).then((list) => void (this.#arrivedList = list), () => {});
    } else this.#takeList(layers);
  }

  /** What the pull is doing. */
  get phase(): PullPhase {
    return this.#phase;
  }

  /** The latest `status` text of the server. */
  get status(): string {
    return this.#status;
  }

  /** Whether the layers are all layers of the model. */
  get totalIsKnown(): boolean {
    return this.#totalSource !== undefined;
  }

  /** Whether all bytes are downloaded, and none has to be downloaded again. */
  get isDownloaded(): boolean {
    const { received, total } = this.#layers;
    return this.totalIsKnown && total > 0 && received === total;
  }

  /**
   * How many bytes were new, over all layers. Bytes that are fetched again after a part has failed count as
   * new once. If the part fails again before the layer has passed its old maximum, they do not count again.
   */
  get newBytes(): number {
    return this.#newBytes;
  }

  /** How many bytes are present, over all layers. */
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
   * Takes a status that arrived at `time`, in milliseconds.
   *
   * @throws {PullError} `server`, for an `error` object; `malformed`, for too many layers.
   * @throws {TypeError} If a promise resolved to a list that cannot be used.
   */
  push(status: PullStatus, time: number): void {
    if (status.kind === "error") throw serverError(status);
    if (this.hasSucceeded) return;
    this.#time = time;
    if (this.#arrivedList !== undefined) this.#takeArrivedList();
    this.#status = status.status ?? this.#status;
    if (status.kind === "other") return;

    this.#phase = status.kind;
    if (status.kind === "downloading") this.#download(status, time);
    else if (status.kind !== "manifest") this.#completeAll();
    this.#raiseFraction();
  }

  /**
   * Ends the statuses.
   *
   * @throws {PullError} `truncated`, if there was no `success`.
   */
  end(): void {
    if (this.hasSucceeded) return;
    const after = this.#status === "" ? "" : `, after ${quote(this.#status)}`;
    throw new PullError("truncated", `The stream ended without success${after}`);
  }

  /** Prepares for a new connection: the bytes in its first statuses were present before it began. */
  restart(): void {
    this.#layers.restart();
  }

  /**
   * How far the pull has come.
   *
   * @param now The time, in milliseconds, for which to compute speed and time left: by default when the
   * latest status arrived, and not earlier.
   */
  snapshot(now: number = this.#time): PullProgress {
    if (this.#arrivedList !== undefined) this.#takeArrivedList();
    const known = this.#layers;
    const phase = this.#phase;
    const status = this.#status;
    const completed = known.completed;
    // From 2^53 on, sums are rounded, and `total` could end up below `completed`.
    const total = Math.max(known.total, completed);
    const { totalIsKnown } = this;
    const fraction = this.#fraction;
    const layers = known.list();
    const bytesPerSecond = phase === "downloading" ? this.#rate.bytesPerSecond(now) : NaN;
    const etaSeconds = known.areAllSized
      ? this.#rate.secondsFor(Math.max(0, known.total - known.received), now)
      : NaN;
    // Write out each shape: adding fields to an object later is slower in all engines.
    if (!Number.isFinite(bytesPerSecond)) {
      return { phase, status, completed, total, totalIsKnown, fraction, layers };
    }
    if (!Number.isFinite(etaSeconds)) {
      return { phase, status, completed, total, totalIsKnown, fraction, layers, bytesPerSecond };
    }
    return {
      phase,
      status,
      completed,
      total,
      totalIsKnown,
      fraction,
      layers,
      bytesPerSecond,
      etaSeconds,
    };
  }

  #takeArrivedList(): void {
    const list = this.#arrivedList!;
    this.#arrivedList = undefined;
    if (this.hasSucceeded) return;
    this.#takeList(list);
    this.#raiseFraction();
  }

  /**
   * Takes the layers of a manifest, unless the server has reported a layer that is not among them.
   *
   * @throws {TypeError} If it is not a list, or a layer has no digest or no size.
   */
  #takeList(list: Iterable<LayerSize>): void {
    const sizes = readSizes(list);
    if (sizes.size === 0 || !this.#layers.takeSizes(sizes)) return;
    this.#totalSource = "list";
    if (this.#phase !== "manifest" && this.#phase !== "downloading") this.#completeAll();
  }

  /** Marks every layer as complete: a phase has begun that needs all of them. */
  #completeAll(): void {
    this.#layers.completeAll();
    this.#totalSource = "server";
  }

  #download(status: DownloadingStatus, time: number): void {
    const layer = this.#findLayer(status);
    if (layer.completed === layer.total) {
      // A digest always means the same bytes. But the same words may be used for several files in turn.
      if (layer.digest !== undefined || !(status.total! > layer.total)) {
        this.#receiveAgain(layer, status.completed ?? layer.received, time);
        return;
      }
      this.#bytesHeldBack = Math.max(0, this.#bytesHeldBack - layer.total);
      this.#layers.reopen(layer);
      this.#totalSource = undefined;
    }
    // The protocol leaves out zeros, so treat a total of 0 as absent.
    const total = status.total ? Math.max(status.total, layer.completed) : layer.total;
    const received = Math.min(status.completed ?? layer.received, total ?? Infinity);
    this.#measure(layer, received, time);
    this.#countNew(layer, received);
    this.#layers.setReceived(layer, received);
    this.#layers.update(layer, total, Math.max(layer.completed, received));
    if (!layer.isAnnounced && total !== undefined) this.#announce(layer, total);
  }

  /** Follows a layer that was complete, and may be downloaded again because its digest was wrong. */
  #receiveAgain(layer: Layer, completed: number, time: number): void {
    const received = Math.min(completed, layer.completed);
    if (received === layer.received) return;
    this.#measure(layer, received, time);
    this.#countNew(layer, received);
    this.#layers.setReceived(layer, received);
  }

  #findLayer({ digest, status = "" }: DownloadingStatus): Layer {
    // Most lines are about the same layer as the previous one. Comparing two digests costs less than a
    // look-up, which hashes the whole digest.
    const latest = this.#latest;
    if (latest !== undefined && latest.digest === digest) {
      if (digest !== undefined || status === this.#latestWords) return latest;
    }
    const layer = this.#layers.find(digest, status) ?? this.#discoverLayer(digest, status);
    this.#latest = layer;
    this.#latestWords = status;
    return layer;
  }

  /** Adds a layer that only the server has named so far. */
  #discoverLayer(digest: string | undefined, words: string): Layer {
    if (this.#totalSource === "list") {
      const { total } = this.#layers;
      if (digest === DIGEST_OF_ALL_LAYERS && total > 0 && this.#latest === undefined) {
        // The server reports one figure for all layers: it replaces the layers of the list.
        this.#layers = new LayerSet();
        return this.#layers.add(digest, "", total);
      }
      this.#layers.removeUnreported(); // the list belongs to another model
    }
    this.#totalSource = undefined;
    return this.#layers.add(digest, words);
  }

  /** Notes that the server has reported a layer with its size for the first time. */
  #announce(layer: Layer, total: number): void {
    layer.isAnnounced = true;
    if (layer.digest === DIGEST_OF_ALL_LAYERS && this.#layers.size === 1) {
      this.#totalSource ??= "server";
    }
    this.#bytesHeldBack = layer.completed === total ? this.#bytesHeldBack + total : 0;
  }

  /** Measures the speed: the bytes of a layer that have arrived since its previous report. */
  #measure(layer: Layer, received: number, time: number): void {
    const growth = received - layer.received;
    if (growth < 0 || time <= layer.measuredFrom) layer.measuredFrom = time;
    else this.#rate.add(growth, layer.lastReportAt, time);
    layer.lastReportAt = time;
  }

  /** Counts the bytes of a layer beyond its mark as new, and moves the mark. */
  #countNew(layer: Layer, received: number): void {
    if (received > layer.mark) {
      this.#newBytes += received - layer.mark;
      layer.mark = received;
    } else if (received < layer.received && layer.completed > layer.lostAt) {
      // Bytes were lost, for the first time since the layer reached a new maximum.
      layer.mark = received;
      layer.lostAt = layer.completed;
    }
  }

  #raiseFraction(): void {
    if (this.hasSucceeded) {
      this.#fraction = 1;
      return;
    }
    const { completed, total, unsizedBytes } = this.#layers;
    const uncounted = this.#totalSource === undefined ? unsizedBytes + this.#bytesHeldBack : 0;
    const countedTotal = total - uncounted;
    if (countedTotal === 0) return;
    const share = (completed - uncounted) / countedTotal;
    this.#fraction = Math.max(this.#fraction, Math.min(share, MAX_FRACTION));
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof Object(value).then === "function";
}

/**
 * The size of each layer, by digest. A layer that is listed twice counts once.
 *
 * @throws {TypeError} If it is not a list, or a layer has no digest or no size.
 */
function readSizes(layers: Iterable<LayerSize>): Map<string, number> {
  if (typeof Object(layers)[Symbol.iterator] !== "function") {
    throw new TypeError("Cannot use the layers: they must be a list, as in a manifest");
  }
  const sizes = new Map<string, number>();
  for (const { digest, size } of layers) {
    if (typeof digest !== "string" || digest === "" || !isByteCount(size)) {
      const layer = quote(`${digest}, ${size}`);
      throw new TypeError(
        `Cannot use the layer ${layer}: it needs a digest, and a size that is a whole number of bytes`,
      );
    }
    sizes.set(digest, size);
  }
  return sizes;
}
