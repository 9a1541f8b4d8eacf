/**
 * Several reports side by side: rules by implementations.
 *
 * Reports about the same implementation (side, name, version and runtime) share a column. So CI jobs that
 * each run some of the rules, or the same rules with other seeds, are combined, while runs on different
 * runtimes stay separate. If two reports contain the same rule, a counterexample outweighs any number of runs
 * without one, and a rule that was seen outweighs one that was not. So no verdict depends on the order in
 * which a shell lists the files.
 *
 * @module
 */

import type { Report, RuleResult, SubjectInfo, Verdict } from "../report.ts";
import type { RuleInfo, Side } from "../rule.ts";
import { sectionOf, sectionTitle } from "./words.ts";

/** Rules by implementations, for one side of the protocol. */
export interface Matrix {
  /** Which side was tested. */
  readonly side: Side;
  /** The columns, in the order in which the reports were given. */
  readonly implementations: readonly Implementation[];
  /** The rows, by section. */
  readonly sections: readonly MatrixSection[];
}

/** One implementation on one runtime. */
export interface Implementation {
  /** The implementation. */
  readonly subject: SubjectInfo;
  /** The runtime of the tests. */
  readonly runtime: string;
  /** Its results by rule id. */
  readonly findings: ReadonlyMap<string, Finding>;
}

/** The rules of one section. */
export interface MatrixSection {
  /** The name of the section. */
  readonly title: string;
  /** Its rules. */
  readonly rules: readonly RuleInfo[];
}

/** The result for a rule, and the run it comes from. */
export interface Finding {
  /** The run. */
  readonly report: Report;
  /** The result. */
  readonly result: RuleResult;
}

/** Verdicts that outweigh others get higher numbers. */
const WEIGHTS: Readonly<Record<Verdict, number>> = {
  broken: 4,
  hung: 3,
  kept: 2,
  "not seen": 1,
  skipped: 0,
};

/** Arranges reports side by side, in one matrix per side with reports, servers first. */
export function mergeReports(reports: readonly Report[]): Matrix[] {
  return (["server", "client"] as const)
    .map((side) => ({ side, ofSide: reports.filter((report) => report.side === side) }))
    .filter(({ ofSide }) => ofSide.length > 0)
    .map(({ side, ofSide }) => ({
      side,
      implementations: groupBy(ofSide, implementationKey).map(mergeImplementation),
      sections: listSections(ofSide),
    }));
}

function implementationKey({ subject, runtime }: Report): string {
  return JSON.stringify([subject.name, subject.version, runtime]);
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function mergeImplementation(reports: readonly Report[]): Implementation {
  const { subject, runtime } = reports[0]!;
  const findings = new Map<string, Finding>();
  for (const report of reports) {
    for (const result of report.results) {
      const known = findings.get(result.id);
      if (known === undefined || WEIGHTS[result.verdict] > WEIGHTS[known.result.verdict]) {
        findings.set(result.id, { report, result });
      }
    }
  }
  return { subject, runtime, findings };
}

/** Longer reports first, since they determine the order of most sections. */
function listSections(reports: readonly Report[]): MatrixSection[] {
  const results = reports.toSorted((a, b) => b.results.length - a.results.length)
    .flatMap((report) => report.results);
  const rules = groupBy(results, ({ id }) => id).map(([first]) => first!);
  const byNumber = new Intl.Collator("en", { numeric: true });
  return groupBy(rules, ({ id }) => sectionOf(id)).map((ofSection) => ({
    title: sectionTitle(sectionOf(ofSection[0]!.id)),
    rules: ofSection.toSorted((a, b) => byNumber.compare(a.id, b.id)),
  }));
}

/** The results of an implementation, in the order of the rows. */
export function resultsOf(implementation: Implementation): RuleResult[] {
  return Array.from(implementation.findings.values(), ({ result }) => result);
}
