/**
 * What the system tells of other processes, on Linux.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
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

/** A clock that shows the processor time of a process, in milliseconds. */
export function cpuClockOf(pid: number): () => number {
  const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond * 1_000;
  };
}

/** The memory of a process that is not swapped out, in bytes. */
export function residentBytesOf(pid: number): number {
  const [, kilobytes] = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m) ?? [];
  return Number(kilobytes) * 1_024;
}
