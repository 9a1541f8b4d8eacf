/**
 * What runs in each runtime: does the task that its argument gives as JSON, and prints the result.
 *
 * @module
 */

import process from "node:process";
import { type GrowthTask, measureGrowth } from "./growth.ts";
import { measureMemory, type MemoryTask } from "./memory.ts";
import { measureSpeed, type SpeedTask } from "./speed.ts";

/** Something to measure. */
export type Task = SpeedTask | MemoryTask | GrowthTask;

function measure(task: Task): Promise<unknown> {
  switch (task.kind) {
    case "speed":
      return measureSpeed(task);
    case "memory":
      return measureMemory(task);
    case "growth":
      return measureGrowth(task);
  }
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]!))));
