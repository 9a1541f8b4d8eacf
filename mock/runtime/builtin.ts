/**
 * The built-in modules of Deno, Bun and Node. They are loaded by name at run time, not imported, so that
 * browsers and Workers can load, and bundlers can bundle, the code that uses them.
 *
 * @module
 */

/** The modules that the mock uses. */
interface Builtins {
  "node:child_process": typeof import("node:child_process");
  "node:http": typeof import("node:http");
  "node:net": typeof import("node:net");
  "node:process": typeof import("node:process");
  "node:timers": typeof import("node:timers");
  "node:tls": typeof import("node:tls");
}

/** The part of the global `process` that the mock uses. */
interface Process {
  getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined;
}

/** Loads a built-in module. Returns `undefined` if the runtime does not have it. */
export function builtinModule<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as { process?: Process };
  return process?.getBuiltinModule?.(name);
}
