/**
 * What the last run through all proxies has found, and the tables that are made of it for
 * `conformance/proxies/README.md`.
 *
 * @module
 */

import { LEVELS } from "../../../report.ts";
import { serverRules } from "../../../server/suite.ts";
import { type Entry, type InteropRecord, table } from "../record.ts";
import { patientRules, proxyRules } from "./rules.ts";

/** The ids of the rules that are tried through proxies. */
export const PROXY_RULES: readonly string[] = [...serverRules, ...proxyRules, ...patientRules]
  .map(({ id }) => id);

/** The tables of a record: what each proxy breaks, and why. */
export function renderProxyTables({ entries }: InteropRecord): string {
  const rows = entries.map((entry) => [
    entry.name,
    entry.version,
    scoreOf(entry),
    entry.breaks.map(({ id }) => id).join(", ") || "nothing",
  ]);
  const reasons = entries.flatMap(({ name, breaks }) =>
    breaks.map(({ id, title, because }) => [name, `${id}: ${title}`, because])
  );
  return [
    table(["Proxy and configuration", "Version", "Rules kept", "Breaks"], rows),
    table(["Proxy and configuration", "Rule", "Because"], reasons),
  ].join("\n\n");
}

/** How many rules of any level are kept, of how many. */
function scoreOf({ scores }: Entry): string {
  const sum = (field: "kept" | "tried") =>
    LEVELS.reduce((sum, level) => sum + scores[level][field], 0);
  return `${sum("kept")}/${sum("tried")}`;
}
