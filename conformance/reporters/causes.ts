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

/** The broken rules of a report. One whose cause is not in the report stands by itself. */
export function breachesOf(results: readonly RuleResult[]): Breach[] {
  const broken = results.filter(isBroken);
  const ids = new Set(broken.map(({ id }) => id));
  const isRoot = ({ because }: RuleResult) => because === undefined || !ids.has(because);
  return broken.filter(isRoot).map((root) => ({
    root,
    dependents: broken.filter((result) => !isRoot(result) && result.because === root.id),
  }));
}
