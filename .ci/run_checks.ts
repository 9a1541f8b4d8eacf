/**
 * Everything that can be found out without running a test: `deno task check`, or some of it by name:
 * `deno task check format lint`.
 *
 * @module
 */

import { Argument } from "commander";
import { CHECKS } from "./checks.ts";
import { createTask } from "./task.ts";

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
