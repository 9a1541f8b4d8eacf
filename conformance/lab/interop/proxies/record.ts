/**
 * What the last run through all proxies has found, and the tables that are made of it for
 * `conformance/proxies/README.md`.
 *
 * @module
 */

import { isBroken, type Report, tally } from "../../../report.ts";
import type { RuleInfo } from "../../../rule.ts";
import { serverRules } from "../../../server/suite.ts";
import { table } from "../markdown.ts";
import { type InteropRecord, reportsOf } from "../record.ts";
import { patientRules, proxyRules } from "./rules.ts";

/** The rules that are tried through proxies. */
export const PROXY_RULES: readonly RuleInfo[] = [...serverRules, ...proxyRules, ...patientRules];

/** The tables of a record: what each proxy breaks, and why. */
export function renderProxyTables(record: InteropRecord): string {
  const reports = reportsOf(record, PROXY_RULES);
  const rows = reports.map(({ subject, results }) => [
    subject.name,
    subject.version ?? "",
    scoreOf(results),
    results.filter(isBroken).map(({ id }) => id).join(", ") || "nothing",
  ]);
  const reasons = reports.flatMap(({ subject, results }) =>
    results.filter(isBroken)
      .map(({ id, title, reason = "" }) => [subject.name, `${id}: ${title}`, reason])
  );
  return [
    table(["Proxy and configuration", "Version", "Rules kept", "Breaks"], rows),
    table(["Proxy and configuration", "Rule", "Because"], reasons),
  ].join("\n\n");
}

/** How many rules are kept, of how many that were seen. */
function scoreOf(results: Report["results"]): string {
  const { kept, broken, hung } = tally(results);
  return `${kept}/${kept + broken + hung}`;
}
