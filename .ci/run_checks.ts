/**
 * Everything that can be found out without running a test: `deno task check`, or some of it by name:
 * `deno task check format lint`.
 *
 * @module
 */

import { Argument } from "commander";
import { findProblems } from "./command.ts";
import { lintDocs, typeCheckExamples } from "./docs.ts";
import { listFiles, ROOT } from "./project.ts";
import { createTask } from "./task.ts";
import { findNonWebUses } from "./web_only.ts";

/** One check. */
interface Check {
  /** What it shows, in words. */
  readonly title: string;
  /** Returns what is wrong. */
  readonly run: () => Promise<string[]>;
}

/** What a command of Deno says is wrong with the repository. */
const deno = (...args: string[]) => () => findProblems(args, ROOT);

/** Checks the types of TypeScript alone: recipes in JavaScript import what the repository has not. */
async function typeCheckSources(): Promise<string[]> {
  const files = (await listFiles(ROOT)).filter((file) => /\.tsx?$/.test(file));
  return await findProblems(["check", "--quiet", ...files], ROOT);
}

/** The checks, by their names on the command line. */
const CHECKS: Readonly<Record<string, Check>> = {
  format: { title: "format", run: deno("fmt", "--check") },
  lint: { title: "lint", run: deno("lint") },
  types: { title: "types", run: typeCheckSources },
  examples: { title: "types of the examples", run: typeCheckExamples },
  web: { title: "the web library alone", run: () => findNonWebUses(ROOT) },
  docs: { title: "documentation", run: lintDocs },
  publish: { title: "publishing", run: deno("publish", "--dry-run", "--allow-dirty") },
};

const program = createTask("check")
  .description("checks format, lint, types, documentation and what would be published")
  .addArgument(
    new Argument("[checks...]", "what to check (default: all)").choices(Object.keys(CHECKS)),
  )
  .parse(Deno.args, { from: "user" });
const names = program.args.length > 0 ? program.args : Object.keys(CHECKS);

const failed: string[] = [];
for (const name of names) {
  const { title, run } = CHECKS[name]!;
  const problems = await run();
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${title}`);
  if (problems.length === 0) continue;
  failed.push(name);
  console.log(problems.join("\n"));
}

// Named so that they can be typed after `deno task check`.
console.log(failed.length === 0 ? "All checks passed" : `Checks failed: ${failed.join(" ")}`);
Deno.exitCode = failed.length === 0 ? 0 : 1;
