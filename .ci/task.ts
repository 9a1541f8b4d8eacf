/**
 * The command lines of the tasks in `deno.json` that are for this repository alone. (The others are those of
 * the package's own command, in `cli/`.)
 *
 * @module
 */

import { Command } from "commander";

/**
 * Makes the command line of a task. It knows `--help`, and each mistake is one line, with what was meant if
 * that is close.
 *
 * @param name The name of the task.
 */
export function createTask(name: string): Command {
  return new Command(`deno task ${name}`)
    // Commander puts "Did you mean …?" on a second line.
    .configureOutput({
      outputError: (text, write) => write(`${text.trim().replace("\n", " ")}\n`),
    });
}
