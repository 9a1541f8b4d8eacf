/**
 * The state of the layers of a pull, and the sums over all of them. The sums are updated rather than
 * recomputed, so a status costs the same with one layer or thousands.
 *
 * @module
 */

import { PullError } from "./errors.ts";
import { layerName } from "./layer_name.ts";
import type { PullLayer } from "./snapshot.ts";

/** The most layers that are followed: far more than any model has, and few enough to keep in memory. */
export const MAX_LAYERS = 10_000;

/**
 * The most layers without a digest. A server may word every status differently, in ways that
 * {@link layerName} does not recognize. From this number of names on, each new name counts as the layer that
 * was named last.
 */
const MAX_NAMES = 1_000;

/** One layer, and what the server has reported about it. */
export interface Layer {
  index: number;
  readonly digest: string | undefined;
  /** The server's words for it, if it has no digest. */
  readonly name: string;
  /** Its size in bytes, once it is known. */
  total: number | undefined;
  /** The most bytes that were present at any time. */
  completed: number;
  /** The bytes that the server reported last: fewer than `completed` after a rollback. */
  received: number;
  /** Bytes beyond this number are new; see {@link ProgressTracker.newBytes}. */
  mark: number;
  /** The most bytes that were present when the mark was last set back. */
  lostAt: number;
  /** When the server last reported the layer, in milliseconds. */
  lastReportAt: number;
  /**
   * When the connection first reported the layer, or last rolled it back: bytes present by then do not
   * count towards the speed. `Infinity` until the layer is reported.
   */
  measuredFrom: number;
  /** Whether the server has reported it, and its size is known. */
  isAnnounced: boolean;
  /** Whether the layer has changed since the list for snapshots was made. */
  isChanged: boolean;
}

/** The layers of a pull, in the order in which they were first seen. */
export class LayerSet {
  readonly #byDigest = new Map<string, Layer>();
  readonly #byName = new Map<string, Layer>();
  #latestNamed: Layer | undefined;
  /** Layers that were added or reopened since all were last marked complete. Some may have finished since. */
  readonly #unfinished = new Set<Layer>();
  #completed = 0;
  #total = 0;
  #received = 0;
  #unsizedBytes = 0;
  #unsizedLayers = 0;

  /** The list in the latest snapshot. It is never mutated: a new list replaces it. */
  #list: readonly PullLayer[] = [];
  readonly #changed: Layer[] = [];

  /** How many bytes are present, over all layers. */
  get completed(): number {
    return this.#completed;
  }

  /** The size of all layers, in bytes. A layer of unknown size counts with the bytes that are present. */
  get total(): number {
    return this.#total;
  }

  /** How many bytes the server reported last, over all layers. */
  get received(): number {
    return this.#received;
  }

  /** How many bytes are present of layers whose size is unknown. */
  get unsizedBytes(): number {
    return this.#unsizedBytes;
  }

  /** Whether the size of every layer is known. */
  get areAllSized(): boolean {
    return this.#unsizedLayers === 0;
  }

  /** How many layers there are. */
  get size(): number {
    return this.#byDigest.size + this.#byName.size;
  }

  /** Finds a layer by its digest or, if that is absent, by the server's words. */
  find(digest: string | undefined, words = ""): Layer | undefined {
    if (digest !== undefined) return this.#byDigest.get(digest);
    const layer = this.#byName.get(words) ?? this.#byName.get(layerName(words));
    return layer ?? (this.#byName.size < MAX_NAMES ? undefined : this.#latestNamed);
  }

  /**
   * Adds a layer.
   *
   * @throws {PullError} `malformed`, if there are too many.
   */
  add(digest: string | undefined, words = "", total?: number): Layer {
    if (this.size >= MAX_LAYERS) {
      const limit = MAX_LAYERS.toLocaleString("en");
      throw new PullError("malformed", `The server named more than ${limit} layers`);
    }
    const layer: Layer = {
      index: this.size,
      digest,
      name: digest === undefined ? layerName(words) : "",
      total: undefined,
      completed: 0,
      received: 0,
      mark: 0,
      lostAt: 0,
      lastReportAt: 0,
      measuredFrom: Infinity,
      isAnnounced: false,
      isChanged: false,
    };
    if (digest === undefined) this.#byName.set(layer.name, this.#latestNamed = layer);
    else this.#byDigest.set(digest, layer);
    this.#unfinished.add(layer);
    this.#unsizedLayers++;
    this.#markChanged(layer);
    this.update(layer, total, 0);
    return layer;
  }

  /**
   * Takes the sizes of all layers of the model, by digest. Returns `false`, and takes nothing, if there is
   * a layer that is not among them.
   */
  takeSizes(sizes: ReadonlyMap<string, number>): boolean {
    for (const digest of this.#byDigest.keys()) if (!sizes.has(digest)) return false;
    if (this.#byName.size > 0) return false;
    for (const [digest, size] of sizes) {
      const layer = this.find(digest);
      if (layer === undefined) {
        this.add(digest, "", size);
      } else if (!layer.isAnnounced) {
        layer.isAnnounced = true;
        const { completed } = layer;
        const total = Math.max(size, completed);
        this.update(layer, total, completed === layer.total ? total : completed);
      }
    }
    return true;
  }

  /** Removes the layers that were listed but never reported. (While there are any, all have digests.) */
  removeUnreported(): void {
    const layers = [...this.#byDigest.values()];
    this.#byDigest.clear();
    this.#changed.length = 0;
    this.#list = [];
    for (const layer of layers) {
      if (layer.isAnnounced) {
        layer.index = this.#byDigest.size;
        this.#byDigest.set(layer.digest!, layer);
        layer.isChanged = false;
        this.#markChanged(layer);
      } else {
        this.#total -= layer.total!;
        this.#unfinished.delete(layer);
      }
    }
  }

  /** Reopens a complete layer, which then may grow. */
  reopen(layer: Layer): void {
    layer.isAnnounced = false;
    this.#unfinished.add(layer);
  }

  /** Updates the size of a layer and its bytes. A known size must not become unknown. */
  update(layer: Layer, total: number | undefined, completed: number): void {
    if (total === layer.total && completed === layer.completed) return;
    if (layer.total === undefined) {
      this.#unsizedBytes -= layer.completed;
      if (total === undefined) this.#unsizedBytes += completed;
      else this.#unsizedLayers--;
    }
    this.#total += (total ?? completed) - (layer.total ?? layer.completed);
    this.#completed += completed - layer.completed;
    if (total !== layer.total) layer.total = total; // assigning a number may allocate
    layer.completed = completed;
    this.#markChanged(layer);
  }

  /** Records how many bytes of a layer the server reports. */
  setReceived(layer: Layer, received: number): void {
    this.#received += received - layer.received;
    layer.received = received;
  }

  /** Marks every layer as complete: a later phase has begun, and servers seldom report the last bytes. */
  completeAll(): void {
    for (const layer of this.#unfinished) {
      const total = layer.total ?? layer.completed;
      this.update(layer, total, total);
    }
    this.#unfinished.clear();
    this.#received = this.#total;
  }

  /** Forgets when each layer was reported: a new connection first reports the bytes already present. */
  restart(): void {
    for (const layer of this.#unfinished) layer.measuredFrom = Infinity;
  }

  /** The current layers. The same array as before, if none of them has changed. */
  list(): readonly PullLayer[] {
    if (this.#changed.length === 0) return this.#list;
    let list: PullLayer[] | undefined;
    for (const layer of this.#changed) {
      layer.isChanged = false;
      const shown = this.#list[layer.index];
      // It may have changed back.
      if (shown?.completed === layer.completed && shown.total === layer.total) continue;
      list ??= this.#list.slice();
      list[layer.index] = describe(layer);
    }
    while (this.#changed.length > 0) this.#changed.pop(); // V8 is slow to set a length
    return this.#list = list ?? this.#list;
  }

  #markChanged(layer: Layer): void {
    if (layer.isChanged) return;
    layer.isChanged = true;
    this.#changed.push(layer);
  }
}

function describe({ digest, name: status, total, completed }: Layer): PullLayer {
  const done = completed === total;
  if (digest === undefined) {
    return total === undefined ? { status, completed, done } : { status, total, completed, done };
  }
  return total === undefined ? { digest, completed, done } : { digest, total, completed, done };
}
