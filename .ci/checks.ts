/**
 * The checks of `deno task check`: all that can be found out without running a test.
 *
 * @module
 */

import { findProblems, FROM_CACHE } from "./command.ts";
import { lintDocs, typeCheckExamples } from "./docs.ts";
import { listFiles, ROOT } from "./project.ts";
import { findNonWebUses } from "./web_only.ts";

/** One check. */
export interface Check {
  /** What is checked, in words. */
  readonly title: string;
  /** Returns what is wrong. */
  readonly run: () => Promise<string[]>;
}

/** What a command of Deno says is wrong with the repository. */
const deno = (...args: string[]) => () => findProblems(args, ROOT);

/** Checks the types of TypeScript alone: recipes in JavaScript import what the repository has not. */
async function typeCheckSources(): Promise<string[]> {
  const files = (await listFiles(ROOT)).filter((file) => /\.tsx?$/.test(file));
  return await findProblems(["check", "--quiet", FROM_CACHE, ...files], ROOT);
}

/** The checks, by their names on the command line. */
export const CHECKS: Readonly<Record<string, Check>> = {
  format: { title: "format", run: deno("fmt", "--check") },
  lint: { title: "lint", run: deno("lint") },
  types: { title: "types", run: typeCheckSources },
  examples: { title: "types of the examples", run: typeCheckExamples },
  web: { title: "the web library alone", run: () => findNonWebUses(ROOT) },
  docs: { title: "documentation", run: lintDocs },
  publish: { title: "publishing", run: deno("publish", "--dry-run", "--allow-dirty") },
};
