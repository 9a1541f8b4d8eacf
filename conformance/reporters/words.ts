/**
 * Words and signs shared by all reports for people.
 *
 * @module
 */

import type { AnswerEnding, ExchangeAnswer } from "../exchange.ts";
import type { RuleResult, SubjectInfo, Tally, Verdict } from "../report.ts";
import type { Level, Side } from "../rule.ts";
import { count } from "./texts.ts";

/** A sign for each verdict. They differ in shape, for people who do not see colours. */
export const SIGNS: Readonly<Record<Verdict, string>> = {
  kept: "✓",
  broken: "✗",
  hung: "∞",
  "not seen": "?",
  skipped: "–",
};

/** The verdicts, in the order in which they are counted. */
export const VERDICTS: readonly Verdict[] = ["kept", "broken", "hung", "not seen", "skipped"];

/** The meaning of the levels. */
export const LEVEL_MEANINGS: Readonly<Record<Level, string>> = {
  must: "required by the spec or by HTTP",
  should: "robust practice",
  observed: "what the reference server does",
};

/** How answers end. */
export const ENDINGS: Readonly<Record<AnswerEnding, string>> = {
  end: "the answer ends here",
  reset: "the connection breaks here",
  hang: "nothing more is sent, and the connection stays open",
  repeat: "the last chunk is repeated over and over",
};

/** The sections, by the part of a rule's id between side and number. */
const SECTIONS: Readonly<Record<string, string>> = {
  AGAIN: "Pulling again",
  CANCEL: "Cancelling",
  DIALECT: "Dialects",
  DONE: "Success",
  DOWN: "Downloads",
  END: "Interrupted streams",
  ERR: "Errors",
  FRAME: "Framing",
  HTTP: "HTTP errors",
  LEAVE: "Callers that disconnect",
  LOAD: "Concurrent load",
  OBJ: "Objects",
  REQ: "Requests",
  RESUME: "Resuming",
  SEQ: "Sequence",
  SHARE: "Shared downloads",
  SUM: "Progress over all layers",
  TIME: "Stalled servers",
};

/** The section of a rule: `SEQ` for `S-SEQ-1`. */
export function sectionOf(id: string): string {
  return /^[SC]-(.+)-\d+$/.exec(id)?.[1] ?? id;
}

/** The name of a section, or its code if it has none. */
export function sectionTitle(section: string): string {
  return Object.hasOwn(SECTIONS, section) ? SECTIONS[section]! : section;
}

/** What the subjects of a side are called. */
export function subjectsOf(side: Side): string {
  return side === "server" ? "Servers" : "Clients";
}

/** The name of a subject, with its version if known. */
export function subjectName({ name, version }: SubjectInfo): string {
  return version === undefined ? name : `${name} ${version}`;
}

/** A tally in words: `3 kept, 1 broken`. */
export function describeTally(tally: Tally): string {
  const counts = VERDICTS.filter((verdict) => tally[verdict] > 0)
    .map((verdict) => `${tally[verdict]} ${verdict}`);
  return counts.length === 0 ? "none" : counts.join(", ");
}

/** How many inputs a result is based on, in words, or `undefined` if that is not known. */
export function describeEvidence(
  { runs, conclusive, evidence, exchanges, repeated = 0 }: RuleResult,
): string | undefined {
  if (conclusive === undefined) return undefined;
  const seen = exchanges === undefined ? "" : count(exchanges, "exchange");
  if (runs === 0 && seen !== "") return seen;
  const again = repeated === 0 ? "" : `, ${repeated} repeated alone after running out of time`;
  const more = `${again}${seen === "" ? "" : `, ${seen}`}`;
  if (conclusive === runs) return `${count(runs, "input")}${more}`;
  return `${conclusive} of ${count(runs, "input")} showed ${evidence ?? "anything"}${more}`;
}

/** A verdict as a word without spaces, as for a class name. */
export function wordOf(verdict: Verdict): string {
  return verdict.replace(" ", "-");
}

/** The runtime of the tests, in words that do not suggest it is the subject. */
export function describeRuntime({ runtime }: { readonly runtime: string }): string {
  return `kit on ${runtime}`;
}

/** The head of an answer in words: `200 application/x-ndjson, 3 chunks`. */
export function describeAnswer({ status, contentType, chunks }: ExchangeAnswer): string {
  return `${status} ${contentType ?? "without a content type"}, ${count(chunks.length, "chunk")}`;
}

/** The search for a counterexample in words, or `undefined` if nothing is known about it. */
export function describeSearch({ failure }: RuleResult): string | undefined {
  if (failure === undefined) return undefined;
  const { foundAfter, shrinks, during } = failure;
  if (during !== undefined && during !== "walk") return `Found while ${during} was tested`;
  if (foundAfter === 0) return undefined;
  const tried = count(foundAfter, during === "walk" ? "walk" : "input");
  const smaller = shrinks === 0 ? "" : `, shrunk ${count(shrinks, "time")}`;
  return `Found after ${tried}${smaller}`;
}
