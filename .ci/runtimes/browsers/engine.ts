/**
 * What the tests need from a browser, however it is driven.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A browser, which may be missing on this machine. */
export interface Engine {
  readonly name: string;
  /** The name of the browser in the package, with its version. */
  readonly runtime: RegExp;
  /** What is missing on this machine and how to get it, in one line. Absent if nothing is missing. */
  readonly lacks?: string;
  /** The command that prints the version. */
  readonly versionCommand: readonly [string, ...string[]];
  /** Starts the browser, without a screen. */
  start(): Promise<Browser>;
}

/** A running browser. */
export interface Browser {
  /** Opens an address, and waits until the page has loaded. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** An open page. */
export interface Page {
  /** The value of an expression in the page. Promises are awaited. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Loads the page anew, and waits until it has loaded. */
  reload(): Promise<void>;
  /** A picture of the page, in PNG's format. */
  screenshot(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The path of the first program that exists. Each is a name on the `PATH`, or a path. */
export function findProgram(...programs: readonly (string | undefined)[]): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  const candidates = programs
    .filter((program) => program !== undefined)
    .flatMap((program) =>
      program.includes("/") ? [program] : folders.map((folder) => join(folder, program))
    );
  return candidates.find((path) => existsSync(path));
}
