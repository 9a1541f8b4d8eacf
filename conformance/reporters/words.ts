/**
 * The words and signs that all reports for people share.
 *
 * @module
 */

import type { AnswerEnding, ExchangeAnswer } from "../exchange.ts";
import type { RuleResult, SubjectInfo, Tally, Verdict } from "../report.ts";
import type { Level, Side } from "../rule.ts";
import { count } from "./texts.ts";

/** A sign for each verdict. They differ in form, for those who do not see colours. */
export const SIGNS: Readonly<Record<Verdict, string>> = {
  kept: "✓",
  broken: "✗",
  hung: "∞",
  "not seen": "?",
  skipped: "–",
};

/** The verdicts, in the order in which they are counted. */
export const VERDICTS: readonly Verdict[] = ["kept", "broken", "hung", "not seen", "skipped"];

/** What the levels mean. */
export const LEVEL_MEANINGS: Readonly<Record<Level, string>> = {
  must: "the spec says so, or HTTP",
  should: "robust practice",
  observed: "the reference does so",
};

/** How answers end. */
export const ENDINGS: Readonly<Record<AnswerEnding, string>> = {
  end: "the answer ends here",
  reset: "the connection breaks here",
  hang: "nothing more comes, and the connection stays open",
  repeat: "the last chunk comes again and again",
};

/** The sections of the protocol, by the part of a rule's id between side and number. */
const SECTIONS: Readonly<Record<string, string>> = {
  AGAIN: "Pulling what is there",
  CANCEL: "Cancelling",
  DIALECT: "Dialects",
  DONE: "Success",
  DOWN: "Downloads",
  END: "Streams that break off",
  ERR: "Errors",
  FRAME: "Framing",
  HTTP: "HTTP errors",
  LEAVE: "Clients that leave",
  LOAD: "Concurrent load",
  OBJ: "Objects",
  REQ: "Requests",
  RESUME: "Resuming",
  SEQ: "Sequence",
  SHARE: "Shared downloads",
  SUM: "Progress over all layers",
  TIME: "Servers that bring nothing",
};

/** The section that a rule is in: `SEQ` for `S-SEQ-1`. */
export function sectionOf(id: string): string {
  return /^[SC]-(.+)-\d+$/.exec(id)?.[1] ?? id;
}

/** The name of a section. One that has none is called by its code. */
export function sectionTitle(section: string): string {
  return Object.hasOwn(SECTIONS, section) ? SECTIONS[section]! : section;
}

/** What the subjects of a side are called. */
export function subjectsOf(side: Side): string {
  return side === "server" ? "Servers" : "Clients";
}

/** The name of a subject, with its version. */
export function subjectName({ name, version }: SubjectInfo): string {
  return version === undefined ? name : `${name} ${version}`;
}

/** A tally in words: `3 kept, 1 broken`. */
export function describeTally(tally: Tally): string {
  const counts = VERDICTS.filter((verdict) => tally[verdict] > 0)
    .map((verdict) => `${tally[verdict]} ${verdict}`);
  return counts.length === 0 ? "none" : counts.join(", ");
}

/** How many inputs a result rests on, in words, or `undefined` if that is not known. */
export function describeEvidence(
  { runs, conclusive, evidence, exchanges, repeated = 0 }: RuleResult,
): string | undefined {
  if (conclusive === undefined) return undefined;
  const seen = exchanges === undefined ? "" : count(exchanges, "exchange");
  if (runs === 0 && seen !== "") return seen;
  const again = repeated === 0 ? "" : `, ${repeated} out of time at first and repeated alone`;
  const more = `${again}${seen === "" ? "" : `, ${seen}`}`;
  if (conclusive === runs) return `${count(runs, "input")}${more}`;
  return `${conclusive} of ${count(runs, "input")} showed ${evidence ?? "anything"}${more}`;
}

/** What a verdict is called where no space may be, as in the name of a class. */
export function wordOf(verdict: Verdict): string {
  return verdict.replace(" ", "-");
}

/** Where the tests ran, in words that do not read as if it were the subject. */
export function describeRuntime({ runtime }: { readonly runtime: string }): string {
  return `kit on ${runtime}`;
}

/** The head of an answer in words: `200 application/x-ndjson, 3 chunks`. */
export function describeAnswer({ status, contentType, chunks }: ExchangeAnswer): string {
  return `${status} ${contentType ?? "without a content type"}, ${count(chunks.length, "chunk")}`;
}

/** How much was tried to find a counterexample, in words, or `undefined` if that is not known. */
export function describeSearch({ failure }: RuleResult): string | undefined {
  if (failure === undefined) return undefined;
  const { foundAfter, shrinks, during } = failure;
  if (during !== undefined && during !== "walk") return `Found while ${during} was tried`;
  if (foundAfter === 0) return undefined;
  const tried = count(foundAfter, during === "walk" ? "walk" : "input");
  const smaller = shrinks === 0 ? "" : `, made smaller ${count(shrinks, "time")}`;
  return `Found after ${tried}${smaller}`;
}
