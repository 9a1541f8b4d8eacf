/**
 * Permissions, in a runtime that has them: Deno. Other runtimes allow everything.
 *
 * A permission that is missing ends a command with one line, which names the flag:
 *
 *     NotCapable ("Requires env access to …") ── describeDenial ──▶ "Cannot read …: run it with --allow-env=…"
 *
 * In a terminal, Deno asks the user first, unless it was started with `--no-prompt`. Nobody should be asked
 * for what a command can do without, so {@link isGranted} is asked before that is used.
 *
 * @module
 */

import { quoteArgument } from "./invocation.ts";
import { printable } from "./printable.ts";

/** What a permission is for: a kind, and one variable or program if not all of them are meant. */
export type Permission =
  | { readonly name: "env"; readonly variable: string }
  | { readonly name: "run" };

interface DenoPermissions {
  querySync(permission: Permission): { readonly state: string };
}

/** Whether something is allowed without asking the user. */
export function isGranted(permission: Permission): boolean {
  const { Deno } = globalThis as { Deno?: { readonly permissions: DenoPermissions } };
  return Deno === undefined || Deno.permissions.querySync(permission).state === "granted";
}

/** What Deno says is missing, as in `Requires net access to "127.0.0.1:1", run again with the --allow-net flag`. */
const REQUIREMENT =
  /^Requires \w+ access(?: to "(.*)"| to (\S+))?, run again with the (--allow-\w+) flag/;

/** What cannot be done without each flag, to one thing and to all. */
const DEEDS: Readonly<Record<string, readonly [one: string, all: string]>> = {
  "--allow-env": ["read the environment variable", "read the environment variables"],
  "--allow-net": ["use the network address", "use the network"],
  "--allow-read": ["read", "read files"],
  "--allow-write": ["write", "write files"],
  "--allow-run": ["run", "run programs"],
  "--allow-sys": ["ask the system for", "ask the system"],
};

/**
 * Says in one line which permission an error is about, and with which flag to run the command.
 *
 * @param error Any error, or one that was caused by it.
 * @return `undefined` if no permission is missing.
 */
export function describeDenial(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name !== "NotCapable") return describeDenial(error.cause);
  const [, quoted, bare, flag = ""] = REQUIREMENT.exec(error.message) ?? [];
  const deed = DEEDS[flag];
  if (deed === undefined) return printable(error.message);
  const thing = (quoted ?? bare)?.replace(/:0$/, ""); // port 0 is any that is free
  if (thing === undefined) return `Cannot ${deed[1]}: run it with ${flag}`;
  const shown = printable(thing);
  return `Cannot ${deed[0]} ${shown}: run it with ${quoteArgument(`${flag}=${shown}`)}`;
}
