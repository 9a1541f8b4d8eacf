#!/usr/bin/env node
/**
 * The command line of the package: runs the command that the arguments name, and returns its exit code.
 *
 * A command is a function that adds itself to the program (`AddCommand`); to have one more, add
 * it to the list below.
 *
 * ```sh
 * deno run --allow-net --allow-env jsr:@ollama-pull/kit/cli pull llama3.2
 * ```
 *
 * @module
 */

import { existsSync, realpathSync } from "node:fs";
import nodeModule from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { type AddCommand, type CommandContext, EXIT, UsageError } from "./command.ts";
import { describeDenial } from "./permissions.ts";
import { printable } from "./printable.ts";
import { createProcessContext, exitProcess } from "./process_context.ts";
import { readVersion } from "./version.ts";

export type { CommandContext, Output } from "./command.ts";

/** The commands. Each is loaded where it is called, so that none starts more slowly because of others. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  pull: async () => (await import("./commands/pull.ts")).addPullCommand,
  demo: async () => (await import("./commands/demo.ts")).addDemoCommand,
  mock: async () => (await import("./commands/mock.ts")).addMockCommand,
  conformance: async () => (await import("./commands/conformance.ts")).addConformanceCommand,
};

/** Loads the command that the arguments name; all of them, to be listed, if they name none. */
async function loadCommands([name = ""]: readonly string[]): Promise<readonly AddCommand[]> {
  const load = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  return await Promise.all(load.map((each) => each()));
}

const HELP_AFTER = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 output closed, 143 terminated`;

/** The code of a commander error that means that `--version` was given. */
const VERSION_ASKED = "commander.version";

/**
 * Runs the command that the arguments name.
 *
 * @param args The arguments, without the runtime and the script.
 * @param context What it gets from the process.
 * @return The exit code: 0 done, 1 failed, 2 wrong usage, 128 and more when a signal ended it.
 */
export async function main(args: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number = EXIT.success;
  const program = createProgram(context);
  try {
    for (const add of await loadCommands(args)) add(program, context, (code) => exitCode = code);
    for (const command of [program, ...program.commands]) addVersion(command);
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return await explain(error, context);
  }
}

function createProgram({ invocation, stdout, stderr }: CommandContext): Command {
  const columns = (stream: { columns?: number }) => stream.columns || 80;
  return new Command(invocation)
    .description("Pulls Ollama models, and tests clients and servers that do")
    .addHelpText("after", HELP_AFTER)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => columns(stdout),
      getErrHelpWidth: () => columns(stderr),
      // Commander puts a suggestion on a second line; each failure is one line.
      outputError: (text, write) => write(`${printable(text)}\n`),
    });
}

/** Commander cannot wait for the file that holds the version, so {@link explain} prints it. */
function addVersion(command: Command): void {
  command
    .option("-V, --version", "print the version")
    .on("option:version", () => {
      throw new CommanderError(EXIT.success, VERSION_ASKED, "");
    });
}

/** Prints the error that ended a command, and returns the exit code. */
async function explain(error: unknown, { stdout, stderr }: CommandContext): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.code === VERSION_ASKED) stdout.write(`${await readVersion()}\n`);
    return error.exitCode === 0 ? EXIT.success : EXIT.usage;
  }
  if (error instanceof UsageError) {
    stderr.write(`error: ${error.message}\n`);
    return EXIT.usage;
  }
  stderr.write(`error: ${describeDenial(error) ?? printable(String(error))}\n`);
  return EXIT.failure;
}

/** Ends the process with one line where Deno throws that a permission is missing outside of every promise. */
function explainDenial(error: unknown): never {
  const denial = describeDenial(error);
  if (denial === undefined) throw error;
  process.stderr.write(`error: ${denial}\n`);
  process.exit(EXIT.failure);
}

/** Whether this file was run, and not imported. */
function isProgram(): boolean {
  // Node has `import.meta.main` from 24 on. By npm, the script is a link to this file.
  const { main } = import.meta as { main?: boolean };
  const script = process.argv[1];
  if (main !== undefined || script === undefined) return main ?? false;
  return existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isProgram()) {
  // Node, from 22.8 on, then keeps what it has compiled of the command for the next start.
  nodeModule.enableCompileCache?.();
  if ("Deno" in globalThis) process.on("uncaughtException", explainDenial);
  await exitProcess(await main(process.argv.slice(2), createProcessContext()));
}
