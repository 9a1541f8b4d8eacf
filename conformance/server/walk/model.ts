/**
 * A model of what a server holds while it is asked for one model: the bytes of each layer from both sides.
 *
 *     lines, leaving, time ──▶ HeldModel ──▶ floors: the fewest bytes that the next answer may tell of
 *                                       └──▶ ceilings: the most, by how fast the server has been
 *
 * Floors hold whatever the load of the machine. Ceilings rest on time that was measured, with a margin.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import type { Pace } from "./pace.ts";

/** The circumstances of a pull: they say which rule it breaks if it goes wrong. */
export type Cause =
  | "alone"
  | "kept"
  | "shared"
  | "left"
  | "beside"
  | "refused"
  | "whole"
  | "changed";

/** The rule that is broken by what goes wrong under some circumstances. */
export const RULE_OF: Readonly<Record<Cause, string>> = {
  alone: "S-SEQ-3",
  kept: "S-RESUME-1",
  shared: "S-SHARE-1",
  left: "S-LEAVE-1",
  beside: "S-OTHER-1",
  refused: "S-ERR-11",
  whole: "S-AGAIN-1",
  changed: "S-AGAIN-2",
};

/** The fewest bytes of a layer that a server may tell of, and why. */
export interface Floor {
  readonly bytes: number;
  /** Whether that is all of the layer. */
  readonly isWhole: boolean;
  readonly because: Cause;
}

/** What is known of a layer. */
interface HeldLayer {
  /** Its size, once it is known. */
  total: number | undefined;
  /** The bytes that are there at least. */
  bytes: number;
  /** Whether all of it is there. */
  isWhole: boolean;
  /** Whether all of it belongs to a pull that has succeeded. */
  isInstalled: boolean;
}

/** A number of bytes at a moment of the time during which somebody pulls. */
interface Ceiling {
  readonly bytes: number;
  readonly atMs: number;
}

/** Options of {@link HeldModel}. */
export interface HeldModelOptions {
  /** The layers of the model, in the order of the manifest, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
  /** Whether none of them is there, for certain. */
  readonly isFresh: boolean;
  /** How fast the server is. */
  readonly pace: Pace;
}

/** What a server holds of a model. */
export class HeldModel {
  readonly #pace: Pace;
  readonly #layers = new Map<string, HeldLayer>();
  readonly #ceilings = new Map<string, Ceiling>();
  /** The first of the ceilings of each layer, so that what is skipped now and then adds up. */
  readonly #firstCeilings = new Map<string, Ceiling>();
  /** Whether a layer that no line has told of yet is not there. */
  #isFresh: boolean;
  #callers = 0;
  /** For how long somebody has pulled, up to {@link #countedAt}. */
  #pulledMs = 0;
  #countedAt = 0;
  /** The digests of layers that only previous versions of the model have. */
  readonly #removed = new Set<string>();
  /** The digests in the manifest of this version. */
  #manifest: ReadonlySet<string> = new Set();
  /** Whether the model was published anew since it was pulled. */
  #isChanged = false;
  /** Whether a request was refused since the last pull. */
  #hasRefused = false;

  constructor({ layers = [], isFresh, pace }: HeldModelOptions) {
    this.#pace = pace;
    this.#isFresh = isFresh && layers.length > 0;
    this.publish(layers);
    this.#isChanged = false;
  }

  /** How many callers pull. */
  get callers(): number {
    return this.#callers;
  }

  /** What is there, in a word: for the states that were entered. */
  get state(): "nothing" | "part" | "layers" | "all" {
    const layers = [...this.#layers.values()];
    if (layers.some(({ isInstalled }) => isInstalled)) return "all";
    if (layers.some(({ isWhole }) => isWhole)) return "layers";
    return layers.some(({ bytes }) => bytes > 0) ? "part" : "nothing";
  }

  /** The circumstances of a pull that begins now. */
  get cause(): Cause {
    if (this.#hasRefused) return "refused";
    if (this.#callers > 0) return "shared";
    const { state } = this;
    if (state === "nothing") return "alone";
    if (this.#isChanged) return "changed";
    return state === "all" ? "whole" : "kept";
  }

  /** Another caller pulls from now on. Returns the floors of what it may be told. */
  join(now: number): Map<string, Floor> {
    const { cause } = this;
    const floors = new Map<string, Floor>();
    for (const [digest, { bytes, isWhole, isInstalled }] of this.#layers) {
      if (bytes === 0 && !isWhole) continue;
      const isSettled = isInstalled && !this.#hasRefused;
      const because = isSettled ? this.#isChanged ? "changed" : "whole" : cause;
      floors.set(digest, { bytes, isWhole, because });
    }
    this.#countTo(now);
    this.#callers++;
    this.#hasRefused = false;
    return floors;
  }

  /** A caller does not pull any more. */
  leave(now: number): void {
    this.#countTo(now);
    this.#callers--;
  }

  /** A request was refused. */
  refuse(): void {
    this.#hasRefused = true;
  }

  /** The server has told that some bytes of a layer are there. */
  hold(digest: string, bytes: number, total: number | undefined): void {
    const layer = this.#layerOf(digest);
    layer.total ??= total;
    layer.bytes = Math.max(layer.bytes, Math.min(bytes, layer.total ?? bytes));
    if (layer.bytes === layer.total) this.complete(digest);
  }

  /** All of a layer is there. */
  complete(digest: string): void {
    const layer = this.#layerOf(digest);
    layer.isWhole = true;
    layer.bytes = layer.total ?? layer.bytes;
    this.#dropCeilings(digest);
  }

  /** A pull has succeeded. */
  succeed(): void {
    this.#isChanged = false;
    for (const [digest, layer] of this.#layers) {
      this.complete(digest);
      layer.isInstalled = true;
    }
  }

  /** The bytes of a layer were seen just now: they cannot have become many more soon after. */
  limit(digest: string, bytes: number, now: number): void {
    this.#countTo(now);
    if (this.#layerOf(digest).isWhole) return;
    const ceiling = { bytes, atMs: this.#pulledMs };
    this.#ceilings.set(digest, ceiling);
    if (!this.#firstCeilings.has(digest)) this.#firstCeilings.set(digest, ceiling);
  }

  /** The most bytes of a layer that can be there, if anything is known about that. */
  ceilingOf(digest: string, now: number): number | undefined {
    const layer = this.#layers.get(digest);
    if (layer?.isWhole) return undefined;
    const start = this.#isFresh ? { bytes: 0, atMs: 0 } : undefined;
    const ceilings = [this.#ceilings.get(digest), this.#firstCeilings.get(digest), start]
      .filter((ceiling) => ceiling !== undefined);
    if (ceilings.length === 0) return undefined;
    this.#countTo(now);
    const mosts = ceilings.map(({ bytes, atMs }) => {
      const growth = this.#pace.growthIn(this.#pulledMs - atMs);
      return growth === undefined ? Infinity : bytes + growth;
    });
    const most = Math.min(...mosts);
    return most === Infinity ? undefined : most;
  }

  /** Whether all layers can be there. */
  canBeWhole(now: number): boolean {
    return [...this.#layers].every(([digest, { total = 0 }]) =>
      (this.ceilingOf(digest, now) ?? Infinity) >= total
    );
  }

  /** The size of a layer, if it is known. */
  totalOf(digest: string): number | undefined {
    return this.#layers.get(digest)?.total;
  }

  /** Nothing is known any more of what is there, as when the model was deleted. */
  forget(): void {
    for (const layer of this.#layers.values()) {
      layer.bytes = 0;
      layer.isWhole = false;
      layer.isInstalled = false;
    }
    this.#ceilings.clear();
    this.#firstCeilings.clear();
    this.#isFresh = false;
  }

  /**
   * The model has these layers now. Those that it had before and has not any more are forgotten, and so are
   * parts of layers, which nobody promises to keep for another version.
   */
  publish(layers: readonly LayerSize[]): void {
    const before = new Map(this.#layers);
    this.#layers.clear();
    for (const { digest, size } of layers) {
      const layer = before.get(digest);
      this.#layers.set(digest, layer?.isWhole ? layer : newLayer(size));
      this.#dropCeilings(digest);
    }
    for (const digest of this.#manifest) this.#removed.add(digest);
    this.#manifest = new Set(this.#layers.keys());
    for (const digest of this.#removed) {
      if (this.#layers.has(digest)) this.#removed.delete(digest);
    }
    if (before.size > 0) this.#isFresh = false;
    this.#isChanged = true;
  }

  /** Whether only previous versions of the model have a layer. */
  isRemoved(digest: string): boolean {
    return this.#removed.has(digest);
  }

  /** The digests of the layers, in the order of the manifest or in which they were reported first. */
  get digests(): readonly string[] {
    return [...this.#layers.keys()];
  }

  #layerOf(digest: string): HeldLayer {
    let layer = this.#layers.get(digest);
    if (!layer) this.#layers.set(digest, layer = newLayer(undefined));
    return layer;
  }

  #dropCeilings(digest: string): void {
    this.#ceilings.delete(digest);
    this.#firstCeilings.delete(digest);
  }

  #countTo(now: number): void {
    if (this.#callers > 0) this.#pulledMs += now - this.#countedAt;
    this.#countedAt = now;
  }
}

function newLayer(total: number | undefined): HeldLayer {
  return { total, bytes: 0, isWhole: false, isInstalled: false };
}
