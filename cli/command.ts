/**
 * The interface of a command: how it is added to the program, and what it gets from the process.
 *
 *     process ── process_context.ts ──▶ CommandContext ──▶ main.ts ──▶ a command ──▶ exit code
 *
 * Commands do not access the process directly, so that a test can give them its own screen, clock and signal.
 *
 * @module
 */

import type { Command } from "commander";
import type { ManifestRequestInit, ModelStateRequestInit, PullRequestInit } from "../mod.ts";
import { parseModelName } from "../src/model_name.ts";
import { printable } from "./printable.ts";

/** The exit codes. After a signal: 128 plus its number, as in shells. */
export const EXIT = {
  success: 0,
  failure: 1,
  usage: 2,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

/** The part of a standard stream that commands use. */
export interface Output {
  /** Writes a text. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** The width of the terminal. */
  readonly columns?: number;
  /** The height of the terminal. */
  readonly rows?: number;
}

/** What the process gives to a command. */
export interface CommandContext {
  /** Standard output. */
  readonly stdout: Output;
  /** Standard error. */
  readonly stderr: Output;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How this program was invoked, such as `deno task`, to show commands that a person can copy. */
  readonly invocation: string;
  /** Makes all requests to servers and registries. */
  readonly fetch: (
    url: string,
    init: PullRequestInit | ManifestRequestInit | ModelStateRequestInit,
  ) => Promise<Response>;
  /** Aborts with an {@link Interruption} when the command must end early. */
  readonly signal: AbortSignal;
  /** The time in milliseconds. */
  now(): number;
  /** Waits for a number of milliseconds, or rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Calls back once standard input has ended, if it is a pipe. Returns a function that cancels this. */
  onInputEnd(callback: () => void): () => void;
  /** Calls back at an interval. Returns a function that stops it. */
  repeat(callback: () => void, milliseconds: number): () => void;
  /**
   * Registers a function that restores the terminal. It is called before the process exits, is killed or is
   * suspended. Returns a function that unregisters it.
   */
  holdTerminal(release: () => void): () => void;
}

/** Adds a command to the program. The command passes its exit code to `onExit`. */
export type AddCommand = (
  program: Command,
  context: CommandContext,
  onExit: (code: number) => void,
) => void;

/** The command line is wrong. Only the message is printed. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/**
 * Checks the name of a model.
 *
 * @throws {UsageError} If no server accepts it.
 */
export function requireModelName(name: string): void {
  try {
    parseModelName(name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(printable(error.message));
  }
}

/** The reason why a command ended early. */
export class Interruption extends Error {
  /** Always `"Interruption"`. */
  override readonly name = "Interruption";
  /** The exit code. */
  readonly exitCode: number;

  /**
   * Creates the reason for an abort.
   *
   * @param message What happened.
   * @param exitCode The exit code.
   */
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
