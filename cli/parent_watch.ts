/**
 * Notices that the processes which started this one have ended, so that a server does not outlive its test.
 *
 *     test runner ─▶ npx ─▶ sh ─▶ this process
 *
 * A signal that ends npx does not reach what it has started (observed: npm 10 and 11), and its shell goes
 * on waiting. So the parent of the parent is watched, too, where npm is in between.
 *
 * @module
 */

import process from "node:process";
import { isGranted } from "./permissions.ts";

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** The first process, to which those are handed over whose parent has ended: it ends with the machine. */
const INIT = 1;

/** What is asked of the system. */
export interface Processes {
  /** The parent of this process, as of now. */
  parent(): number;
  /** The parent of a process, if that can be told. */
  parentOf(pid: number): Promise<number | undefined>;
  /** Whether a process runs. */
  isRunning(pid: number): boolean;
}

/** The processes of this machine. */
export const realProcesses: Processes = {
  parent: () => process.ppid,
  async parentOf(pid) {
    if (!isGranted({ name: "run" })) return undefined;
    // Loaded where npm is in between alone: it would delay the others.
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
      // Somebody else's process may not be asked, but is there.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  },
};

/** Options of {@link watchParents}. */
export interface ParentWatchOptions {
  /** The environment, which tells whether npm is in between. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at an interval. Returns a function that stops it. */
  readonly repeat: (callback: () => void, milliseconds: number) => () => void;
  /** Called once, when the processes that started this one have ended. */
  readonly onGone: () => void;
  /** What is asked of the system. @default {realProcesses} */
  readonly processes?: Processes;
}

/** Watches the processes that started this one. Resolves to a function that stops that. */
export async function watchParents(
  { env, repeat, onGone, processes = realProcesses }: ParentWatchOptions,
): Promise<() => void> {
  const parent = processes.parent();
  // What was detached on purpose goes on by itself.
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
