/**
 * Ranks layers for a screen that cannot show all of them: those making progress come first.
 *
 * Being incomplete is not enough. A server that pulls layers one after another often does not report their
 * last bytes (observed), so all of them look incomplete until the end; one that pulls them in parallel
 * announces all of them at the start.
 *
 * @module
 */

import type { PullLayer } from "../../mod.ts";

/** For how many redraws a layer counts as making progress, so that the selection does not flicker. */
const MOVING_REDRAWS = 5;

/** Remembers at which redraw each layer last changed. */
export class LayerInterest {
  readonly #changedAt: number[] = [];
  #seen: readonly PullLayer[] = [];
  #redraws = 0;

  /** The layers, the most interesting first. Call it once at each redraw. */
  rank(layers: readonly PullLayer[]): PullLayer[] {
    this.#redraws++;
    for (const [index, layer] of layers.entries()) {
      // Snapshots share unchanged layers.
      if (layer !== this.#seen[index]) this.#changedAt[index] = this.#redraws;
    }
    this.#seen = layers;
    return layers
      .map((layer, index) => ({ layer, rank: this.#rank(layer, index) }))
      .sort((a, b) => b.rank - a.rank) // a stable sort
      .map(({ layer }) => layer);
  }

  #rank(layer: PullLayer, index: number): number {
    const changedAt = this.#changedAt[index] ?? 0;
    const isMoving = !layer.done && this.#redraws - changedAt < MOVING_REDRAWS;
    return isMoving ? Infinity : changedAt;
  }
}
