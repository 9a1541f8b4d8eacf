/**
 * The states of a server that walks have entered: what was not entered was not seen, which is not to say
 * that it is right.
 *
 * @module
 */

/** How many times each state was entered. */
export class StatesEntered {
  readonly #times = new Map<string, number>();

  /** Notes that a state was entered. */
  enter(state: string): void {
    this.#times.set(state, (this.#times.get(state) ?? 0) + 1);
  }

  /** The states, in the order of the alphabet, each with how many times it was entered. */
  get table(): readonly { readonly state: string; readonly times: number }[] {
    return Array.from(this.#times, ([state, times]) => ({ state, times }))
      .sort((a, b) => a.state < b.state ? -1 : 1);
  }
}
