/**
 * The program that runs in each runtime: it performs the task given as JSON in its argument, and prints the
 * result.
 *
 * @module
 */

import process from "node:process";
import { type GrowthTask, measureGrowth } from "./growth.ts";
import { measureMemory, type MemoryTask } from "./memory.ts";
import { type ViewersTask, watchRelay } from "./relay_viewers.ts";
import { type SpeedTask, takeTurns } from "./speed.ts";

const task: SpeedTask | MemoryTask | GrowthTask | ViewersTask = JSON.parse(process.argv[2]!);
if (task.kind === "speed") await takeTurns(task);
else if (task.kind === "viewers") await watchRelay(task);
else {
  const result = task.kind === "memory" ? await measureMemory(task) : await measureGrowth(task);
  console.log(JSON.stringify(result));
}
