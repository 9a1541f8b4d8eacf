/**
 * Everything that can be found out without running a test: `deno task check`.
 *
 * @module
 */

import { findProblems, FROM_CACHE } from "./command.ts";
import { lintDocs, typeCheckExamples } from "./docs.ts";
import { listFiles, ROOT } from "./project.ts";
import { findNonWebUses } from "./web_only.ts";

/** What a command of Deno says is wrong with the repository. */
const deno = (...args: string[]) => () => findProblems(args, ROOT);

/** Checks the types of TypeScript alone: recipes in JavaScript import what the repository has not. */
async function typeCheckSources(): Promise<string[]> {
  const files = (await listFiles(ROOT)).filter((file) => /\.tsx?$/.test(file));
  return await findProblems(["check", "--quiet", FROM_CACHE, ...files], ROOT);
}

/** The checks, each of which returns what is wrong. */
const CHECKS: Readonly<Record<string, () => Promise<string[]>>> = {
  "format": deno("fmt", "--check"),
  "lint": deno("lint"),
  "types": typeCheckSources,
  "types of the examples": typeCheckExamples,
  "the web library alone": () => findNonWebUses(ROOT),
  "documentation": lintDocs,
  "publishing": deno("publish", "--dry-run", "--allow-dirty"),
};

const failed: string[] = [];
for (const [name, check] of Object.entries(CHECKS)) {
  const problems = await check();
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${name}`);
  if (problems.length === 0) continue;
  failed.push(name);
  console.log(problems.join("\n"));
}

console.log(failed.length === 0 ? "All checks passed" : `Checks failed: ${failed.join(", ")}`);
Deno.exitCode = failed.length === 0 ? 0 : 1;
