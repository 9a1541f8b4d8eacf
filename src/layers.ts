/**
 * What is known of the layers of a pull, and the sums over all of them. The sums are kept up to date
 * rather than made anew, so that a status costs the same with one layer or thousands.
 *
 * @module
 */

import { PullError } from "./errors.ts";
import type { PullLayer } from "./snapshot.ts";

/** The most layers that are followed: many times those of any model, and few enough to be kept. */
const MAX_LAYERS = 10_000;

/** One layer, and what the server said of it. */
export interface Layer {
  readonly index: number;
  readonly digest: string;
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
  /** Whether the list for snapshots shows an earlier state of it. */
  isChanged: boolean;
}

/** The layers of a pull, in the order in which they were first seen. */
export class LayerSet {
  readonly #byDigest = new Map<string, Layer>();
  /** The layers that were first seen since all were last completed. Some may be complete. */
  #unfinished: Layer[] = [];
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

  /** The layer of a digest, if there is one. */
  get(digest: string): Layer | undefined {
    return this.#byDigest.get(digest);
  }

  /**
   * Adds a layer.
   *
   * @throws {PullError} `malformed`, if there are too many.
   */
  add(digest: string, total?: number): Layer {
    if (this.#byDigest.size >= MAX_LAYERS) {
      const limit = MAX_LAYERS.toLocaleString("en");
      throw new PullError("malformed", `The server named more than ${limit} layers`);
    }
    const layer: Layer = {
      index: this.#byDigest.size,
      digest,
      total: undefined,
      completed: 0,
      received: 0,
      mark: 0,
      lostAt: 0,
      lastReportAt: 0,
      measuredFrom: Infinity,
      isChanged: false,
    };
    this.#byDigest.set(digest, layer);
    this.#unfinished.push(layer);
    this.#unsizedLayers++;
    this.#markChanged(layer);
    this.update(layer, total, 0);
    return layer;
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
    this.#unfinished = [];
    this.#received = this.#total;
  }

  /** Forgets when each layer was reported: a new connection tells what it finds present. */
  restart(): void {
    for (const layer of this.#unfinished) layer.measuredFrom = Infinity;
  }

  /** The layers as they are now. The same list as before, if none of them has changed. */
  list(): readonly PullLayer[] {
    if (this.#changed.length === 0) return this.#list;
    const list = this.#list.slice();
    for (const layer of this.#changed) {
      list[layer.index] = describe(layer);
      layer.isChanged = false;
    }
    this.#changed.length = 0;
    this.#list = list;
    return list;
  }

  #markChanged(layer: Layer): void {
    if (layer.isChanged) return;
    layer.isChanged = true;
    this.#changed.push(layer);
  }
}

function describe({ digest, total, completed }: Layer): PullLayer {
  if (total === undefined) return { digest, completed, done: false };
  return { digest, total, completed, done: completed === total };
}
