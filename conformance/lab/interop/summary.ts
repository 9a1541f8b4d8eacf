/**
 * The lines that summarize a record.
 *
 * @module
 */

import { isBroken, type Report, tally } from "../../report.ts";
import { subjectName } from "../../reporters/words.ts";
import { list } from "./markdown.ts";
import { type InteropRecord, newerThan, reportsOf } from "./record.ts";

/** The lines for README.md: which implementations break rules of the spec. */
export function renderSummary(record: InteropRecord): string {
  const reports = reportsOf(record);
  const isOurs = (_: Report, index: number) => record.entries[index]!.isOurs === true;
  const ours = reports.filter(isOurs).filter(breaksSpec);
  const others = reports.filter((report, index) => !isOurs(report, index));
  return [
    summarizeServers(others.filter(({ side }) => side === "server")),
    summarizeClients(others.filter(({ side }) => side === "client")),
    ours.length === 0
      ? "The mock and `pull` of this package break none."
      : `Of this package, one is broken by ${names(ours)}.`,
  ].map((line) => `- ${line}`).join("\n");
}

function summarizeServers(servers: readonly Report[]): string {
  const breaking = servers.filter(breaksSpec);
  const intact = servers.filter(({ results }) => !results.some(isBroken));
  return `${breaking.length} of ${servers.length} servers break a \`must\` rule: ` +
    `${names(breaking) || "none"}. Those that break no rule at all: ${names(intact) || "none"}.`;
}

function summarizeClients(clients: readonly Report[]): string {
  const breaking = clients.filter(breaksSpec);
  // If it was not tested with all rules, this cannot be said.
  const isTried = (client: Report) => newerThan(client).every(({ level }) => level !== "must");
  const intact = clients.filter((client) => !breaksSpec(client) && isTried(client));
  return `${breaking.length} of ${clients.length} clients break a \`must\` rule${
    mostBroken(breaking)
  }. Those that do not: ${names(intact) || "none"}.`;
}

/** The rule of the spec that is broken most often, and by how many. */
function mostBroken(reports: readonly Report[]): string {
  const broken = reports.flatMap(({ results }) => results)
    .filter((result) => isBroken(result) && result.level === "must");
  const [most = []] = [...Map.groupBy(broken, ({ id }) => id).values()]
    .sort((a, b) => b.length - a.length);
  const number = most.length === reports.length ? "all" : most.length;
  return most.length === 0 ? "" : `, ${number} of them this one: "${most[0]!.title}"`;
}

/** Whether an implementation breaks a rule of the spec. */
function breaksSpec({ results }: Report): boolean {
  const { broken, hung } = tally(results, "must");
  return broken + hung > 0;
}

function names(reports: readonly Report[]): string {
  return list(reports.map(({ subject }) => subjectName(subject)));
}
