/**
 * Runs the suites against all subjects, or those whose name contains an argument, and prints what each of
 * them breaks and why. Among them is the mock behind one reverse proxy. With `--proxies`, only the mock
 * behind all proxies is tested; with `--more`, only implementations that take longer to build; with `--current`,
 * earlier versions of the reference server are left out, whose behaviour the recordings hold. The reports
 * are written as JSON, as JUnit XML and side by side as a web page. The run fails if a subject breaks a rule
 * that it is not known to break, or keeps one that it is known to break. With `--all`, it also fails if a
 * subject could not be run; with `--write`, the results are stored, and the documents built from it are
 * updated. A run of all subjects also checks `modelState` with real servers. Finally, it reports whether
 * there is a newer version of the reference server than the mock was compared with.
 *
 * ```sh
 * deno task interop curl npm --out reports
 * deno task interop --proxies
 * ```
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createTask } from "../../../.ci/task.ts";
import { reporters } from "../../reporters/mod.ts";
import { type Subject, subjects } from "./mod.ts";
import { checkModelStates } from "./model_states.ts";
import { moreSubjects } from "./more/mod.ts";
import { compareNewest, newestVersion } from "./newest.ts";
import { allProxies, oneProxy } from "./proxies/mod.ts";
import { describeCommand } from "./page.ts";
import { type InteropRecord, recordOf, updated } from "./record.ts";
import { conclude, type Outcome, runAll, runSubject, runSurprisingAgain, summary } from "./run.ts";
import { isEarlierServer } from "./servers/reference.ts";
import { IMPLEMENTATIONS, PROXIES, ROOT } from "./shelves.ts";
import { BUILDS, Workshop } from "./workshop.ts";

/** The seed of runs whose results are stored. */
const SEED = "1";

/** Most of the time is spent waiting for servers and for programs to start. */
const JOBS = "4";

const program = createTask("interop")
  .description(
    "builds third-party servers and clients, and compares what they break with what is known",
  )
  .argument("[names...]", "parts of the names of the subjects to run (default: all)")
  .option("--all", "fail if any subject cannot be run here")
  .option("--current", "leave out earlier versions of the reference server, which take longest")
  .option("--jobs <number>", "how many to run at the same time", JOBS)
  .option("--more", "run implementations that take longer to build, and nothing else")
  .option("--out <folder>", "the folder for reports", join(BUILDS, "reports"))
  .option("--proxies", "run the mock behind each reverse proxy, and nothing else")
  .option("--quick", "try only the fixed inputs, and do not shrink counterexamples")
  .option("--runs <number>", "how many random inputs to try per rule")
  .option("--seed <number>", "the seed of all inputs", SEED)
  .option("--write", "store the results in the record, and update the documents built from it")
  .parse();
const positionals = program.args;
const values = program.opts<{
  all?: true;
  current?: true;
  jobs: string;
  more?: true;
  out: string;
  proxies?: true;
  quick?: true;
  runs?: string;
  seed: string;
  write?: true;
}>();
if (values.quick && values.write) {
  program.error("error: --write needs a full run: leave out --quick");
}

const shelf = values.proxies ? PROXIES : IMPLEMENTATIONS;
const offered = values.proxies
  ? allProxies
  : values.more
  ? moreSubjects
  : [...subjects, ...oneProxy];
const isNamed = ({ name, version = "" }: Subject) =>
  positionals.length === 0 || positionals.some((part) => `${name} ${version}`.includes(part));
const chosen = offered.filter((subject) =>
  isNamed(subject) && !(values.current && isEarlierServer(subject))
);

/** Reports the result of a subject as soon as it is known. */
async function runAndTell(workshop: Workshop, subject: Subject): Promise<Outcome> {
  const outcome = await runSubject(subject, workshop, {
    seed: Number(values.seed),
    ...(values.quick && { runs: 0, shrinkTimeMs: 0 }),
    ...(values.runs !== undefined && { runs: Number(values.runs) }),
  });
  process.stdout.write(summary(outcome));
  return outcome;
}

/** Writes the reports in every format. */
async function writeReports(outcomes: readonly Outcome[], folder: string): Promise<void> {
  const reports = outcomes.map(({ report }) => report);
  await mkdir(folder, { recursive: true });
  for (const [name, file] of [["json", "json"], ["junit", "xml"], ["html", "html"]] as const) {
    await writeFile(
      join(folder, `interop.${file}`),
      reporters[name](reports, { replay: describeCommand }),
    );
  }
  process.stdout.write(`Reports: ${folder}\n`);
}

/** Stores the results, and updates the documents built from them. */
async function keep(outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.some(({ notRun }) => notRun !== undefined)) {
    throw new Error("Cannot store the results: some subjects were not run");
  }
  const before: InteropRecord = JSON.parse(await readFile(shelf.record, "utf8"));
  const record = updated(before, recordOf(outcomes, shelf.rules), shelf.subjects);
  await writeFile(shelf.record, `${JSON.stringify(record, null, 2)}\n`);
  for (const [name, update] of Object.entries(shelf.documents)) {
    const file = join(ROOT, name);
    await writeFile(file, update(await readFile(file, "utf8"), record));
  }
}

if (chosen.length === 0) {
  const names = [...new Set(offered.map(({ name }) => name))].join(", ");
  program.error(`error: no subject is called ${positionals.join(" or ")}; there are ${names}`);
}
const workshop = new Workshop(BUILDS);
const firstOutcomes = await runAll(
  chosen,
  Number(values.jobs),
  (subject) => runAndTell(workshop, subject),
);
const outcomes = await runSurprisingAgain(firstOutcomes, (subject) => {
  process.stdout.write("Again, alone: ");
  return runAndTell(workshop, subject);
});
await writeReports(outcomes, values.out);
if (values.write) await keep(outcomes);
const { text, isGood } = conclude(outcomes, values.all === true);
// A run of all subjects has already built the servers.
const isWhole = positionals.length === 0 && !values.proxies && !values.more && !values.current;
const states = isWhole ? await checkModelStates(workshop) : { text: "", isGood: true, isRun: true };
process.stdout.write(text + states.text + compareNewest(await newestVersion()));
const areStatesGood = states.isGood && (states.isRun || values.all !== true);
process.exitCode = isGood && areStatesGood ? 0 : 1;
