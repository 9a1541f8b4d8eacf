/**
 * The result of a walk.
 *
 * @module
 */

import type { Exchange } from "../../exchange.ts";
import { Violation } from "../../rule.ts";

/** A rule is broken in a walk. */
export class BrokenRule extends Violation {
  /** The id of the rule. */
  readonly rule: string;

  /** Describes how a rule is broken. */
  constructor(rule: string, expected: string, seen: string, exchanges: readonly Exchange[]) {
    super(expected, seen, exchanges);
    this.rule = rule;
  }
}
