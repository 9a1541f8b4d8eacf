/**
 * What the last run against all subjects has found, as it is kept in the repository. It names the rules
 * that an implementation does not keep, and why; what is made of it is computed.
 *
 *     Outcomes ── recordOf ──▶ InteropRecord ── record.json ──▶ reportsOf ──▶ RESULTS.md, results.html
 *
 * @module
 */

import { clientRules } from "../../client/suite.ts";
import type { Exchange } from "../../exchange.ts";
import { isBroken, type Report, type RuleResult } from "../../report.ts";
import type { RuleInfo, Side } from "../../rule.ts";
import { serverRules } from "../../server/suite.ts";
import type { Outcome } from "./run.ts";
import type { Subject } from "./subject.ts";

/** What a run has found, and by which rules. */
export interface InteropRecord {
  /** The ids of all rules. */
  readonly rules: readonly string[];
  /** What was found about each implementation. */
  readonly entries: readonly Entry[];
}

/** What was found about an implementation. It keeps the rules of its side that are not named here. */
export interface Entry {
  /** Which side it is on. */
  readonly side: Side;
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Whether it is part of this repository. */
  readonly isOurs?: true;
  /** What the tests ran on. */
  readonly runtime: string;
  /** How many inputs were drawn by chance per rule, at most. */
  readonly runs: number;
  /** What the inputs followed from. */
  readonly seed: number;
  /** The rules that it breaks. */
  readonly breaks: readonly Break[];
  /** The ids of the rules that no input showed, by the reason. */
  readonly unseen?: IdsByReason;
  /** The ids of the rules that were not tried, by the reason. */
  readonly skipped?: IdsByReason;
  /** The ids of the rules that there were not when it was run. */
  readonly newer?: readonly string[];
}

/** Ids of rules by a reason that they share. */
export type IdsByReason = Readonly<Record<string, readonly string[]>>;

/** A rule that an implementation breaks. */
export interface Break {
  /** The rule. */
  readonly id: string;
  /** Whether something did not come in time. */
  readonly isHung?: true;
  /** The rule whose breach alone leads to this one, if there is one. */
  readonly cause?: string;
  /** Where the implementation goes wrong. */
  readonly because: string;
  /** What the rule asks for. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** The last exchange of the smallest counterexample, abridged: where there are two, it is what shows it. */
  readonly exchange?: Exchange;
}

/** The rules that there are. */
export const RULES: readonly RuleInfo[] = [...serverRules, ...clientRules];

/** The rules that were not tried, since there were not any when an implementation was last run. */
export function newerThan(
  { side, results }: Report,
  rules: readonly RuleInfo[] = RULES,
): RuleInfo[] {
  const tried = new Set(results.map(({ id }) => id));
  return rules.filter((rule) => rule.side === side && !tried.has(rule.id));
}

/**
 * Sums up what a run against all subjects has found.
 *
 * @param outcomes What came of each subject.
 * @param rules The rules that there are. By default those for servers and for clients.
 */
export function recordOf(
  outcomes: readonly Outcome[],
  rules: readonly RuleInfo[] = RULES,
): InteropRecord {
  return { rules: rules.map(({ id }) => id), entries: outcomes.map(entryOf) };
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
  const newer = found.rules.filter((id) => !record.rules.includes(id));
  const kept = record.entries.filter((entry) => !foundPlaces.has(placeOf(entry)))
    .map((entry) => withNewer(entry, newer));
  const entries = [...found.entries, ...kept].filter((entry) => placeOf(entry) !== -1)
    .sort((a, b) => placeOf(a) - placeOf(b));
  return { rules: found.rules, entries };
}

/** What was found about an implementation before there were some rules. */
function withNewer(entry: Entry, ids: readonly string[]): Entry {
  const newer = [...entry.newer ?? [], ...ids];
  return newer.length === 0 ? entry : { ...entry, newer };
}

function entryOf({ subject, report }: Outcome): Entry {
  const { side, runtime, runs, seed, results } = report;
  const unseen = idsByReason(results, "not seen");
  const skipped = idsByReason(results, "skipped");
  return {
    side,
    name: report.subject.name,
    version: report.subject.version ?? "",
    ...(subject.isOurs && { isOurs: true }),
    runtime,
    runs,
    seed,
    breaks: results.filter(isBroken).map((result) =>
      breakOf(result, subject.breaks[result.id] ?? "")
    ),
    ...(unseen !== undefined && { unseen }),
    ...(skipped !== undefined && { skipped }),
  };
}

/** What a reason says to those who run the command: the option by which it would be another one. */
const OPTION = /: `--.*/;

/** The rules of a verdict, or `undefined` if it has none. */
function idsByReason(
  results: readonly RuleResult[],
  verdict: "not seen" | "skipped",
): IdsByReason | undefined {
  const ids: Record<string, string[]> = {};
  for (const { id, reason = "", verdict: found } of results) {
    if (found === verdict) (ids[reason.replace(OPTION, "")] ??= []).push(id);
  }
  return Object.keys(ids).length === 0 ? undefined : ids;
}

function breakOf({ id, side, verdict, reason, because, failure }: RuleResult, why: string): Break {
  const { expected = "", seen = reason ?? "", exchanges = [] } = failure ?? {};
  const exchange = exchanges.at(-1);
  return {
    id,
    ...(verdict === "hung" && { isHung: true }),
    ...(because !== undefined && { cause: because }),
    because: why,
    expected: shorten(expected),
    seen: shorten(seen),
    ...(exchange && { exchange: abridgeExchange(exchange, side) }),
  };
}

/** An exchange without what need not be kept. The chunks of a server depend on the moment. */
function abridgeExchange({ request, answer }: Exchange, side: Side): Exchange {
  if (answer === undefined) return { request: shorten(request) };
  const chunks = side === "server" ? [answer.chunks.join("")] : abridgeChunks(answer.chunks);
  return { request: shorten(request), answer: { ...answer, chunks: chunks.map(shorten) } };
}

/** How much is kept of a text that is long, and of chunks that are many: the start and the end. */
const KEPT_CHARACTERS = { start: 320, end: 120 };
const KEPT_CHUNKS = { start: 8, end: 3 };

function abridgeChunks(chunks: readonly string[]): readonly string[] {
  const { start, end } = KEPT_CHUNKS;
  if (chunks.length <= start + end + 1) return chunks;
  return [...chunks.slice(0, start), "…", ...chunks.slice(-end)];
}

/** A text in which nobody has to look for what matters, and which is the same in every run. */
function shorten(text: string): string {
  const { start, end } = KEPT_CHARACTERS;
  const short = withoutRuns(withoutPorts(text));
  if (short.length <= start + end + 1) return short;
  return `${short.slice(0, start)}…${short.slice(-end)}`;
}

/** Digests by their first twelve digits, as everybody does, and what is repeated by its start. */
function withoutRuns(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1…")
    .replace(/(.)\1{12}\1+/gs, (_, character: string) => `${character.repeat(12)}…`);
}

/** Ports are other ones in every run, and with them all digests that follow from a name. */
function withoutPorts(text: string): string {
  return text.replace(/127\.0\.0\.1:\d{4,}/g, "127.0.0.1:…").replace(/\/tmp\/[\w-]+/g, "…");
}

/**
 * The reports that a record was made of, without what it does not keep: how many inputs a rule was tried
 * with, and the way to a counterexample.
 *
 * @param record The record.
 * @param rules The rules that there are. By default those for servers and for clients.
 */
export function reportsOf(
  { entries }: InteropRecord,
  rules: readonly RuleInfo[] = RULES,
): Report[] {
  return entries.map((entry) => reportOf(entry, rules));
}

/** The report of an entry. */
export function reportOf(entry: Entry, rules: readonly RuleInfo[] = RULES): Report {
  const { side, name, version, runtime, runs, seed, newer = [] } = entry;
  const tried = rules.filter((rule) => rule.side === side && !newer.includes(rule.id));
  return {
    format: 2,
    side,
    subject: version === "" ? { name } : { name, version },
    runtime,
    runs,
    seed,
    results: tried.map((rule) => resultOf(entry, rule)),
  };
}

function resultOf(
  { breaks, unseen, skipped, seed }: Entry,
  { id, side, level, title, cites }: RuleInfo,
): RuleResult {
  const info = { id, side, level, title, cites, runs: 0 };
  const broken = breaks.find((each) => each.id === id);
  if (broken !== undefined) return { ...info, ...resultOfBreak(broken, seed) };
  const isUnseen = reasonOf(unseen, id);
  if (isUnseen !== undefined) return { ...info, verdict: "not seen", reason: isUnseen };
  const isSkipped = reasonOf(skipped, id);
  if (isSkipped !== undefined) return { ...info, verdict: "skipped", reason: isSkipped };
  return { ...info, verdict: "kept" };
}

function resultOfBreak(
  { isHung, cause, because, expected, seen, exchange }: Break,
  seed: number,
): Pick<RuleResult, "verdict" | "reason" | "because" | "failure"> {
  const exchanges = exchange === undefined ? [] : [exchange];
  return {
    verdict: isHung ? "hung" : "broken",
    ...(because !== "" && { reason: because }),
    ...(cause !== undefined && { because: cause }),
    failure: { expected, seen, exchanges, seed, path: "", foundAfter: 0, shrinks: 0 },
  };
}

function reasonOf(ids: IdsByReason = {}, id: string): string | undefined {
  return Object.keys(ids).find((reason) => ids[reason]!.includes(id));
}
