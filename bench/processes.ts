/**
 * Reads what Linux knows about processes: CPU time, memory and limits.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** The process of workerd that this process has started. */
export function findWorkerd(): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, command, parent] = readFileSync(`/proc/${name}/stat`, "utf8")
        .match(/\((.*)\) \S (\d+)/) ?? [];
      if (command === "workerd" && Number(parent) === process.pid) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("There is no process of workerd");
}

/**
 * A clock that shows the CPU time of a process, in milliseconds. It adds up the threads, whose time the
 * scheduler counts in nanoseconds: the time of the whole process is only known in steps of 10 ms. The time
 * of threads that have ended is lost, so compare two times only while a process does steady work.
 */
export function cpuClockOf(pid: number): () => number {
  const folder = `/proc/${pid}/task`;
  return () =>
    readdirSync(folder).reduce((all, thread) => all + threadMs(`${folder}/${thread}`), 0);
}

function threadMs(folder: string): number {
  try {
    const [nanoseconds] = readFileSync(`${folder}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0; // the thread has ended
  }
}

/** The resident memory of a process (RSS), in bytes. */
export function residentBytesOf(pid: number): number {
  const [, kilobytes] = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m) ?? [];
  return Number(kilobytes) * 1_024;
}

/** How many files and sockets this process, and each one that it starts, may have open at once. */
export function openFileLimit(): number {
  const [, limit] = readFileSync("/proc/self/limits", "utf8").match(/^Max open files\s+(\d+)/m) ??
    [];
  return Number(limit ?? Infinity);
}
