/**
 * What the last run against all subjects has found, as it is kept in the repository, and the tables in
 * README.md that are made of it.
 *
 *     Outcomes ── recordOf ──▶ InteropRecord ── record.json ──▶ renderTables ──▶ README.md
 *
 * @module
 */

import { clientRules } from "../../client/suite.ts";
import { isBroken, LEVELS, type RuleResult, tally } from "../../report.ts";
import type { Level, RuleInfo, Side } from "../../rule.ts";
import { serverRules } from "../../server/suite.ts";
import type { Outcome } from "./run.ts";
import type { Subject } from "./subject.ts";

/** How many rules of a level were seen, which is not all where some were skipped or not seen. */
export interface Score {
  /** How many are kept. */
  readonly kept: number;
  /** How many were tried: kept ones, and broken ones. */
  readonly tried: number;
}

/** A rule that an implementation breaks. */
export interface Break {
  /** The rule. */
  readonly id: string;
  /** Its level. */
  readonly level: Level;
  /** What the rule says. */
  readonly title: string;
  /** Where the implementation goes wrong. */
  readonly because: string;
  /** The smallest bytes that show it: what a client is sent, or a server is asked and what it does. */
  readonly bytes: string;
}

/** What a run has found, and of which rules. */
export interface InteropRecord {
  /** The ids of all rules, for servers and for clients. */
  readonly rules: readonly string[];
  /** What was found about each implementation. */
  readonly entries: readonly Entry[];
}

/** What was found about an implementation. */
export interface Entry {
  /** Which side it is on. */
  readonly side: Side;
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** How many rules it keeps. */
  readonly scores: Readonly<Record<Level, Score>>;
  /** The rules that it breaks. */
  readonly breaks: readonly Break[];
}

/** The ids of the rules that there are. */
export const RULES: readonly string[] = [...serverRules, ...clientRules].map(({ id }) => id);

/**
 * Sums up what a run against all subjects has found.
 *
 * @param outcomes What came of each subject.
 * @param rules The ids of the rules that there are. By default those for servers and for clients.
 */
export function recordOf(
  outcomes: readonly Outcome[],
  rules: readonly string[] = RULES,
): InteropRecord {
  return { rules, entries: outcomes.map(entryOf) };
}

/**
 * A record in which what was found about some implementations takes the place of what it had about them.
 *
 * @param record The record.
 * @param found What was found.
 * @param subjects All implementations, in the order that the record is to have. It drops all others, and
 * other versions.
 */
export function updated(
  record: InteropRecord,
  found: InteropRecord,
  subjects: readonly Subject[],
): InteropRecord {
  const placeOf = (entry: Entry) =>
    subjects.findIndex(({ name, version = entry.version }) =>
      name === entry.name && version === entry.version
    );
  const foundPlaces = new Set(found.entries.map(placeOf));
  const kept = record.entries.filter((entry) => !foundPlaces.has(placeOf(entry)));
  const entries = [...found.entries, ...kept].filter((entry) => placeOf(entry) !== -1)
    .sort((a, b) => placeOf(a) - placeOf(b));
  return { rules: found.rules, entries };
}

function entryOf({ subject, report }: Outcome): Entry {
  const scores = LEVELS.map((level) => {
    const { kept, broken, hung } = tally(report.results, level);
    return [level, { kept, tried: kept + broken + hung }] as const;
  });
  return {
    side: report.side,
    name: report.subject.name,
    version: report.subject.version ?? "",
    scores: Object.fromEntries(scores) as Record<Level, Score>,
    breaks: report.results.filter(isBroken).map((result) => ({
      id: result.id,
      level: result.level,
      title: result.title,
      because: subject.breaks[result.id] ?? "",
      bytes: bytesOf(result),
    })),
  };
}

/** How much is shown of bytes that are many: their start and their end. */
const SHOWN_CHARACTERS = { start: 110, end: 50 };

/** The bytes of the last exchange of a counterexample: where there are two, it is what shows it. */
function bytesOf({ side, failure, reason = "" }: RuleResult): string {
  const exchange = failure?.exchanges.at(-1);
  if (!exchange) return reason;
  const { request, answer } = exchange;
  if (side === "server") {
    const { expected = "", seen = "" } = failure ?? {};
    return withoutPorts(`${request} → ${abridge(seen)}, not ${abridge(expected)}`);
  }
  if (!answer) return "";
  const { status, chunks, ending } = answer;
  const head = status === 200 ? "" : `HTTP ${status} `;
  const end = ending === "end" ? "" : ` (${ENDINGS[ending]})`;
  return `${head}${abridge(chunks.join(""))}${end}`.trim();
}

/** Ports are other ones in every run, and with them all digests that follow from a name. */
function withoutPorts(text: string): string {
  return text.replace(/127\.0\.0\.1:\d{4,}/g, "127.0.0.1:…").replace(/\/tmp\/[\w-]+/g, "…");
}

const ENDINGS = {
  reset: "the connection breaks",
  hang: "the connection stays open",
  repeat: "the last chunk again and again",
};

function abridge(text: string): string {
  const { start, end } = SHOWN_CHARACTERS;
  if (text.length <= start + end + 5) return text;
  return `${text.slice(0, start)} … ${text.slice(-end)}`;
}

const HEADINGS: Readonly<Record<Side, string>> = { server: "Server", client: "Client" };

/** How many rules of each level there are for a side. */
function countRules(side: Side): Readonly<Record<Level, number>> {
  const rules: readonly RuleInfo[] = side === "server" ? serverRules : clientRules;
  const counts = LEVELS.map((
    level,
  ) => [level, rules.filter((rule) => rule.level === level).length]);
  return Object.fromEntries(counts);
}

/** A score, with the number of rules if not all of them were seen. */
function showScore({ kept, tried }: Score, total: number): string {
  return tried < total ? `${kept}/${tried} of ${total}` : `${kept}/${tried}`;
}

/** The tables for README.md. */
export function renderTables({ entries }: InteropRecord): string {
  const tables = (["server", "client"] as const).map((side) => {
    const ofSide = entries.filter((entry) => entry.side === side);
    const totals = countRules(side);
    const rows = ofSide.map(({ name, version, scores, breaks }) => [
      name,
      version,
      ...LEVELS.map((level) => showScore(scores[level], totals[level])),
      breaks.map(({ id }) => id).join(", ") || "nothing",
    ]);
    return table([HEADINGS[side], "Version", ...LEVELS, "Breaks"], rows);
  });
  const rows = entries.flatMap(({ name, version, breaks }) =>
    breaks.map(({ id, level, title, because, bytes }) => [
      `${name} ${version}`.trimEnd(),
      `${id} (${level}): ${title}`,
      because,
      code(bytes),
    ])
  );
  const details = [
    "<details>",
    "<summary>Where each of them goes wrong, and the smallest bytes that show it</summary>",
    table(["Implementation", "Rule", "Because", "Bytes"], rows),
    "</details>",
  ];
  return [...tables, ...details].join("\n\n");
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Escapes the characters that would end a table cell. */
function escapeCell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|");
}

/** A text as code, whatever is in it. */
function code(text: string): string {
  if (text === "") return "no bytes";
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const space = /^`|`$/.test(text) ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

const BEGIN = "<!-- Made by `deno task interop --write`; a test fails when it is stale. -->\n" +
  "<!-- deno-fmt-ignore-start -->";
const END = "<!-- deno-fmt-ignore-end -->";

/** A text with what is made of a record put between the marks. */
export function withMade(text: string, made: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error("There is no place for the tables");
  return `${text.slice(0, begin + BEGIN.length)}\n\n${made}\n\n${text.slice(end)}`;
}
