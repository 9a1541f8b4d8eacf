/**
 * The pulls that the benchmark decodes, generated in each run, always the same:
 *
 * - `dialect`: from the mock, in each of its dialects;
 * - `recorded`: from the real servers in `conformance/lab/recordings`, stretched to more lines;
 * - `hostile`: mixes of lines for which a fast path could be slow or wrong.
 *
 * @module
 */

import {
  isStream,
  readRecordings,
  type RecordedServer,
  textOf,
} from "../conformance/lab/recordings/recording.ts";
import { createMockServer } from "../mock/mod.ts";
import type { DialectName } from "../src/dialects.ts";
import { dialects } from "../src/dialects.ts";
import type { Answer } from "./contenders.ts";
import { HOSTILE, MODEL_BYTES } from "./made_pulls.ts";

/** The source of a pull. */
export type Origin = "dialect" | "recorded" | "hostile";

/** A pull. */
export interface Input extends Answer {
  /** Its unique name. */
  readonly name: string;
  /** Its source. */
  readonly origin: Origin;
  /** The body of the answer. */
  readonly text: string;
}

/** The dialect of today's servers: the input that all contenders decode. */
export const TODAY = "dialect v0.33";

/** How the layers of the model share its bytes. */
const LAYER_SHARES = [0.9, 0.06, 0.03, 0.007, 0.003];

/** The names of all inputs, in the order in which they are made. */
export async function inputNames(): Promise<string[]> {
  return (await makers()).map(({ name }) => name);
}

/** Makes the named inputs, with about this many lines each. */
export async function* makeInputs(
  lines: number,
  isWanted: (name: string) => boolean,
): AsyncGenerator<Input> {
  for (const { name, origin, make } of await makers()) {
    if (!isWanted(name)) continue;
    const text = await make(lines);
    yield { name, origin, text, ...answerOf(text) };
  }
}

interface Maker {
  readonly name: string;
  readonly origin: Origin;
  make(lines: number): string | Promise<string>;
}

async function makers(): Promise<Maker[]> {
  return [
    ...(Object.keys(dialects) as DialectName[]).map((dialect): Maker => ({
      name: `dialect ${dialect}`,
      origin: "dialect",
      make: (lines) => pullFromMock(dialect, lines),
    })),
    ...(await readRecordings()).map((server): Maker => ({
      name: `recorded ${server.server.replace("ollama serve ", "")}`,
      origin: "recorded",
      make: (lines) => stretch(server, lines),
    })),
    ...Object.entries(HOSTILE).map(([name, make]): Maker => ({ name, origin: "hostile", make })),
  ];
}

/** The expected result of a pull, computed line by line in the simplest way. */
function answerOf(text: string): Answer {
  const totals = new Map<string, number>();
  const completed = new Map<string, number>();
  let lines = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    lines++;
    const object = JSON.parse(line);
    if (object.digest === undefined) continue;
    totals.set(object.digest, object.total);
    completed.set(object.digest, object.completed ?? 0);
  }
  const sum = (values: Iterable<number>) => Array.from(values).reduce((a, b) => a + b, 0);
  return { lines, total: sum(totals.values()), reported: sum(completed.values()) };
}

async function pullFromMock(dialect: DialectName, lines: number): Promise<string> {
  const { layers, tickMs } = dialects[dialect];
  // Layers that are downloaded in parallel each have a line at every tick.
  const ticks = layers === "parallel" ? lines / (LAYER_SHARES.length + 1) : lines;
  const { fetch } = createMockServer({
    models: [{
      name: "large",
      layers: LAYER_SHARES.map((share) => ({ size: Math.round(MODEL_BYTES * share) })),
    }],
    dialect,
    bytesPerSecond: MODEL_BYTES / (ticks * tickMs / 1_000),
  });
  const init = { method: "POST", body: '{"model":"large"}' };
  return await (await fetch("http://localhost/api/pull", init)).text();
}

/** The factor for the bytes of a recorded pull when it is stretched: its layers are small. */
const STRETCHED_BYTES = 10_000;

/**
 * Stretches a recorded pull to more lines: each line about a layer is repeated many times, with its bytes
 * growing up to the recorded value. Lines about parallel layers keep taking turns.
 */
function stretch({ recordings, dialect }: RecordedServer, lines: number): string {
  const exchanges = recordings.get("fresh")?.exchanges ?? [];
  const answer = exchanges.find(isStream);
  if (answer === undefined) throw new Error(`There is no pull of ${dialect} to stretch`);
  const recorded = textOf(answer).split("\n").filter((line) => line !== "");
  const isCounted = (line: string) => line.includes('"completed":');
  const turns = turnsOf(recorded, dialects[dialect].layers === "parallel");
  const counted = turns.filter((turn) => turn.some(isCounted));
  const times = Math.max(1, Math.round(lines / counted.flat().length));

  const before = new Map<string, number>();
  const result: string[] = [];
  for (const turn of turns) {
    for (let time = 1; time <= (counted.includes(turn) ? times : 1); time++) {
      for (const line of turn) result.push(grow(line, before, time / times));
    }
    for (const line of turn) {
      const { digest, completed } = JSON.parse(line);
      if (completed !== undefined) before.set(digest, completed);
    }
  }
  return `${result.join("\n")}\n`;
}

/** Groups consecutive lines that are each about a different layer; other lines form groups of one. */
function turnsOf(lines: readonly string[], takeTurns: boolean): string[][] {
  const turns: string[][] = [];
  const seen = new Set<string | undefined>();
  for (const line of lines) {
    const digest: string | undefined = JSON.parse(line).digest;
    if (!takeTurns || digest === undefined || seen.has(digest) || seen.size === 0) {
      turns.push([]);
      seen.clear();
    }
    if (digest !== undefined) seen.add(digest);
    turns.at(-1)!.push(line);
  }
  return turns;
}

/** A line with the bytes interpolated between the previous line about the same layer and this one. */
function grow(line: string, before: ReadonlyMap<string, number>, part: number): string {
  const { digest, completed } = JSON.parse(line);
  const start = before.get(digest) ?? 0;
  const now = Math.round((start + (completed - start) * part) * STRETCHED_BYTES);
  return line
    .replace(/"total":(\d+)/, (_, total) => `"total":${Number(total) * STRETCHED_BYTES}`)
    .replace(/"completed":\d+/, `"completed":${now}`);
}
