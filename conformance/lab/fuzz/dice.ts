/**
 * Chance that follows from a seed.
 *
 * @module
 */

import { seededNumbers } from "../../../mock/runtime/random.ts";

/** Throws that are the same for the same keys. */
export class Dice {
  readonly #next: () => number;

  constructor(...keys: readonly (string | number)[]) {
    this.#next = seededNumbers("fuzz", ...keys);
  }

  /** A whole number from 0 up to, but not including, another one. */
  below(end: number): number {
    return this.#next() % end;
  }

  /** Whether something happens that happens once in so many times. */
  isOneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of some items, of which there must be one. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}
