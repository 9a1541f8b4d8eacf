/**
 * Measures how long a test waits for the command it starts: until the mock of the npm package is ready in
 * Node, compared with an empty program in Node, which is not our doing.
 *
 * The two take turns, because the speed of a machine changes over minutes.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { installWithNpm } from "../.ci/runtimes/tarball.ts";
import { median } from "./rounds.ts";
import { RUNTIMES } from "./runtimes.ts";

/** Durations in milliseconds, at the median. */
export interface StartUp {
  /** Until Node has run an empty program. */
  readonly bareMs: number;
  /** Until the mock has written its address. */
  readonly readyMs: number;
  /** How much later than the preceding empty program the mock was ready. */
  readonly laterMs: number;
}

const { program } = RUNTIMES.Node;

async function timeBareNode(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(program, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - startedAt;
}

async function timeMock(script: string): Promise<number> {
  const startedAt = performance.now();
  const args = [script, "mock", "--json", "--port", "0"];
  const mock = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(mock, "exit");
  await Promise.race([
    once(mock.stdout, "data"),
    ended.then(([code]) => {
      throw new Error(`The mock ended with exit code ${code} before it was ready`);
    }),
  ]);
  const readyMs = performance.now() - startedAt;
  mock.stdin.end();
  await ended;
  return readyMs;
}

/** Installs the npm package, and starts its mock a number of times. */
export async function measureStartUp(starts: number): Promise<StartUp> {
  await using consumer = await installWithNpm();
  const script = `${consumer.folder}/node_modules/.bin/ollama-pull`;
  await timeMock(script); // the first run reads from disk, later ones from memory
  const [bare, ready]: [number[], number[]] = [[], []];
  for (let start = 0; start < starts; start++) {
    bare.push(await timeBareNode());
    ready.push(await timeMock(script));
  }
  return {
    bareMs: median(bare),
    readyMs: median(ready),
    laterMs: median(ready.map((ms, start) => ms - bare[start]!)),
  };
}
