/**
 * Which layers to show where there is no room for all of them: those that move.
 *
 * That a layer is not done says too little. A server that pulls one layer after another often leaves
 * the last bytes of each unsaid (observed), so that all of them look unfinished until the end; one
 * that pulls them in parallel announces all of them first.
 *
 * @module
 */

import type { PullLayer } from "../../mod.ts";

/** For how many looks a layer counts as moving, so that the choice does not flicker. */
const MOVING_LOOKS = 5;

/** Remembers when each layer last changed, counted in looks. */
export class LayerInterest {
  readonly #changedAt: number[] = [];
  #seen: readonly PullLayer[] = [];
  #looks = 0;

  /** The layers, the most interesting first. To be called at each redraw. */
  rank(layers: readonly PullLayer[]): PullLayer[] {
    this.#looks++;
    for (const [index, layer] of layers.entries()) {
      // A snapshot shares the layers that did not change with the one before it.
      if (layer !== this.#seen[index]) this.#changedAt[index] = this.#looks;
    }
    this.#seen = layers;
    return layers
      .map((layer, index) => ({ layer, rank: this.#rank(layer, index) }))
      .sort((a, b) => b.rank - a.rank) // those of the same rank stay in order
      .map(({ layer }) => layer);
  }

  #rank(layer: PullLayer, index: number): number {
    const changedAt = this.#changedAt[index] ?? 0;
    const isMoving = !layer.done && this.#looks - changedAt < MOVING_LOOKS;
    return isMoving ? Infinity : changedAt;
  }
}
