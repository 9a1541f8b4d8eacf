/**
 * Random choices that follow from a seed.
 *
 * @module
 */

import { seededNumbers } from "../../../mock/runtime/random.ts";

/** Dice whose throws are the same for the same keys. */
export class Dice {
  readonly #next: () => number;

  constructor(...keys: readonly (string | number)[]) {
    this.#next = seededNumbers("fuzz", ...keys);
  }

  /** A whole number from 0 (inclusive) to a limit (exclusive). */
  below(end: number): number {
    return this.#next() % end;
  }

  /** Whether an event with a probability of one in `times` happens. */
  isOneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of some items. There must be at least one. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}
