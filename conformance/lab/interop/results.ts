/**
 * The tables of a record: how many rules each implementation keeps, where it goes wrong, and the text of the
 * rules mentioned.
 *
 * @module
 */

import { isBroken, LEVELS, type Report, type RuleResult, tally } from "../../report.ts";
import { ENDINGS, subjectName } from "../../reporters/words.ts";
import { count, oneLine } from "../../reporters/texts.ts";
import type { Level, Side } from "../../rule.ts";
import { code, list, table } from "./markdown.ts";
import { type InteropRecord, newerThan, reportsOf, RULES } from "./record.ts";

const SIDES: readonly Side[] = ["server", "client"];
const HEADINGS: Readonly<Record<Side, string>> = { server: "Servers", client: "Clients" };

/** The tables for RESULTS.md. */
export function renderResults(record: InteropRecord): string {
  const reports = reportsOf(record);
  return [
    ...SIDES.flatMap((side) => [`## ${HEADINGS[side]}`, scoreTable(side, reports)]),
    "## Where each implementation goes wrong",
    ...reports.flatMap(details),
    "## The rules mentioned here",
    ruleTable(reports),
  ].join("\n\n");
}

/** How many rules each implementation of a side keeps, and which ones it breaks. */
function scoreTable(side: Side, reports: readonly Report[]): string {
  const rows = reports.filter((report) => report.side === side).map((report) => {
    const { subject, results } = report;
    const broken = results.filter(isBroken).map(ruleLink);
    return [
      hasDetails(report) ? `[${subject.name}](#${anchorOf(report)})` : subject.name,
      subject.version ?? "",
      ...LEVELS.map((level) => scoreOf(results, level, side)),
      broken.join(", ") || "nothing",
    ];
  });
  return table([side === "server" ? "Server" : "Client", "Version", ...LEVELS, "Breaks"], rows);
}

/** The rules of a level: kept / seen, and the total if it differs. */
function scoreOf(results: readonly RuleResult[], level: Level, side: Side): string {
  const { kept, broken, hung } = tally(results, level);
  const seen = kept + broken + hung;
  const all = RULES.filter((rule) => rule.side === side && rule.level === level).length;
  return seen < all ? `${kept}/${seen} of ${all}` : `${kept}/${seen}`;
}

/** Whether there is more to say about an implementation than that it keeps all rules. */
function hasDetails(report: Report): boolean {
  return report.results.some(({ verdict }) => verdict !== "kept") || newerThan(report).length > 0;
}

/** The rules that an implementation breaks, and those whose result is not known. */
function details(report: Report): string[] {
  if (!hasDetails(report)) return [];
  const { subject, results } = report;
  const broken = results.filter(isBroken);
  const breaks = broken.length === 0 ? "breaks nothing" : `breaks ${count(broken.length, "rule")}`;
  const title = `<a id="${anchorOf(report)}"></a>**${subjectName(subject)}** ${breaks}.`;
  const newer = newerThan(report);
  const unknown = [
    ...(newer.length > 0 ? [`Newer than its last run: ${list(newer.map(ruleLink))}.`] : []),
    ...byReason(results, "not seen").map(([reason, ids]) => `Not seen: ${ids} (${reason}).`),
    ...byReason(results, "skipped").map(([reason, ids]) => `Skipped: ${ids} (${reason}).`),
  ];
  const line = [title, ...unknown].join(" ");
  if (broken.length === 0) return [line];
  const rows = broken.map((result) => [
    `${ruleLink(result)} (${result.level})`,
    result.title,
    result.reason ?? "",
    bytesOf(result),
  ]);
  return [line, table(["Rule", "What it says", "Where it goes wrong", "Bytes"], rows)];
}

/** The rules with a verdict, by reason. */
function byReason(
  results: readonly RuleResult[],
  verdict: RuleResult["verdict"],
): [reason: string, links: string][] {
  const groups = Map.groupBy(
    results.filter((result) => result.verdict === verdict),
    ({ reason = "" }) => reason,
  );
  return Array.from(groups, ([reason, ofReason]) => [reason, list(ofReason.map(ruleLink))]);
}

/** Every rule that some implementation does not keep, in the order of the suites. */
function ruleTable(reports: readonly Report[]): string {
  const named = RULES.map((rule) => ({
    rule,
    results: reports.flatMap(({ results }) => results.filter(({ id }) => id === rule.id)),
  })).filter(({ rule, results }) =>
    results.some(({ verdict }) => verdict !== "kept") ||
    reports.some((report) => newerThan(report).includes(rule))
  );
  const rows = named.map(({ rule: { id, level, title }, results }) => [
    `<a id="${id.toLowerCase()}"></a>${id}`,
    level,
    title,
    String(results.filter(isBroken).length),
  ]);
  return table(["Rule", "Level", "What it says", "Broken by"], rows);
}

/** The id of a rule, linked to its text. Rules of the spec are bold. */
function ruleLink({ id, level }: Pick<RuleResult, "id" | "level">): string {
  const link = `[${id}](#${id.toLowerCase()})`;
  return level === "must" ? `**${link}**` : link;
}

function anchorOf({ subject }: Report): string {
  return subjectName(subject).toLowerCase().replace(/[^a-z\d.]+/g, "-");
}

/**
 * The smallest exchange that shows a violation: what a client is sent, or the request to a server and its
 * answer.
 */
function bytesOf({ side, failure }: RuleResult): string {
  const { expected = "", seen = "", exchanges: [exchange] = [] } = failure ?? {};
  if (side === "server") {
    const asked = exchange === undefined ? "" : `${exchange.request} → `;
    return code(oneLine(`${asked}${seen}, not ${expected}`));
  }
  const { status = 200, chunks = [], ending = "end" } = exchange?.answer ?? {};
  const head = status === 200 ? "" : `HTTP ${status} `;
  const end = ending === "end" ? "" : ` (${ENDINGS[ending]})`;
  const text = `${head}${chunks.join("‖")}${end}`.trim();
  return text === "" ? "no bytes" : code(oneLine(text));
}
