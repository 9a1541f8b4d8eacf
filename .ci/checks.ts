/**
 * The checks of `deno task check`: everything that can be checked without running a test.
 *
 * @module
 */

import { findProblems, FROM_CACHE } from "./command.ts";
import { lintDocs, typeCheckExamples } from "./docs.ts";
import { listFiles, ROOT } from "./project.ts";
import { findNonWebUses } from "./web_only.ts";

/** One check. */
export interface Check {
  /** What is checked, for the output. */
  readonly title: string;
  /** Returns the problems, if any. */
  readonly run: () => Promise<string[]>;
}

/** The problems that a Deno command reports. */
const deno = (...args: string[]) => () => findProblems(args, ROOT);

/** Checks TypeScript files only: recipes in JavaScript import packages that the repository does not have. */
async function typeCheckSources(): Promise<string[]> {
  const files = (await listFiles(ROOT)).filter((file) => /\.tsx?$/.test(file));
  return await findProblems(["check", "--quiet", FROM_CACHE, ...files], ROOT);
}

/** The checks, by name on the command line. */
export const CHECKS: Readonly<Record<string, Check>> = {
  format: { title: "format", run: deno("fmt", "--check") },
  lint: { title: "lint", run: deno("lint") },
  types: { title: "types", run: typeCheckSources },
  examples: { title: "types of the examples", run: typeCheckExamples },
  web: { title: "the web library alone", run: () => findNonWebUses(ROOT) },
  docs: { title: "documentation", run: lintDocs },
  publish: { title: "publishing", run: deno("publish", "--dry-run", "--allow-dirty") },
};
