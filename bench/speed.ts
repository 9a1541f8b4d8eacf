/**
 * Reads a pull as often as it is told to, in a process of its own: what runs in each runtime.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Answer, check, findContender, type Job } from "./contenders.ts";
import { type Chunking, cut, PullBody } from "./pull_bytes.ts";
import { type Clock, timed } from "./rounds.ts";

/** A pull in a file, and what it must come to. */
export interface StoredInput extends Answer {
  /** The name of the input. */
  readonly name: string;
  /** The file. */
  readonly file: string;
}

/** What a process is to do. */
export interface SpeedTask {
  /** Tells the tasks apart. */
  readonly kind: "speed";
  /** The pull. */
  readonly input: StoredInput;
  /** How it arrives. */
  readonly chunking: Chunking;
  /** Who reads it. */
  readonly contender: string;
  /** And what for. */
  readonly job: Job;
  /** What tells the time. */
  readonly clock: Clock;
}

/** Reads the pull each time that a line comes in, and prints how many milliseconds it took. */
export async function takeTurns(task: SpeedTask): Promise<void> {
  const contender = findContender(task.contender, task.job);
  const chunks = cut(new Uint8Array(await readFile(task.input.file)), task.chunking);
  const read = timed(
    async () => check(contender, await contender.run(new PullBody(chunks)), task.input),
    task.clock,
  );
  for await (const _ of createInterface({ input: process.stdin })) console.log(await read());
}
