/**
 * How often something happened, by its kind.
 *
 * @module
 */

/** Counts by kind. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** Counts one more of a kind. */
  add(kind: string, times = 1): void {
    this.#counts.set(kind, this.of(kind) + times);
  }

  /** How many of a kind there were. */
  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** How many there were of all kinds. */
  get sum(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  /** The kinds in order of the alphabet, each with its count. */
  toString(): string {
    const counts = [...this.#counts].sort(([a], [b]) => a < b ? -1 : 1);
    return counts.map(([kind, count]) => `${kind} ${count}`).join(", ") || "none";
  }
}
