/**
 * Runs the suites of subjects, several at a time, and compares what is broken with what is known.
 *
 * @module
 */

import { runClientConformance } from "../../client/suite.ts";
import { isBroken, type Report, type RuleResult, tally } from "../../report.ts";
import { type RunOptions, runtimeName } from "../../run.ts";
import { runServerConformance } from "../../server/suite.ts";
import type { Subject } from "./subject.ts";
import { findObstacle, type Tool, type ToolName, tools } from "./tools.ts";
import type { Workshop } from "./workshop.ts";
import { messageOf } from "../../../src/text.ts";

/** The result of a subject. */
export interface Outcome {
  /** The subject. */
  readonly subject: Subject;
  /** The report. It has no results if the subject was not run. */
  readonly report: Report;
  /** Why it was not run, and what to do about that. */
  readonly notRun?: string;
  /** Whether preparing it failed although everything it needs is installed. */
  readonly isFault?: boolean;
}

/**
 * Prepares a subject, if possible on this machine, and runs its suite.
 *
 * @param subject The subject.
 * @param workshop Where it is built.
 * @param options Which rules to run, and how thoroughly.
 * @param toolOf Finds a program by name.
 */
export async function runSubject(
  subject: Subject,
  workshop: Workshop,
  options: RunOptions = {},
  toolOf: (name: ToolName) => Tool = (name) => tools[name],
): Promise<Outcome> {
  const obstacles = await Promise.all(subject.needs.map((name) => findObstacle(toolOf(name))));
  const notRun = obstacles.find((obstacle) => obstacle !== undefined);
  if (notRun !== undefined) return { subject, report: emptyReport(subject), notRun };
  try {
    return { subject, report: await runPrepared(subject, workshop, options) };
  } catch (error) {
    return { subject, report: emptyReport(subject), notRun: messageOf(error), isFault: true };
  }
}

async function runPrepared(
  subject: Subject,
  workshop: Workshop,
  options: RunOptions,
): Promise<Report> {
  if (subject.side === "client") {
    const { implementation, close } = await subject.prepare(workshop);
    return await runClientConformance(implementation, options).finally(close);
  }
  const { implementation, close, runMore } = await subject.prepare(workshop);
  try {
    const report = await runServerConformance(implementation, options);
    const more = await runMore?.({ ...options, seed: report.seed }) ?? [];
    return { ...report, results: [...report.results, ...more] };
  } finally {
    await close?.();
  }
}

/** A report of a subject without results. */
function emptyReport({ side, name, version }: Subject): Report {
  const subject = version === undefined ? { name } : { name, version };
  return { format: 2, side, subject, runtime: runtimeName(), runs: 0, seed: 0, results: [] };
}

/**
 * Runs subjects, several at a time, and returns their results in the given order.
 *
 * @param subjects The subjects.
 * @param jobs How many at a time.
 * @param run Runs one of them.
 */
export async function runAll(
  subjects: readonly Subject[],
  jobs: number,
  run: (subject: Subject) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = [...subjects.entries()];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, subject] = next;
      outcomes[index] = await run(subject);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return outcomes;
}

/**
 * Runs subjects with surprising results again, one after another: third-party programs have race conditions,
 * and downloads for a build may have failed. Our own subjects get no second try.
 *
 * @param outcomes What came of each subject.
 * @param run Runs one of them.
 */
export async function runSurprisingAgain(
  outcomes: readonly Outcome[],
  run: (subject: Subject) => Promise<Outcome>,
): Promise<Outcome[]> {
  const settled: Outcome[] = [];
  for (const outcome of outcomes) {
    const { subject, isFault = false } = outcome;
    const isSurprising = isFault || surprises(outcome).length > 0;
    settled.push(isSurprising && !subject.isOurs ? await run(subject) : outcome);
  }
  return settled;
}

/**
 * The surprises of a subject: rules that it is not known to break, and rules that it now keeps. Without
 * random inputs, a rule that is known to be broken may well be kept.
 */
export function surprises(outcome: Outcome): string[] {
  const { subject: { breaks }, report: { results, runs } } = outcome;
  const isNew = (result: RuleResult) => isBroken(result) && !Object.hasOwn(breaks, result.id);
  const broken = results.filter(isNew).map(({ id }) => id);
  return runs > 0 ? [...broken, ...keptThoughKnown(outcome)] : broken;
}

/** The rules that a subject is known to break, but has kept. */
function keptThoughKnown({ subject: { breaks }, report: { results } }: Outcome): string[] {
  return results.filter(({ id, verdict }) => verdict === "kept" && Object.hasOwn(breaks, id))
    .map(({ id }) => id);
}

/** The result of a subject in one line, and one line with the reason for each rule that it breaks. */
export function summary(outcome: Outcome): string {
  const { subject, report, notRun } = outcome;
  const { name, version = "" } = report.subject;
  const title = `${name} ${version}`.trimEnd();
  if (notRun !== undefined) return `${title}: not run, ${notRun}\n`;
  const { kept, skipped, broken, hung, "not seen": unseen } = tally(report.results);
  const lines = report.results.filter(isBroken).map(({ id, title, failure, reason }) =>
    `  ${id} ${title}: ${subject.breaks[id] ?? `NOT KNOWN, saw ${failure?.seen ?? reason}`}\n`
  );
  const words = report.runs > 0
    ? "is kept, although it is known to be broken"
    : "is known to be broken, but so few inputs do not show it";
  const mended = keptThoughKnown(outcome).map((id) => `  ${id} ${words}\n`);
  const counts = `${kept} kept, ${broken + hung} broken, ${unseen} not seen, ${skipped} skipped`;
  return `${title}: ${counts}\n${lines.join("")}${mended.join("")}`;
}

/**
 * The result of a run in one line, and whether it is good.
 *
 * @param outcomes What came of each subject.
 * @param wantsAll Whether all of them must have been run.
 */
export function conclude(
  outcomes: readonly Outcome[],
  wantsAll: boolean,
): { text: string; isGood: boolean } {
  const notRun = outcomes.filter((outcome) => outcome.notRun !== undefined);
  const surprising = outcomes.filter((outcome) => surprises(outcome).length > 0);
  const asKnown = outcomes.length - notRun.length - surprising.length;
  const isGood = surprising.length === 0 && !notRun.some(({ isFault }) => wantsAll || isFault);
  const unshown = outcomes.filter(({ report }) => report.runs === 0).flatMap(keptThoughKnown);
  const few = unshown.length === 0 ? "" : `; known and not shown: ${unshown.length}`;
  const text = `${asKnown} as known, ${surprising.length} not, ${notRun.length} not run${few}\n`;
  return { text, isGood };
}
