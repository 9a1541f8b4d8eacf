/**
 * The process as a {@link CommandContext}: its streams, signals and clock. Deno, Bun and Node share
 * `node:process`, so no code here depends on the runtime.
 *
 * @module
 */

import { fstatSync, type Stats } from "node:fs";
import process from "node:process";
import { type CommandContext, EXIT, Interruption } from "./command.ts";
import { sleepOnTimer } from "../src/pull/sleep.ts";
import { describeInvocation } from "./invocation.ts";
import { isGranted } from "./permissions.ts";
import { createTransport } from "./transport.ts";

/** Signals that end or suspend a process before it can restore the terminal. */
const DEADLY_SIGNALS = ["SIGHUP", "SIGQUIT", "SIGTSTP"] as const;

/**
 * The variables that only tell how to put something, or how to show it. Without the permission to read one,
 * it counts as not set. (The others decide what is done, so a command that may not read them fails.)
 */
const OPTIONAL_VARIABLES: readonly string[] = [
  "TERM",
  "NO_COLOR",
  "npm_command",
  "npm_config_user_agent",
  "npm_execpath",
];

/** The environment, of which a command reads what it is allowed to. */
function readableEnv(): NodeJS.ProcessEnv {
  // The target is empty, since a proxy looks at what its target has after each read, which Deno would refuse.
  return new Proxy({} as NodeJS.ProcessEnv, {
    get(_, name: string) {
      const isReadable = !OPTIONAL_VARIABLES.includes(name) ||
        isGranted({ name: "env", variable: name });
      return isReadable ? process.env[name] : undefined;
    },
  });
}

/** Creates the context of this process. Call it once. */
export function createProcessContext(): CommandContext {
  const stopped = new AbortController();
  const stop = (message: string, exitCode: number) => {
    stopped.abort(new Interruption(message, exitCode));
  };
  onSignal(process, "SIGINT", () => stop("Interrupted", EXIT.interrupted));
  onSignal(process, "SIGTERM", () => stop("Terminated", EXIT.terminated));
  // The reader of the output has closed it, as in `| head -1`.
  process.stdout.on("error", () => stop("The output was closed", EXIT.outputClosed));
  process.stderr.on("error", () => {});
  const env = readableEnv();

  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    invocation: describeInvocation({
      execPath: process.execPath,
      script: process.argv[1] ?? "ollama-pull",
      moduleUrl: import.meta.url,
      directory: process.cwd(),
      env,
    }),
    fetch: createTransport(process.env),
    signal: stopped.signal,
    now: () => performance.now(),
    sleep: sleepOnTimer,
    repeat(callback, milliseconds) {
      const timer = setInterval(callback, milliseconds);
      return () => clearInterval(timer);
    },
    onInputEnd,
    holdTerminal,
  };
}

/** Calls back once standard input has ended, if it is a pipe: the program at the other end has closed it. */
function onInputEnd(callback: () => void): () => void {
  const input = process.stdin;
  const isPipe = (kind: Stats) => kind.isFIFO() || kind.isSocket();
  try {
    if (!isPipe(fstatSync(0))) return () => {};
  } catch {
    return () => {}; // there is no pipe
  }
  input.once("end", callback).once("close", callback).resume();
  return () => {
    input.off("end", callback).off("close", callback).pause();
    input.unref?.();
  };
}

/** How long the program that runs this one may repeat a signal, in milliseconds. */
const REPEATED_MS = 500;

/**
 * Handles a signal, and ignores immediate repetitions of it: npm forwards the Ctrl-C that the terminal has
 * already sent to both. A later one kills the process, in case it hangs.
 *
 * @param source The process.
 * @param schedule Calls back after a number of milliseconds.
 */
export function onSignal(
  source: Pick<NodeJS.EventEmitter, "on" | "off">,
  signal: NodeJS.Signals,
  handle: () => void,
  schedule: (callback: () => void, milliseconds: number) => unknown = setTimeout,
): void {
  const listener = () => {
    handle();
    schedule(() => source.off(signal, listener), REPEATED_MS);
  };
  source.on(signal, listener);
}

function holdTerminal(release: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    release();
    if (signal === "SIGTSTP") {
      process.kill(process.pid, "SIGSTOP"); // execution resumes here
    } else {
      letGo(); // restores the signal's default action
      process.kill(process.pid, signal);
    }
  };
  const letGo = () => {
    process.off("exit", release);
    for (const signal of signals) process.off(signal, onSignal);
  };
  const signals = process.platform === "win32" ? [] : DEADLY_SIGNALS;
  process.on("exit", release);
  for (const signal of signals) process.on(signal, onSignal);
  return letGo;
}

/** Ends the process once all output is written. */
export async function exitProcess(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  process.exit(code);
}
