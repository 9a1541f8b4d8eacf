/**
 * Runs a trial, or reads the reports of earlier ones, and writes a report:
 *
 *     Trial ── runs ──▶ Report ──┐
 *     JSON files ──▶ Reports ────┴─▶ reporter ──▶ standard output, or a file
 *
 * @module
 */

import { constants } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type Gate,
  passes,
  type Report,
  type RuleResult,
  tally,
} from "../../conformance/report.ts";
import {
  parseReports,
  prettyEnd,
  prettyHeader,
  type PrettyOptions,
  prettyResult,
  type ReporterName,
  reporters,
} from "../../conformance/reporters/mod.ts";
import { replayFlags } from "../../conformance/reporters/reporter.ts";
import { count } from "../../conformance/reporters/texts.ts";
import { describeTally } from "../../conformance/reporters/words.ts";
import { CannotRun, type Level } from "../../conformance/rule.ts";
import { randomSeed, type RunOptions, runtimeName } from "../../conformance/run.ts";
import { abortable } from "../../src/abortable.ts";
import { messageOf, quote } from "../../src/text.ts";
import { type CommandContext, EXIT, Interruption, UsageError } from "../command.ts";
import { printable } from "../printable.ts";
import { RunView } from "../views/run_view.ts";
import { type GateFlags, readGate, tellMended } from "./conformance_gate.ts";
import type { Trial } from "./conformance_trial.ts";

/** The format of a report, and where to write it. */
export interface OutputFlags extends GateFlags {
  /** The format. */
  readonly report: ReporterName;
  /** The file, if it is not standard output. */
  readonly out?: string;
}

/** Which rules to run, how thoroughly, and where to write the report. */
export interface RunFlags extends OutputFlags {
  /** The rules, by id or by section. */
  readonly rule?: readonly string[];
  /** The levels. */
  readonly level?: readonly Level[];
  /** How many inputs to try for each rule. */
  readonly runs?: number;
  /** The seed of the inputs. */
  readonly seed?: number;
  /** The path of the only input to try. */
  readonly path?: string;
  /** How long a check may take, in milliseconds. */
  readonly timeLimit?: number;
}

/**
 * Runs a trial, writes its report, and resolves to the exit code.
 *
 * @param trial What to run.
 * @param flags Which rules, and where the report goes.
 * @param again Builds the command that runs the same with other options.
 * @param context What the command gets from the process.
 */
export async function runTrial(
  trial: Trial,
  flags: RunFlags,
  again: (flags: readonly string[]) => string,
  context: CommandContext,
): Promise<number> {
  const { signal } = context;
  const options = planRun(flags);
  const total = countRules(trial, flags, options);
  const gate = await readGate(flags);
  await requireWritable(flags.out);

  const replay = (report: Report, result: RuleResult) => again(replayFlags(report, result));
  const pretty: PrettyOptions = { replay, gate, ...prettyOptions(context, flags) };
  const isLive = flags.report === "pretty" && flags.out === undefined;
  const results: RuleResult[] = [];
  const found = startReport(trial, options, results);
  const live = {
    heading: `${prettyHeader(found, pretty)}\n\n`,
    describe: (result: RuleResult) => prettyResult(result, pretty),
  };
  const view = new RunView(context, { total, ...(isLive && live) });
  const report = await collect(trial, options, results, view, signal) ?? found;

  if (isInterruptedBy(signal, EXIT.outputClosed)) return EXIT.outputClosed;
  if (isLive) context.stdout.write(`\n${prettyEnd(report, pretty)}`);
  else await writeReports([report], flags, pretty, context);
  tellMended([report], gate, context);
  if (!signal.aborted) return exitCodeOf([report], gate);
  context.stderr.write(`Interrupted after ${results.length} of ${count(total, "rule")}\n`);
  return signal.reason instanceof Interruption ? signal.reason.exitCode : EXIT.interrupted;
}

/** The options of a run. They always include a seed, which the report of an interrupted run needs, too. */
function planRun(
  { rule, level, runs, seed = randomSeed(), path, timeLimit }: RunFlags,
): RunOptions & { seed: number } {
  return {
    seed,
    ...(rule && { rules: rule }),
    ...(level && { levels: level }),
    ...(runs !== undefined && { runs }),
    ...(path !== undefined && { path }),
    ...(timeLimit !== undefined && { checkTimeoutMs: timeLimit }),
  };
}

function countRules(trial: Trial, { seed, path }: RunFlags, options: RunOptions): number {
  const { length } = trial.select(options);
  if (length === 0) {
    throw new CannotRun(
      "There is no rule to run: none of the --rule options has a level given by --level",
    );
  }
  if (path === undefined) return length;
  if (seed === undefined) {
    throw new UsageError("Cannot use --path without --seed: add the seed from the same report");
  }
  if (length > 1) throw new UsageError(`Cannot use --path with ${length} rules: give one --rule`);
  return length;
}

/** A report that is still incomplete. */
function startReport(
  { side, subject: { name, version }, runs: defaultRuns }: Trial,
  { runs = defaultRuns, seed }: RunOptions & { seed: number },
  results: readonly RuleResult[],
): Report {
  const subject = version === undefined ? { name } : { name, version };
  return { format: 2, side, subject, runtime: runtimeName(), runs, seed, results };
}

/** Runs a trial and shows its results as they are found. Returns `undefined` if it is interrupted. */
async function collect(
  trial: Trial,
  options: RunOptions,
  results: RuleResult[],
  view: RunView,
  signal: AbortSignal,
): Promise<Report | undefined> {
  const onResult = (result: RuleResult) => {
    if (signal.aborted) return; // the failure was caused by the interruption
    results.push(result);
    view.add(result);
  };
  try {
    const run = trial.run({
      ...options,
      signal,
      onPlan: (plan) => view.plan(plan),
      onRule: (rule) => view.start(rule),
      onResult,
    });
    return await untilAborted(run, signal);
  } finally {
    view.end();
  }
}

/**
 * The result of a run, or `undefined` as soon as the signal aborts, because a check may ignore the signal.
 */
async function untilAborted<Value>(
  run: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  try {
    return await abortable(run, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function isInterruptedBy({ reason }: AbortSignal, exitCode: number): boolean {
  return reason instanceof Interruption && reason.exitCode === exitCode;
}

function exitCodeOf(reports: readonly Report[], gate: Gate): number {
  return reports.every((report) => passes(report, gate)) ? EXIT.success : EXIT.failure;
}

/** For a terminal: its own width, and colours unless NO_COLOR or TERM disables them. */
function prettyOptions({ stdout, env }: CommandContext, { out }: OutputFlags): PrettyOptions {
  if (out !== undefined || !stdout.isTTY) return {};
  const colors = !env.NO_COLOR && env.TERM !== "dumb";
  return { colors, columns: stdout.columns || 80 };
}

/** Fails before the run, which may take minutes, if the report could not be written after it. */
async function requireWritable(out: string | undefined): Promise<void> {
  if (out === undefined) return;
  await access(dirname(resolve(out)), constants.W_OK).catch((error) => {
    throw new CannotRun(`Cannot write ${quote(out)}: ${messageOf(error)}`);
  });
}

async function writeReports(
  reports: readonly Report[],
  { report: name, out }: OutputFlags,
  options: PrettyOptions,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const text = reporters[name](reports, options);
  if (out === undefined) {
    stdout.write(text);
    return;
  }
  await writeFile(out, text).catch((error) => {
    throw new CannotRun(`Cannot write ${quote(out)}: ${messageOf(error)}`);
  });
  const counts = tally(reports.flatMap(({ results }) => results));
  stderr.write(`${printable(out)}: ${describeTally(counts)}\n`);
}

async function readReports(file: string): Promise<Report[]> {
  try {
    return parseReports(await readFile(file, "utf8"));
  } catch (error) {
    throw new CannotRun(`Cannot read ${quote(file)}: ${messageOf(error)}`);
  }
}

/** Merges the reports of several files into one, and resolves to the exit code. */
export async function mergeFiles(
  files: readonly string[],
  flags: OutputFlags,
  context: CommandContext,
): Promise<number> {
  const gate = await readGate(flags);
  await requireWritable(flags.out);
  const reports = (await Promise.all(files.map(readReports))).flat();
  await writeReports(reports, flags, { gate, ...prettyOptions(context, flags) }, context);
  tellMended(reports, gate, context);
  return exitCodeOf(reports, gate);
}

/** Prints in one line why the rules could not be run. */
export async function explained(run: Promise<number>, { stderr }: CommandContext): Promise<number> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const text = error instanceof CannotRun
      ? error.message
      : `Unexpected failure: ${String(error)}; please report it`;
    stderr.write(`error: ${printable(text)}\n`);
    return EXIT.usage;
  }
}
