/**
 * Ranks layers for a screen that has no room for all of them: those that move come first.
 *
 * That a layer is incomplete is not enough. A server that pulls one layer after another often does not
 * report the last bytes of each (observed), so all of them look incomplete until the end; one that pulls
 * them in parallel announces all of them first.
 *
 * @module
 */

import type { PullLayer } from "../../mod.ts";

/** For how many redraws a layer counts as moving, so that the choice does not flicker. */
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
      // Snapshots share the layers that did not change.
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
