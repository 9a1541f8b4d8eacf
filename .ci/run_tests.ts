/**
 * Runs all tests: `deno task test`. With `--filter=text`, those whose names hold the text; with names
 * of suites, such as `deno task test src mock`, those suites alone.
 *
 * The last line says how many tests passed, failed and were skipped. Fails if any test did, if a suite
 * failed outside of its tests, and if a suite ran no tests, which is never meant.
 *
 * @module
 */

import { join } from "node:path";
import { Command } from "commander";
import { countTests, type TestCount } from "./junit.ts";
import { ROOT } from "./project.ts";
import { allSuites, type Suite, versionOf } from "./suites.ts";

/** How long a suite may take, so that a test that hangs ends some day. */
const TIMEOUT_MS = 25 * 60 * 1000;

/** How a suite ended. */
interface SuiteResult extends TestCount {
  readonly suite: Suite;
  /** The runtimes that were tested, with their versions. */
  readonly subject: string;
  readonly seconds: number;
  /** What went wrong outside of the tests. */
  readonly problem?: string;
}

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

/** Aborts when a suite has had its time. */
function inTime(): AbortSignal {
  return AbortSignal.timeout(TIMEOUT_MS);
}

async function printAll(bytes: Uint8Array, stream: typeof Deno.stdout): Promise<void> {
  for (let start = 0; start < bytes.length;) start += await stream.write(bytes.subarray(start));
}

/** Counts the tests in a report, of which there is none when no test was started. */
async function countReport(file: string): Promise<TestCount> {
  try {
    return countTests(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { passed: 0, failed: 0, skipped: 0 };
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
}

async function runSuite(
  suite: Suite,
  { reportFile, filter, isBeside }: RunOptions,
): Promise<SuiteResult> {
  const { name, runtime, targets } = suite;
  const subject = await suite.subject?.() ?? `${runtime.name} ${await versionOf(runtime.program)}`;
  const heading = `\n=== ${name}, in ${subject} ===\n`;
  if (!isBeside) console.log(heading);

  const startedAt = performance.now();
  const args = runtime.testArgs(targets, reportFile, filter);
  const exitCode = isBeside
    ? await runBeside(runtime.program, args, heading)
    : await run(runtime.program, args);
  const seconds = (performance.now() - startedAt) / 1000;

  const count = await countReport(reportFile);
  const problem = problemOf(count, exitCode, filter);
  if (problem === undefined) return { suite, subject, seconds, ...count };
  return { suite, subject, seconds, ...count, failed: count.failed + 1, problem };
}

function printTable(results: SuiteResult[]): void {
  const rows = results.map(({ suite, subject, passed, failed, skipped, seconds }) => [
    suite.name,
    subject,
    ...[passed, failed, skipped].map(String),
    `${seconds.toFixed(1)} s`,
  ]);
  const table = [["suite", "runtime", "passed", "failed", "skipped", "time"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  console.log();
  for (const row of table) {
    const cells = row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    );
    console.log(cells.join("  "));
  }
}

function printSummary(results: SuiteResult[]): void {
  const total = (outcome: keyof TestCount) =>
    results.reduce((sum, result) => sum + result[outcome], 0);
  const skipped = total("skipped");
  const parts = [`${total("passed")} passed`, `${total("failed")} failed`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  console.log(`\n${parts.join(", ")}`);
}

/** The suites that were asked for by name, or all of them. */
function chooseSuites(suites: readonly Suite[], names: readonly string[]): readonly Suite[] {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) program.error(`There is no suite ${unknown.join(", ")}; see --help`);
  return names.length === 0 ? suites : suites.filter((suite) => names.includes(suite.name));
}

/** Runs suites, a few at the same time. Their results come back in their order. */
async function runSuites(
  suites: readonly Suite[],
  { jobs, filter }: { readonly jobs: number; readonly filter: string | undefined },
): Promise<SuiteResult[]> {
  const results: SuiteResult[] = [];
  const folder = await Deno.makeTempDir();
  const queue = suites.entries();
  const isBeside = jobs > 1 && suites.length > 1;
  const work = async () => {
    for (const [index, suite] of queue) {
      const reportFile = join(folder, `${suite.name}-${index}.xml`);
      results[index] = await runSuite(suite, { reportFile, filter, isBeside });
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return results;
}

const suites = await allSuites();
const names = [...new Set(suites.map(({ name }) => name))];
const program = new Command("deno task test")
  .description("runs the tests, in every runtime, and sums them up")
  .argument("[suites...]", `the suites to run: ${names.join(", ")} (default: all)`)
  .option("--filter <text>", "only the tests whose names hold a text")
  // Each suite keeps about one core busy.
  .option("--jobs <number>", "how many suites run at the same time", "2")
  .parse(Deno.args, { from: "user" });
const { filter, jobs } = program.opts<{ filter?: string; jobs: string }>();
if (!/^[1-9]\d?$/.test(jobs)) program.error("--jobs must be a number from 1 to 99");
const chosen = chooseSuites(suites, program.args);

const results = await runSuites(chosen, { jobs: Number(jobs), filter });
printTable(results);
for (const { suite, subject, problem } of results) {
  if (problem) console.log(`\n${suite.name}, in ${subject}, ${problem}`);
}
printSummary(results);
const ranAny = results.some(({ passed, failed }) => passed + failed > 0);
Deno.exitCode = ranAny && results.every(({ failed }) => failed === 0) ? 0 : 1;
