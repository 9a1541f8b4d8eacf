/**
 * The built-in modules of Deno, Bun and Node. They are loaded by name when they are needed, and not
 * imported, so that browsers and Workers can load the code that uses them, and bundlers can bundle it.
 *
 * @module
 */

/** The modules that are used. */
interface Builtins {
  "node:child_process": typeof import("node:child_process");
  "node:http": typeof import("node:http");
  "node:net": typeof import("node:net");
  "node:process": typeof import("node:process");
  "node:timers": typeof import("node:timers");
  "node:tls": typeof import("node:tls");
}

/** What is used of the global `process`. */
interface Process {
  getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined;
}

/** A module of the runtime, or `undefined` in one that does not have it. */
export function builtinModule<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as { process?: Process };
  return process?.getBuiltinModule?.(name);
}
