/**
 * Everything that must pass: `deno task ok` runs the checks and, if they pass, the tests.
 *
 * @module
 */

import { ROOT } from "./project.ts";
import { createTask } from "./task.ts";

createTask("ok")
  .description("runs all checks, and all tests if they pass")
  .parse(Deno.args, { from: "user" });

/** Runs another task, and ends this one if it fails. */
async function runTask(name: string): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), { args: ["task", name], cwd: ROOT })
    .spawn().status;
  if (code !== 0) Deno.exit(code);
}

await runTask("check");
await runTask("test");
