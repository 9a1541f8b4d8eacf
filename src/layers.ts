/**
 * What is known of the layers of a pull, and the sums over all of them. The sums are kept up to date
 * rather than made anew, so that a status costs the same with one layer or thousands.
 *
 * @module
 */

import { PullError } from "./errors.ts";
import { layerName } from "./layer_name.ts";
import type { PullLayer } from "./snapshot.ts";

/** The most layers that are followed: many times those of any model, and few enough to be kept. */
export const MAX_LAYERS = 10_000;

/**
 * The most layers without a digest. The words of some servers may change with every status, in ways that
 * nobody has foreseen: what comes after so many names counts as the layer that was named last.
 */
const MAX_NAMES = 1_000;

/** One layer, and what the server said of it. */
export interface Layer {
  index: number;
  readonly digest: string | undefined;
  /** The server's words for it, if it has no digest. */
  readonly name: string;
  /** Its size in bytes, once that is known. */
  total: number | undefined;
  /** The most bytes that were present at any time. */
  completed: number;
  /** The bytes that the server reported last: fewer than `completed` after a rollback. */
  received: number;
  /** Beyond how many bytes one is new; see {@link ProgressTracker.newBytes}. */
  mark: number;
  /** The most bytes that were present when the mark was last set back. */
  lostAt: number;
  /** When the server reported them. */
  lastReportAt: number;
  /**
   * When the connection first reported the layer, or last rolled it back: bytes present by then do not
   * count towards the speed. `Infinity` until the layer is reported.
   */
  measuredFrom: number;
  /** Whether the server has reported it, and its size is known. */
  isAnnounced: boolean;
  /** Whether the list for snapshots shows an earlier state of it. */
  isChanged: boolean;
}

/** The layers of a pull, in the order in which they were first seen. */
export class LayerSet {
  readonly #byDigest = new Map<string, Layer>();
  readonly #byName = new Map<string, Layer>();
  #latestNamed: Layer | undefined;
  /** The layers that were first seen, or have grown, since all were last completed. Some may be complete. */
  readonly #unfinished = new Set<Layer>();
  #completed = 0;
  #total = 0;
  #received = 0;
  #unsizedBytes = 0;
  #unsizedLayers = 0;

  /** The list that snapshots show. It never changes: a new one takes its place. */
  #list: readonly PullLayer[] = [];
  readonly #changed: Layer[] = [];

  /** The bytes that are present, over all layers. */
  get completed(): number {
    return this.#completed;
  }

  /** The size in bytes of all layers; of those whose size is unknown, the bytes that are present. */
  get total(): number {
    return this.#total;
  }

  /** The bytes that the server reported last, over all layers. */
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

  /** The layer of a digest or, if that is absent, of the server's words, if there is one. */
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
   * Takes the sizes of all layers of the model, by digest. Returns whether it has: not if there is a
   * layer that is not among them.
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

  /** Removes the layers that were only listed. While there are such, each layer has a digest. */
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

  /** Lets a layer that was complete grow. */
  reopen(layer: Layer): void {
    layer.isAnnounced = false;
    this.#unfinished.add(layer);
  }

  /** Takes what is now known of a layer. A size that is known stays known. */
  update(layer: Layer, total: number | undefined, completed: number): void {
    if (total === layer.total && completed === layer.completed) return;
    if (layer.total === undefined) {
      this.#unsizedBytes -= layer.completed;
      if (total === undefined) this.#unsizedBytes += completed;
      else this.#unsizedLayers--;
    }
    this.#total += (total ?? completed) - (layer.total ?? layer.completed);
    this.#completed += completed - layer.completed;
    if (total !== layer.total) layer.total = total; // engines allocate each number that is set
    layer.completed = completed;
    this.#markChanged(layer);
  }

  /** Takes how many bytes of a layer the server reports. */
  setReceived(layer: Layer, received: number): void {
    this.#received += received - layer.received;
    layer.received = received;
  }

  /** Completes every layer: the server has begun a later phase, and seldom reports the last bytes. */
  completeAll(): void {
    for (const layer of this.#unfinished) {
      const total = layer.total ?? layer.completed;
      this.update(layer, total, total);
    }
    this.#unfinished.clear();
    this.#received = this.#total;
  }

  /** Forgets when each layer was reported: a new connection tells what it finds present. */
  restart(): void {
    for (const layer of this.#unfinished) layer.measuredFrom = Infinity;
  }

  /** The layers as they are now. The same list as before, if none of them has changed. */
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
