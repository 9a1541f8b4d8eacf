/**
 * Reads a pull on request, in a separate process: the part that runs in each runtime.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Answer, check, findContender, type Job } from "./contenders.ts";
import { type Chunking, cut, PullBody } from "./pull_bytes.ts";
import { type Clock, timed } from "./rounds.ts";

/** A pull in a file, and its expected result. */
export interface StoredInput extends Answer {
  /** The name of the input. */
  readonly name: string;
  /** The file. */
  readonly file: string;
}

/** The task of a process. */
export interface SpeedTask {
  /** Tells the tasks apart. */
  readonly kind: "speed";
  /** The pull. */
  readonly input: StoredInput;
  /** How it arrives. */
  readonly chunking: Chunking;
  /** The contender that reads it. */
  readonly contender: string;
  /** The contender's job. */
  readonly job: Job;
  /** Which time is measured. */
  readonly clock: Clock;
}

/** Reads the pull each time a line arrives, and prints how many milliseconds it took. */
export async function takeTurns(task: SpeedTask): Promise<void> {
  const contender = findContender(task.contender, task.job);
  const chunks = cut(new Uint8Array(await readFile(task.input.file)), task.chunking);
  const read = timed(
    async () => check(contender, await contender.run(new PullBody(chunks)), task.input),
    task.clock,
  );
  for await (const _ of createInterface({ input: process.stdin })) console.log(await read());
}
