/**
 * A model of what a server has on disk: bounds on the bytes of each layer, from both sides.
 *
 *     lines, leaving, time ──▶ HeldModel ──▶ floors: the fewest bytes that the next answer may report
 *                                       └──▶ ceilings: the most, by how fast the server has been
 *
 * Floors hold under any load of the machine. Ceilings depend on measured times, with a margin.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import type { Pace } from "./pace.ts";

/** The cause of a pull, which determines the rule that it breaks if it goes wrong. */
export type Cause =
  | "alone"
  | "kept"
  | "shared"
  | "left"
  | "beside"
  | "refused"
  | "whole"
  | "changed";

/** The rule that is broken, by cause. */
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

/** The fewest bytes of a layer that a server may report, and why. */
export interface Floor {
  readonly bytes: number;
  /** Whether that is the whole layer. */
  readonly isWhole: boolean;
  readonly because: Cause;
}

/** What is known of a layer. */
interface HeldLayer {
  /** Its size, once it is known. */
  total: number | undefined;
  /** The least number of bytes on disk. */
  bytes: number;
  /** Whether it is complete. */
  isWhole: boolean;
  /** Whether all of it belongs to a pull that has succeeded. */
  isInstalled: boolean;
}

/** A number of bytes at some point of the total pull time. */
interface Ceiling {
  readonly bytes: number;
  readonly atMs: number;
}

/** Options of {@link HeldModel}. */
export interface HeldModelOptions {
  /** The layers of the model, in the order of the manifest, if they are known. */
  readonly layers?: readonly LayerSize[] | undefined;
  /** Whether certainly none of them is on disk. */
  readonly isFresh: boolean;
  /** How fast the server is. */
  readonly pace: Pace;
}

/** What is known about a server's copy of a model. */
export class HeldModel {
  readonly #pace: Pace;
  readonly #layers = new Map<string, HeldLayer>();
  readonly #ceilings = new Map<string, Ceiling>();
  /** The first ceiling of each layer, so that bytes skipped now and then add up. */
  readonly #firstCeilings = new Map<string, Ceiling>();
  /** Whether layers that were not reported yet are certainly not on disk. */
  #isFresh: boolean;
  #callers = 0;
  /** The total time during which somebody pulled, up to {@link #countedAt}, in milliseconds. */
  #pulledMs = 0;
  #countedAt = 0;
  /** The digests of layers that only previous versions of the model have. */
  readonly #removed = new Set<string>();
  /** The digests in the manifest of this version. */
  #manifest: ReadonlySet<string> = new Set();
  /** Whether another version was published since the last pull. */
  #isChanged = false;
  /** Whether a request was refused since the last pull. */
  #hasRefused = false;

  constructor({ layers = [], isFresh, pace }: HeldModelOptions) {
    this.#pace = pace;
    this.#isFresh = isFresh && layers.length > 0;
    this.publish(layers);
    this.#isChanged = false;
  }

  /** How many callers are pulling. */
  get callers(): number {
    return this.#callers;
  }

  /** What is on disk, in one word, for the states that walks enter. */
  get state(): "nothing" | "part" | "layers" | "all" {
    const layers = [...this.#layers.values()];
    if (layers.some(({ isInstalled }) => isInstalled)) return "all";
    if (layers.some(({ isWhole }) => isWhole)) return "layers";
    return layers.some(({ bytes }) => bytes > 0) ? "part" : "nothing";
  }

  /** The cause of a pull that starts now. */
  get cause(): Cause {
    if (this.#hasRefused) return "refused";
    if (this.#callers > 0) return "shared";
    const { state } = this;
    if (state === "nothing") return "alone";
    if (this.#isChanged) return "changed";
    return state === "all" ? "whole" : "kept";
  }

  /** Adds a caller. Returns the floors for it. */
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

  /** Removes a caller. */
  leave(now: number): void {
    this.#countTo(now);
    this.#callers--;
  }

  /** Records a refused request. */
  refuse(): void {
    this.#hasRefused = true;
  }

  /** Records a report that some bytes of a layer are on disk. */
  hold(digest: string, bytes: number, total: number | undefined): void {
    const layer = this.#layerOf(digest);
    layer.total ??= total;
    layer.bytes = Math.max(layer.bytes, Math.min(bytes, layer.total ?? bytes));
    if (layer.bytes === layer.total) this.complete(digest);
  }

  /** Records that a layer is complete. */
  complete(digest: string): void {
    const layer = this.#layerOf(digest);
    layer.isWhole = true;
    layer.bytes = layer.total ?? layer.bytes;
    this.#dropCeilings(digest);
  }

  /** Records that a pull has succeeded. */
  succeed(): void {
    this.#isChanged = false;
    for (const [digest, layer] of this.#layers) {
      this.complete(digest);
      layer.isInstalled = true;
    }
  }

  /** Records bytes of a layer seen just now, which limits how many there can be soon after. */
  limit(digest: string, bytes: number, now: number): void {
    this.#countTo(now);
    if (this.#layerOf(digest).isWhole) return;
    const ceiling = { bytes, atMs: this.#pulledMs };
    this.#ceilings.set(digest, ceiling);
    if (!this.#firstCeilings.has(digest)) this.#firstCeilings.set(digest, ceiling);
  }

  /** The most bytes of a layer that can be on disk, if anything is known about that. */
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

  /** Whether all layers can be complete. */
  canBeWhole(now: number): boolean {
    return [...this.#layers].every(([digest, { total = 0 }]) =>
      (this.ceilingOf(digest, now) ?? Infinity) >= total
    );
  }

  /** The size of a layer, if it is known. */
  totalOf(digest: string): number | undefined {
    return this.#layers.get(digest)?.total;
  }

  /** Forgets what is on disk, as when the model was deleted. */
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
   * Replaces the layers of the model. Layers that are not in the new version are forgotten, and so are
   * partial layers, which no server promises to keep for another version.
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

  /** The digests of the layers, in the order of the manifest, or in which they were first reported. */
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
