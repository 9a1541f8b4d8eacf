/**
 * Measures the suite by mutation: `deno task mutation [server|client]`. A small server and a small client
 * that are right are broken in every way that StrykerJS knows, one at a time, and the suite is run against
 * each of them. What it does not catch is a gap in the rules, or a mutant that does what the original does,
 * which `equivalents.json` lists with a proof.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument } from "commander";
import { createTask } from "../../../.ci/task.ts";
import { type Equivalent, type MutationReport, namedMutants, scoreOf } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const STRYKER = "@stryker-mutator/core@9.0.1";
const FOLDER = "conformance/lab/mutation";

/** What is mutated. */
const SIDES = {
  server: `${FOLDER}/small_server.ts`,
  client: "conformance/lab/zoo/client_parts.ts",
} as const;

type Side = keyof typeof SIDES;

/** The part of the mutants that are to be caught. */
const GOAL = 0.95;

/** How long the suite may take against one mutant, besides what it takes against the original. */
const TIMEOUT_MS = 60_000;

/** The mutants of one side, and what became of them. */
async function mutate(side: Side, jobs: number): Promise<MutationReport> {
  const work = join(ROOT, ".cache/mutation", side);
  await Deno.mkdir(work, { recursive: true });
  const report = join(work, "report.json");
  const config = {
    mutate: [SIDES[side]],
    testRunner: "command",
    commandRunner: {
      command: `${Deno.execPath()} run --allow-all --no-check ${FOLDER}/check.ts ${side}`,
    },
    reporters: ["progress", "json"],
    jsonReporter: { fileName: report },
    ignorePatterns: [".cache", ".ci", "bench", "cli"],
    tsconfigFile: "none.json", // there is none for it to rewrite
    tempDirName: join(".cache/mutation", side, "tmp"),
    concurrency: jobs,
    timeoutMS: TIMEOUT_MS,
    disableTypeChecks: false,
    cleanTempDir: "always", // what is left of it holds tests that others would find
    allowEmpty: false,
  };
  const configFile = join(work, "stryker.json");
  await Deno.writeTextFile(configFile, JSON.stringify(config, null, 2));
  const command = new Deno.Command("npx", {
    args: ["--yes", "--package", STRYKER, "stryker", "run", configFile],
    cwd: ROOT,
    stdin: "null",
  });
  const { success } = await command.spawn().status;
  if (!success) throw new Error("The mutation tool has failed");
  return JSON.parse(await Deno.readTextFile(report));
}

/** Prints how the mutants of a side fared. Returns whether enough of them are caught. */
async function report(side: Side, result: MutationReport): Promise<boolean> {
  const file = join(ROOT, FOLDER, "equivalents.json");
  const equivalents: Record<Side, Equivalent[]> = JSON.parse(await Deno.readTextFile(file));
  const { caught, survived, equivalent, stale, share } = scoreOf(
    namedMutants(result),
    equivalents[side],
  );
  for (const { place, original, replacement } of survived) {
    console.log(`${place}\n  - ${original}\n  + ${replacement}`);
  }
  for (const { line, proof } of stale) console.log(`listed, but not there: ${line} (${proof})`);
  const counts = `${caught} caught, ${survived.length} not, ${equivalent.length} equivalent`;
  console.log(`the small ${side}: ${(100 * share).toFixed(1)} % (${counts})`);
  return share >= GOAL && stale.length === 0;
}

const program = createTask("mutation")
  .description("measures the suite by mutations of a small server and a small client")
  .addArgument(
    new Argument("[sides...]", "what to mutate (default: both)").choices(Object.keys(SIDES)),
  )
  .option("--jobs <number>", "how many mutants are checked at the same time", "2")
  .option("--report-only", "print what the last run has found")
  .parse(Deno.args, { from: "user" });
const options = program.opts<{ jobs: string; reportOnly?: true }>();
const sides = (program.args.length > 0 ? program.args : Object.keys(SIDES)) as Side[];
let isEnough = true;
for (const side of sides) {
  const file = join(ROOT, ".cache/mutation", side, "report.json");
  const result: MutationReport = options.reportOnly
    ? JSON.parse(await Deno.readTextFile(file))
    : await mutate(side, Number(options.jobs));
  isEnough = await report(side, result) && isEnough;
}
Deno.exitCode = isEnough ? 0 : 1;
