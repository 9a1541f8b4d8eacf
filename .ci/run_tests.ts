/**
 * Runs all tests: `deno task test`. With `--filter=text`, those whose names hold the text; with names
 * of suites, such as `deno task test src mock`, those suites alone. `deno task test quick` is for the time
 * after a change: it checks format and lint, and runs most tests in Deno with few inputs.
 *
 * It says what runs, and how far that is. The last line says how many tests passed, failed and were skipped.
 * Fails if any test did, if a suite failed outside of its tests, and if a suite ran no tests, which is never
 * meant.
 *
 * @module
 */

import { join } from "node:path";
import type { Command } from "commander";
import { readReport, type TestCount, type TestReport } from "./junit.ts";
import { ROOT } from "./project.ts";
import { allSuites, quickSuite, type Suite, versionOf } from "./suites.ts";
import { createTask } from "./task.ts";
import {
  clockTime,
  describeCount,
  slowestOf,
  type SuiteResult,
  tableOf,
  totalOf,
} from "./test_report.ts";

/** The argument that asks for a quick run. */
const QUICK = "quick";

/** How many inputs of each rule a thorough run has for what specimens of the zoo do not break. */
const THOROUGH_RUNS = "100";

/** The checks of a quick run: those that take a second. */
const QUICK_CHECKS = ["format", "lint"];

/** Runs a program in the foreground and returns its exit code. */
async function run(program: string, args: string[]): Promise<number> {
  const command = new Deno.Command(program, { args, cwd: ROOT, stdin: "null", signal: inTime() });
  const { code } = await command.spawn().status;
  return code;
}

/** Runs a program beside others, and returns its exit code. What it prints comes when it has ended. */
async function runBeside(program: string, args: string[], heading: string): Promise<number> {
  const command = new Deno.Command(program, { args, cwd: ROOT, stdin: "null", signal: inTime() });
  const { code, stdout, stderr } = await command.output();
  console.log(heading);
  await printAll(stdout, Deno.stdout);
  await printAll(stderr, Deno.stderr);
  return code;
}

/** Aborts when a suite has had its time, so that a test that hangs ends some day. */
function inTime(): AbortSignal {
  return AbortSignal.timeout(Number(timeout) * 60_000);
}

async function printAll(bytes: Uint8Array, stream: typeof Deno.stdout): Promise<void> {
  for (let start = 0; start < bytes.length;) start += await stream.write(bytes.subarray(start));
}

/** Reads a report, of which there is none when no test was started. */
async function readReportFile(file: string): Promise<TestReport> {
  try {
    return readReport(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { count: { passed: 0, failed: 0, skipped: 0 }, times: [] };
  }
}

/** What went wrong outside of the tests, if anything did. */
function problemOf(count: TestCount, exitCode: number, filter?: string): string | undefined {
  const { passed, failed, skipped } = count;
  // Where a filter leaves nothing over, Bun skips all tests and fails, and Deno does neither.
  if (filter !== undefined && passed + failed === 0) return undefined;
  if (passed + failed + skipped === 0) return "ran no tests";
  if (exitCode !== 0 && failed === 0) return "failed outside of its tests";
  return undefined;
}

interface RunOptions {
  /** Where its report goes. */
  readonly reportFile: string;
  readonly filter: string | undefined;
  /** Whether other suites run at the same time. */
  readonly isBeside: boolean;
  /** Says how far the run is. */
  readonly tell: (text: string) => void;
}

async function runSuite(
  suite: Suite,
  { reportFile, filter, isBeside, tell }: RunOptions,
): Promise<SuiteResult> {
  const { name, runtime, targets } = suite;
  const subject = await suite.subject?.() ?? `${runtime.name} ${await versionOf(runtime.program)}`;
  tell(`${name}, in ${subject}, starts`);

  const startedAt = performance.now();
  const args = runtime.testArgs(targets, reportFile, filter);
  const exitCode = isBeside
    ? await runBeside(runtime.program, args, `\n=== ${name}, in ${subject} ===\n`)
    : await run(runtime.program, args);
  const seconds = (performance.now() - startedAt) / 1000;

  const { count, times } = await readReportFile(reportFile);
  const problem = problemOf(count, exitCode, filter);
  if (problem !== undefined) count.failed++;
  tell(`${name}, in ${subject}: ${describeCount(count)}, took ${clockTime(seconds)}`);
  return { name, subject, count, times, seconds, problem };
}

/** The suites that were asked for by name, or all of them. */
async function chooseSuites(
  suites: readonly Suite[],
  names: readonly string[],
  program: Command,
): Promise<readonly Suite[]> {
  if (names.includes(QUICK)) {
    if (names.length > 1) program.error(`error: ${QUICK} goes with no other suite`);
    return [await quickSuite()];
  }
  const known = [...new Set(suites.map(({ name }) => name))];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    program.error(`error: there is no suite ${unknown.join(", ")}; there are ${known.join(", ")}`);
  }
  return names.length === 0 ? suites : suites.filter((suite) => names.includes(suite.name));
}

/** Runs suites, a few at the same time. Their results come back in their order. */
async function runSuites(
  suites: readonly Suite[],
  { jobs, filter }: { readonly jobs: number; readonly filter: string | undefined },
): Promise<SuiteResult[]> {
  const startedAt = performance.now();
  const results: SuiteResult[] = [];
  const folder = await Deno.makeTempDir();
  const queue = suites.entries();
  const isBeside = jobs > 1 && suites.length > 1;
  const work = async () => {
    for (const [index, suite] of queue) {
      const reportFile = join(folder, `${suite.name}-${index}.xml`);
      const tell = (text: string) => {
        const elapsed = clockTime((performance.now() - startedAt) / 1000);
        console.log(`[${elapsed}] ${index + 1} of ${suites.length}: ${text}`);
      };
      results[index] = await runSuite(suite, { reportFile, filter, isBeside, tell });
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return results;
}

const names = [QUICK, ...new Set((await allSuites()).map(({ name }) => name))];
const program = createTask("test")
  .description("runs the tests, in every runtime, and sums them up")
  .argument(
    "[suites...]",
    `the suites to run (default: all), or ${QUICK} for most of src, mock and cli with few inputs: ` +
      names.join(", "),
  )
  .option("--filter <text>", "only the tests whose names hold a text")
  // Each suite keeps about one core busy.
  .option("--jobs <number>", "how many suites run at the same time", "2")
  .option("--thorough", "try many inputs in the zoo, and in Bun, too, which takes hours")
  .option("--timeout <minutes>", "how long a suite may take", "25")
  .parse(Deno.args, { from: "user" });
const { filter, jobs, thorough = false, timeout } = program.opts<
  { filter?: string; jobs: string; thorough?: true; timeout: string }
>();
if (!/^[1-9]\d?$/.test(jobs)) program.error("error: --jobs must be a number from 1 to 99");
if (!/^[1-9]\d{0,3}$/.test(timeout)) program.error("error: --timeout must be 1 to 9999 minutes");
if (thorough) Deno.env.set("ZOO_RUNS", THOROUGH_RUNS);
const chosen = await chooseSuites(await allSuites(thorough), program.args, program);

const isChecked = program.args.includes(QUICK)
  ? await run(Deno.execPath(), ["task", "--quiet", "check", ...QUICK_CHECKS]) === 0
  : true;
console.log(
  `Runs ${
    chosen.length === 1 ? "1 suite" : `${chosen.length} suites, ${jobs} at the same time`
  }: ` +
    chosen.map(({ name, runtime }) => `${name} (by ${runtime.name})`).join(", "),
);
const results = await runSuites(chosen, { jobs: Number(jobs), filter });
console.log(`\n${tableOf(results)}\n\n${slowestOf(results)}`);
for (const { name, subject, problem } of results) {
  if (problem) console.log(`\n${name}, in ${subject}, ${problem}`);
}
if (!isChecked) {
  console.log(`\nChecks failed: see above, or deno task check ${QUICK_CHECKS.join(" ")}`);
}
const total = totalOf(results);
console.log(`\n${describeCount(total)}`);
const isGood = isChecked && total.passed > 0 && total.failed === 0;
Deno.exitCode = isGood ? 0 : 1;
