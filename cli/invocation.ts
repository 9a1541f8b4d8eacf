/**
 * How this program was invoked, so that a person can copy the commands it prints.
 *
 * @module
 */

import { basename, relative } from "node:path";

/** The name of this package at its registries. */
export const PACKAGE = "@ollama-pull/kit";

/** How a process was started. */
export interface Start {
  /** The path of the runtime. */
  readonly execPath: string;
  /** The path of the script as it was invoked, which may be a link made by npm. */
  readonly script: string;
  /** The URL of a module of this program. */
  readonly moduleUrl: string;
  /** The current directory. */
  readonly directory: string;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where Bun keeps the modules of an executable: on Windows, and elsewhere. */
const EXECUTABLE_ROOTS = /^file:\/\/\/(\$bunfs|[A-Z]:\/~BUN)\//;

/** How to invoke the program again, up to its first argument. */
export function describeInvocation(start: Start): string {
  const { execPath, script, moduleUrl, directory, env } = start;
  const runtime = basename(execPath).replace(/\.exe$/i, "");
  // npm, Bun and Deno identify themselves to the programs they run.
  const runner = env.npm_config_user_agent ?? "";
  if (!moduleUrl.startsWith("file:")) {
    return `deno run --allow-net --allow-env jsr:${PACKAGE}/cli`;
  }
  if (EXECUTABLE_ROOTS.test(moduleUrl)) return runtime; // the file itself, whatever it is called
  const isInstalled = /[/\\]node_modules[/\\]/.test(script);
  if (runtime === "deno" && runner.startsWith("deno/")) return "deno task";
  if (runtime === "deno" && runner.startsWith("npm/") && !isInstalled) return "npx deno task";
  if (env.npm_command === "exec") return `${runner.startsWith("bun/") ? "bunx" : "npx"} ${PACKAGE}`;
  if (isInstalled) return `npx ${PACKAGE}`;
  const name = basename(script);
  if (!/\.[cm]?[jt]s$/.test(name)) return name; // linked by npm as a command
  const path = relative(directory, script);
  const shown = quoteArgument(path.startsWith("..") || path === "" ? script : path);
  return runtime === "deno" ? `deno run -A ${shown}` : `${runtime} ${shown}`;
}

/** An argument, quoted for a shell if necessary. */
export function quoteArgument(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
