/**
 * How this program was called, so that what it tells a person to run can be pasted as it is.
 *
 * @module
 */

import { basename, relative } from "node:path";

/** What a process knows of how it was started. */
export interface Start {
  /** The path of the runtime. */
  readonly execPath: string;
  /** The path of the script, as it was called: that of the link, where npm has made one. */
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
