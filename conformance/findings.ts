/**
 * What is found about rules beside what they look for themselves: by invariants that watch every exchange
 * of a run, and by walks through the states of a subject.
 *
 * @module
 */

import type { StateCount } from "./report.ts";
import type { Violation } from "./rule.ts";

/** Where something was found. */
export interface Place {
  /** The id of the rule that was being tried, or `walk`. */
  readonly during: string;
  /** What was done, step by step, in words and requests that a person can repeat. */
  readonly steps?: readonly string[] | undefined;
  /** The seed and the path of the input, if it has a path of its own. */
  readonly path?: string | undefined;
  /** How many inputs were tried until then. */
  readonly foundAfter?: number | undefined;
  /** How many times that input was made smaller. */
  readonly shrinks?: number | undefined;
}

/** How a rule was broken. */
export interface Breach extends Place {
  /** What was expected, and seen. */
  readonly violation: Violation;
}

/** What is found, by rule. */
export class Findings {
  readonly #found = new Map<string, Breach>();
  readonly #counts = new Map<string, number>();
  readonly #states = new Map<string, number>();

  /** Notes that a rule is broken. What is short takes the place of what is long. */
  add(id: string, breach: Breach): void {
    const before = this.#found.get(id);
    if (before === undefined || lengthOf(breach) < lengthOf(before)) this.#found.set(id, breach);
  }

  /** Notes that something has shown what a rule is about. */
  saw(id: string): void {
    this.#counts.set(id, this.countOf(id) + 1);
  }

  /** Notes that a walk has entered a state: what was not entered was not seen, which is not to be right. */
  enter(state: string): void {
    this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
  }

  /** The states that walks have entered, by name, each with how many times. */
  get states(): readonly StateCount[] {
    return Array.from(this.#states, ([state, times]) => ({ state, times }))
      .sort((a, b) => a.state < b.state ? -1 : 1);
  }

  /** How a rule is broken, if it is. */
  of(id: string): Breach | undefined {
    return this.#found.get(id);
  }

  /** How many times something has shown what a rule is about. */
  countOf(id: string): number {
    return this.#counts.get(id) ?? 0;
  }
}

/** How much there is to read of a breach. Nobody can repeat a walk whose steps are not told. */
function lengthOf({ steps, during, violation }: Breach): number {
  if (steps === undefined) return during === "walk" ? Infinity : lengthOfExchanges(violation);
  return steps.length * 1_000 + lengthOfExchanges(violation);
}

function lengthOfExchanges(violation: Violation): number {
  const chunks = violation.exchanges.flatMap(({ answer }) => answer?.chunks ?? []);
  return chunks.join("").length;
}
