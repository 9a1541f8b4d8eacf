/**
 * Groups broken rules: each one with the rules that are broken because of it.
 *
 * @module
 */

import { isBroken, type RuleResult } from "../report.ts";

/** A broken rule, and the rules that are broken only because of it. */
export interface Breach {
  /** The rule that is broken by itself. */
  readonly root: RuleResult;
  /** The rules that are broken because of it. */
  readonly dependents: readonly RuleResult[];
}

/**
 * The broken rules of a report. A rule stands by itself if its cause is not broken in the report, or if
 * following the causes leads back to it.
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
