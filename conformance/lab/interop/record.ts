/**
 * The results of the last run against all subjects, as stored in the repository. It lists only the rules that
 * an implementation does not keep, and why; everything else is computed.
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

/** The results of a run, and the rules it used. */
export interface InteropRecord {
  /** The ids of all rules. */
  readonly rules: readonly string[];
  /** The results for each implementation. */
  readonly entries: readonly Entry[];
}

/** The results for an implementation. It keeps all rules of its side that are not listed here. */
export interface Entry {
  /** Its side. */
  readonly side: Side;
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Whether it is part of this repository. */
  readonly isOurs?: true;
  /** The runtime of the tests. */
  readonly runtime: string;
  /** The most random inputs per rule. */
  readonly runs: number;
  /** The seed of the inputs. */
  readonly seed: number;
  /** The rules that it breaks. */
  readonly breaks: readonly Break[];
  /** The ids of rules for which no input gave evidence, by reason. */
  readonly unseen?: IdsByReason;
  /** The ids of rules that were not tested, by reason. */
  readonly skipped?: IdsByReason;
  /** The ids of rules that did not exist yet when it was run. */
  readonly newer?: readonly string[];
}

/** Ids of rules that share a reason, by reason. */
export type IdsByReason = Readonly<Record<string, readonly string[]>>;

/** A rule that an implementation breaks. */
export interface Break {
  /** The rule. */
  readonly id: string;
  /** Whether something did not happen in time. */
  readonly isHung?: true;
  /** The rule that is broken first, if this one is broken only because of it. */
  readonly cause?: string;
  /** Where the implementation goes wrong. */
  readonly because: string;
  /** What the rule requires. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /**
   * The last exchange of the smallest counterexample, abridged. If there are two, the last one shows the
   * problem.
   */
  readonly exchange?: Exchange;
}

/** All current rules. */
export const RULES: readonly RuleInfo[] = [...serverRules, ...clientRules];

/** The rules that did not exist yet when an implementation was last run. */
export function newerThan(
  { side, results }: Report,
  rules: readonly RuleInfo[] = RULES,
): RuleInfo[] {
  const tried = new Set(results.map(({ id }) => id));
  return rules.filter((rule) => rule.side === side && !tried.has(rule.id));
}

/**
 * Builds the record of a run against all subjects.
 *
 * @param outcomes The result of each subject.
 * @param rules All current rules. By default those for servers and for clients.
 */
export function recordOf(
  outcomes: readonly Outcome[],
  rules: readonly RuleInfo[] = RULES,
): InteropRecord {
  return { rules: rules.map(({ id }) => id), entries: outcomes.map(entryOf) };
}

/**
 * Replaces the results of some implementations in a record.
 *
 * @param record The record.
 * @param found The new results.
 * @param subjects All implementations, in the order for the record. Other ones, and other versions, are
 * dropped.
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

/** The results of an implementation from before some rules existed. */
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

/** The part of a reason that names a command-line option, which makes no sense in a document. */
const OPTION = /: `--.*/;

/** The rules with a verdict, by reason, or `undefined` if there are none. */
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

/** An exchange without unnecessary details. The chunks of a server depend on timing. */
function abridgeExchange({ request, answer }: Exchange, side: Side): Exchange {
  if (answer === undefined) return { request: shorten(request) };
  const chunks = side === "server" ? [answer.chunks.join("")] : abridgeChunks(answer.chunks);
  return { request: shorten(request), answer: { ...answer, chunks: chunks.map(shorten) } };
}

/** How much is kept of long texts and of many chunks: the start and the end. */
const KEPT_CHARACTERS = { start: 320, end: 120 };
const KEPT_CHUNKS = { start: 8, end: 3 };

function abridgeChunks(chunks: readonly string[]): readonly string[] {
  const { start, end } = KEPT_CHUNKS;
  if (chunks.length <= start + end + 1) return chunks;
  return [...chunks.slice(0, start), "…", ...chunks.slice(-end)];
}

/** A shortened text that is the same in every run. */
function shorten(text: string): string {
  const { start, end } = KEPT_CHARACTERS;
  const short = withoutRuns(withoutPorts(text));
  if (short.length <= start + end + 1) return short;
  return `${short.slice(0, start)}…${short.slice(-end)}`;
}

/** Shortens digests to twelve digits, as is usual, and repetitions to their start. */
function withoutRuns(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1…")
    .replace(/(.)\1{12}\1+/gs, (_, character: string) => `${character.repeat(12)}…`);
}

/** Ports differ in every run, and so do all digests derived from a name with a port. */
function withoutPorts(text: string): string {
  return text.replace(/127\.0\.0\.1:\d{4,}/g, "127.0.0.1:…").replace(/\/tmp\/[\w-]+/g, "…");
}

/**
 * Reconstructs the reports of a record, without the details that it does not keep, such as the number of
 * inputs and the path to a counterexample.
 *
 * @param record The record.
 * @param rules All current rules. By default those for servers and for clients.
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
