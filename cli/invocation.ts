/**
 * How this program was called, so that a person can copy the commands that it prints.
 *
 * @module
 */

import { basename, relative } from "node:path";

/** How a process was started. */
export interface Start {
  /** The path of the runtime. */
  readonly execPath: string;
  /** The path of the script as it was called, which may be a link made by npm. */
  readonly script: string;
  /** The current directory. */
  readonly directory: string;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to call the program again, up to its first argument. */
export function describeInvocation({ execPath, script, directory, env }: Start): string {
  const runtime = basename(execPath).replace(/\.exe$/i, "");
  const name = basename(script);
  if (!/\.[cm]?[jt]s$/.test(name)) return name; // linked by npm as a command
  if (runtime === "deno" && env.npm_config_user_agent?.startsWith("deno/")) return "deno task";
  const path = relative(directory, script);
  const shown = quoteArgument(path.startsWith("..") || path === "" ? script : path);
  return runtime === "deno" ? `deno run -A ${shown}` : `${runtime} ${shown}`;
}

/** An argument as a shell takes it. */
export function quoteArgument(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
