/**
 * Runs the benchmark's program in Deno, Bun and Node: exactly the same bundle.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Growth, GrowthTask } from "./growth.ts";
import type { Memory, MemoryTask } from "./memory.ts";
import type { ViewersTask } from "./relay_viewers.ts";
import type { SpeedTask } from "./speed.ts";

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The name of a runtime. */
export type RuntimeName = "Deno" | "Node" | "Bun";

interface Runtime {
  readonly program: string;
  /** The arguments that run a script, and allow it to collect garbage. */
  readonly args: readonly string[];
}

/** The runtimes, by their names. */
export const RUNTIMES: Readonly<Record<RuntimeName, Runtime>> = {
  Deno: { program: Deno.execPath(), args: ["run", "--allow-all", "--v8-flags=--expose-gc"] },
  Node: { program: "node", args: ["--expose-gc"] },
  Bun: { program: join(ROOT, "node_modules/.bin/bun"), args: [] },
};

/** The environment of what is started. */
export const ENV = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/** Runs a program to its end, and returns what it prints. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    env: ENV,
    stdin: "null",
    stderr: "inherit",
  });
  const { success, code, stdout } = await command.output();
  if (!success) throw new Error(`${program} ended with exit code ${code}`);
  return new TextDecoder().decode(stdout);
}

/** The version of a runtime, or `undefined` if it is not installed. */
export async function versionOf(name: RuntimeName): Promise<string | undefined> {
  try {
    return (await run(RUNTIMES[name].program, ["--version"])).match(/\d+\.\d+\.\d+\S*/)?.[0];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Bundles a script with all its imports, with additional arguments for `deno bundle`. */
export async function bundle(script: string, file: string, ...options: string[]): Promise<void> {
  await run(Deno.execPath(), ["bundle", "--quiet", ...options, "--output", file, script]);
}

/** Runs a task in a runtime, and returns the result. */
export async function runTask(name: RuntimeName, script: string, task: MemoryTask): Promise<Memory>;
export async function runTask(name: RuntimeName, script: string, task: GrowthTask): Promise<Growth>;
export async function runTask(
  name: RuntimeName,
  script: string,
  task: MemoryTask | GrowthTask,
): Promise<unknown> {
  const { program, args } = RUNTIMES[name];
  const output = await run(program, [...args, script, JSON.stringify(task)]);
  return JSON.parse(output.trimEnd().split("\n").at(-1)!);
}

/** A process that answers each line with a line. */
export interface Conversation extends AsyncDisposable {
  /** Sends a line, and waits for the answer. */
  ask(line: string): Promise<string>;
}

/** Starts a runtime on a task, with a process to communicate with. */
export function startTask(
  name: RuntimeName,
  script: string,
  task: SpeedTask | ViewersTask,
): Conversation {
  const { program, args } = RUNTIMES[name];
  const command = new Deno.Command(program, {
    args: [...args, script, JSON.stringify(task)],
    cwd: ROOT,
    env: ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  const input = child.stdin.getWriter();
  const answers = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough<string>(new TextLineStream())
    .getReader();
  return {
    async ask(line) {
      await input.write(new TextEncoder().encode(`${line}\n`));
      const { done, value } = await answers.read();
      if (done || !value) {
        throw new Error(`${program} ended with exit code ${(await child.status).code}`);
      }
      return value;
    },
    async [Symbol.asyncDispose]() {
      await input.close().catch(() => {}); // it may have failed already
      await child.status;
    },
  };
}
