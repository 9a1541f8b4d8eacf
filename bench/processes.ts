/**
 * What the system tells of other processes, on Linux.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** The process of workerd: the one that this process has started. */
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
 * A clock that shows the processor time of a process, in milliseconds: that of its threads, which the
 * scheduler counts in nanoseconds, where the sum that it keeps has steps of 10 ms. A thread that ends takes
 * its time with it, which does not matter while a process does the same all the time.
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
    return 0; // it has ended meanwhile
  }
}

/** The memory of a process that is not swapped out, in bytes. */
export function residentBytesOf(pid: number): number {
  const [, kilobytes] = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m) ?? [];
  return Number(kilobytes) * 1_024;
}
