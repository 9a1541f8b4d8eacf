/**
 * Findings about rules that do not come from their own inputs: from invariants that watch every exchange of a
 * run, and from walks through the states of a subject.
 *
 * @module
 */

import type { StateCount } from "./report.ts";
import type { Violation } from "./rule.ts";

/** Where something was found. */
export interface Place {
  /** The id of the rule that was being tested, or `walk`. */
  readonly during: string;
  /** What was done, step by step, in words and requests that a person can repeat. */
  readonly steps?: readonly string[] | undefined;
  /** The seed, and the path of the input if it has its own. */
  readonly path?: string | undefined;
  /** How many inputs had been tried by then. */
  readonly foundAfter?: number | undefined;
  /** How many times that input was shrunk. */
  readonly shrinks?: number | undefined;
}

/** How a rule was broken. */
export interface Breach extends Place {
  /** What was expected, and what was seen. */
  readonly violation: Violation;
}

/** Findings by rule. */
export class Findings {
  readonly #found = new Map<string, Breach>();
  readonly #counts = new Map<string, number>();
  readonly #states = new Map<string, number>();

  /** Records that a rule is broken. A shorter counterexample replaces a longer one. */
  add(id: string, breach: Breach): void {
    const before = this.#found.get(id);
    if (before === undefined || lengthOf(breach) < lengthOf(before)) this.#found.set(id, breach);
  }

  /** Records evidence for a rule. */
  saw(id: string): void {
    this.#counts.set(id, this.countOf(id) + 1);
  }

  /** Records that a walk entered a state. A state that was never entered was not tested. */
  enter(state: string): void {
    this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
  }

  /** The states that walks entered, by name, with how often. */
  get states(): readonly StateCount[] {
    return Array.from(this.#states, ([state, times]) => ({ state, times }))
      .sort((a, b) => a.state < b.state ? -1 : 1);
  }

  /** How a rule is broken, if it is. */
  of(id: string): Breach | undefined {
    return this.#found.get(id);
  }

  /** How many times there was evidence for a rule. */
  countOf(id: string): number {
    return this.#counts.get(id) ?? 0;
  }
}

/** How long a counterexample is to read. A walk without steps cannot be repeated, so it counts as longest. */
function lengthOf({ steps, during, violation }: Breach): number {
  if (steps === undefined) return during === "walk" ? Infinity : lengthOfExchanges(violation);
  return steps.length * 1_000 + lengthOfExchanges(violation);
}

function lengthOfExchanges(violation: Violation): number {
  const chunks = violation.exchanges.flatMap(({ answer }) => answer?.chunks ?? []);
  return chunks.join("").length;
}
