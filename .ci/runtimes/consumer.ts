/**
 * A user's project: a folder outside of this repository that contains only what its
 * tools install.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { type CommandOptions, type CommandResult, outputOf, runCommand } from "../command.ts";
import { readText } from "../project.ts";
import type { Findings } from "./program.ts";

/** A program and its arguments. */
export type Command = readonly [string, ...string[]];
type Environment = NonNullable<CommandOptions["env"]>;

/** A module that prints the result of `program.ts`, which is next to it, as JSON. */
const MAIN = 'import { tryPackage } from "./program.ts";\n' +
  "console.log(JSON.stringify(await tryPackage()));\n";

/** A module that abandons pulls from a server. */
const leave = (host: string) =>
  `import { tryNetwork } from "./program.ts";\nawait tryNetwork(${JSON.stringify(host)});\n`;

/** A user's project. */
export class Consumer {
  /** Its folder. */
  readonly folder: string;
  /** Additional environment variables for its commands. */
  readonly #env: Environment;

  private constructor(folder: string, env: Environment) {
    this.folder = folder;
    this.#env = env;
  }

  /** Makes one, with the program that runs everywhere: `main.ts`, which prints {@link Findings}. */
  static async create(env: Environment = {}): Promise<Consumer> {
    const consumer = new Consumer(await Deno.makeTempDir({ prefix: "consumer-" }), env);
    const program = await readText(".ci/runtimes/program.ts");
    await consumer.write({ "program.ts": program, "main.ts": MAIN });
    return consumer;
  }

  /** Writes files, given by path: texts, or values to be written as JSON. */
  async write(files: Readonly<Record<string, string | object>>): Promise<void> {
    for (const [path, contents] of Object.entries(files)) {
      const file = join(this.folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      const text = typeof contents === "string" ? contents : JSON.stringify(contents, null, 2);
      await Deno.writeTextFile(file, text);
    }
  }

  /** Starts a command there. Its standard error goes to its standard output. */
  start(command: Command, env: Environment = {}): Deno.ChildProcess {
    return new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@" 2>&1', ...command],
      cwd: this.folder,
      env: { ...this.#env, ...env },
      stdin: "null",
      stdout: "piped",
    }).spawn();
  }

  /** Runs a command there to its end, whether it succeeds or not. */
  run(command: Command): Promise<CommandResult> {
    return runCommand(command, { cwd: this.folder, env: this.#env });
  }

  /** Runs a command there, which must succeed, and returns its output. */
  outputOf(command: Command): Promise<string> {
    return outputOf(command, { cwd: this.folder, env: this.#env });
  }

  /** The result of the program, run by a command. */
  async findingsOf(command: Command): Promise<Findings> {
    return JSON.parse(await this.outputOf(command));
  }

  /** Writes `leave.ts`, which abandons pulls from a server in every state. */
  async writeLeaving(host: string): Promise<void> {
    await this.write({ "leave.ts": leave(host) });
  }

  /** Removes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}
