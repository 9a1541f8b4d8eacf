/**
 * Notices when the processes that started this one have ended, so that a server does not outlive its test.
 *
 *     test runner ─▶ npx ─▶ sh ─▶ this process
 *
 * A signal that ends npx does not reach its child processes (observed: npm 10 and 11), and its shell keeps
 * waiting. So if npm is in between, the parent of the parent is watched, too.
 *
 * @module
 */

import process from "node:process";
import { isGranted } from "./permissions.ts";

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** The init process, which adopts the children of processes that have ended. It never ends itself. */
const INIT = 1;

/** Queries about processes. */
export interface Processes {
  /** The current parent of this process. */
  parent(): number;
  /** The parent of a process, if it can be determined. */
  parentOf(pid: number): Promise<number | undefined>;
  /** Whether a process is running. */
  isRunning(pid: number): boolean;
}

/** The processes of this machine. */
export const realProcesses: Processes = {
  parent: () => process.ppid,
  async parentOf(pid) {
    if (!isGranted({ name: "run" })) return undefined;
    // Loaded only if npm is in between, because it would delay other starts.
    const { execFile } = await import("node:child_process");
    return await new Promise<number | undefined>((resolve) => {
      execFile("ps", ["-o", "ppid=", "-p", String(pid)], (error, stdout) => {
        const parent = Number(stdout);
        resolve(error === null && parent > 0 ? parent : undefined);
      });
    });
  },
  isRunning(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      // A process of another user may not be signalled, but exists.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  },
};

/** Options of {@link watchParents}. */
export interface ParentWatchOptions {
  /** The environment, which shows whether npm is in between. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at an interval. Returns a function that stops it. */
  readonly repeat: (callback: () => void, milliseconds: number) => () => void;
  /** Called once, when the processes that started this one have ended. */
  readonly onGone: () => void;
  /** Queries about processes. @default {realProcesses} */
  readonly processes?: Processes;
}

/** Watches the processes that started this one. Resolves to a function that stops watching. */
export async function watchParents(
  { env, repeat, onGone, processes = realProcesses }: ParentWatchOptions,
): Promise<() => void> {
  const parent = processes.parent();
  // If it was detached on purpose, it should keep running.
  if (parent <= INIT) return () => {};
  const isBehindNpm = env.npm_execpath !== undefined || env.npm_command !== undefined;
  const grandparent = isBehindNpm ? await processes.parentOf(parent) : undefined;
  const watched = grandparent === undefined || grandparent <= INIT ? [] : [grandparent];
  const stop = repeat(() => {
    if (processes.parent() === parent && watched.every(processes.isRunning)) return;
    stop();
    onGone();
  }, LOOK_EVERY_MS);
  return stop;
}
