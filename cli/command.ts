/**
 * What a command of the command line is, and what it has of the world around it.
 *
 *     process ── process_context.ts ──▶ CommandContext ──▶ main.ts ──▶ a command ──▶ exit code
 *
 * A command knows nothing of the process it runs in, so a test gives it a screen, a clock and a
 * signal of its own.
 *
 * @module
 */

import type { Command } from "commander";

/** The exit codes. 128 and the signal's number, as shells have it, for what a signal ended. */
export const EXIT = {
  success: 0,
  failure: 1,
  usage: 2,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

/** As much of a standard stream as commands use. */
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

/** What a command has of the world. */
export interface CommandContext {
  /** Standard output. */
  readonly stdout: Output;
  /** Standard error. */
  readonly stderr: Output;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How this program is called, such as `deno task`, for a person to call it again. */
  readonly invocation: string;
  /** Aborts with an {@link Interruption} when the command is to end early. */
  readonly signal: AbortSignal;
  /** The time in milliseconds. */
  now(): number;
  /** Calls back again and again, until the function that it returns is called. */
  repeat(callback: () => void, milliseconds: number): () => void;
  /**
   * Takes hold of the terminal. `release` is called before the process exits, is killed or is
   * stopped, however that comes about, until the function that this returns is called.
   */
  holdTerminal(release: () => void): () => void;
}

/** Adds a command to the program. What the command resolves to is the exit code. */
export type AddCommand = (
  program: Command,
  context: CommandContext,
  onExit: (code: number) => void,
) => void;

/** The command line is wrong: the message says what, and is all that is shown. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** Why a command was ended early. */
export class Interruption extends Error {
  /** Always `"Interruption"`. */
  override readonly name = "Interruption";
  /** The exit code. */
  readonly exitCode: number;

  /**
   * Makes the reason of an abort.
   *
   * @param message What happened.
   * @param exitCode The exit code.
   */
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
