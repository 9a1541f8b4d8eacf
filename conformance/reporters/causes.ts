/**
 * What is broken, with what is broken because of it below.
 *
 * @module
 */

import { isBroken, type RuleResult } from "../report.ts";

/** A broken rule, and those that only break because it does. */
export interface Breach {
  /** The rule that breaks by itself. */
  readonly root: RuleResult;
  /** The rules that break because of it. */
  readonly dependents: readonly RuleResult[];
}

/**
 * The broken rules of a report. One whose cause is not broken in the report stands by itself, and so does
 * one that is its own cause by way of others.
 */
export function breachesOf(results: readonly RuleResult[]): Breach[] {
  const broken = results.filter(isBroken);
  const byId = new Map(broken.map((result) => [result.id, result]));
  const rootOf = (result: RuleResult): RuleResult => {
    const seen = new Set([result]);
    for (let root = result;;) {
      const cause = root.because === undefined ? undefined : byId.get(root.because);
      if (cause === undefined) return root;
      if (seen.has(cause)) return result;
      seen.add(cause);
      root = cause;
    }
  };
  const roots = new Map(broken.map((result) => [result, rootOf(result)]));
  return broken.filter((result) => roots.get(result) === result).map((root) => ({
    root,
    dependents: broken.filter((result) => result !== root && roots.get(result) === root),
  }));
}
