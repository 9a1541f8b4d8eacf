/**
 * Measures how time and memory grow with pulls: more lines, more layers, longer lines.
 *
 * @module
 */

import { decodeProgress, decodePull, pull, type PullProgress } from "@ollama-pull/kit";
import process from "node:process";
import { ENDLESS_TOTAL, endlessPull, LINES_A_CHUNK } from "./endless_pull.ts";
import { inSequence, MODEL_BYTES, roundRobin } from "./made_pulls.ts";
import { cut, PullBody } from "./pull_bytes.ts";
import { type Clock, collectGarbage, measureInRounds, median, round, timed } from "./rounds.ts";

/** What to measure. */
export interface GrowthTask {
  /** Tells the tasks apart. */
  readonly kind: "growth";
  /** The lines of the longest pull. */
  readonly maxLines: number;
  /** The lines of a pull with many layers. */
  readonly linesOfLayers: number;
  /** The bytes of the longest line. */
  readonly maxLineBytes: number;
  /** How often each is measured, but for the longest. */
  readonly rounds: number;
  /** What tells the time. */
  readonly clock: Clock;
}

/** The cost of something by its size. */
export interface Point {
  /** How many lines, layers or bytes there are. */
  readonly size: number;
  /** What each line, or each byte, takes, in nanoseconds. */
  readonly ns: number;
}

/** What growth costs. */
export interface Growth {
  /** Through `pull`, by the number of lines. */
  readonly lines: readonly Point[];
  /** Through `decodeProgress`, by the number of layers, one after another. */
  readonly layersInSequence: readonly Point[];
  /** Through `decodeProgress`, by the number of layers, which take turns. */
  readonly layersInTurn: readonly Point[];
  /** Through `decodePull`, a byte a chunk, by the length of the line. */
  readonly longLine: readonly Point[];
  /** By how many bytes what is alive grew in the longest pull, after a fifth of it. */
  readonly grownBytes: number;
  /** By how many the process grew, whose heap is made larger now and then. */
  readonly rssGrownBytes: number;
}

const LAYERS = 2_000;
/** How often to look at the memory, and how often before it counts. */
const LOOKS = 20;
const LOOKS_TO_WARM_UP = 4;
/** How many lines are measured at least, so that a short pull is measured many times. */
const LINES_A_MEASUREMENT = 100_000;

/** Reads to the end, and makes sure that the end is the right one. */
async function readTo(total: number, progress: ReadableStream<PullProgress>): Promise<void> {
  let last: PullProgress | undefined;
  for await (last of progress);
  if (last?.completed === total && last.fraction === 1) return;
  throw new Error(`The pull ended at ${JSON.stringify(last)}, not at ${total} bytes`);
}

async function pullLines(chunks: Iterable<Uint8Array<ArrayBuffer>>): Promise<void> {
  const { stream } = new PullBody(chunks);
  await readTo(ENDLESS_TOTAL, pull("endless", { fetch: () => new Response(stream) }));
}

async function measureLines({ maxLines, rounds, clock }: GrowthTask): Promise<Point[]> {
  const sizes: number[] = [];
  for (let size = 1_000; size < maxLines; size *= 10) sizes.push(size);
  const timesOf = (size: number) => Math.ceil(LINES_A_MEASUREMENT / size);
  const work = sizes.map((size) =>
    timed(async () => {
      for (let time = 0; time < timesOf(size); time++) await pullLines(endlessPull(size));
    }, clock)
  );
  const times = await measureInRounds(work, rounds);
  // The longest takes so long that what disturbs it for a while does not count for much.
  const longest = await timed(() => pullLines(endlessPull(maxLines)), clock)();
  return [...sizes, maxLines].map((size, index) => {
    const ms = times[index] ? median(times[index]) : longest;
    return { size, ns: round(ms * 1e6 / (size * timesOf(size)), 1) };
  });
}

/** The most by which a measure is above the first, after it was warm. */
function growthOf(measures: readonly number[]): number {
  const [warm = 0, ...later] = measures.slice(LOOKS_TO_WARM_UP);
  return Math.max(0, ...later.map((size) => size - warm));
}

/** Looks at the memory on the way of the longest pull, when garbage was collected. */
async function measureMemory({ maxLines }: GrowthTask) {
  const alive: number[] = [];
  const ofProcess: number[] = [];
  const chunksBetween = Math.ceil(maxLines / LINES_A_CHUNK / LOOKS);
  function* watched() {
    let chunks = 0;
    for (const chunk of endlessPull(maxLines)) {
      if (chunks++ % chunksBetween === 0) {
        collectGarbage();
        const { rss, heapUsed, external } = process.memoryUsage();
        alive.push(heapUsed + external);
        ofProcess.push(rss);
      }
      yield chunk;
    }
  }
  await pullLines(watched());
  return { grownBytes: growthOf(alive), rssGrownBytes: growthOf(ofProcess) };
}

async function measureLayers({ linesOfLayers, rounds, clock }: GrowthTask) {
  const pulls = [
    inSequence(linesOfLayers, 1),
    inSequence(linesOfLayers, LAYERS),
    roundRobin(linesOfLayers, 2),
    roundRobin(linesOfLayers, LAYERS),
  ].map((text) => cut(new TextEncoder().encode(text), "replay"));
  const work = pulls.map((chunks) =>
    timed(() => readTo(MODEL_BYTES, decodeProgress(new PullBody(chunks).stream)), clock)
  );
  const times = await measureInRounds(work, rounds);
  const [one, many, two, manyInTurn] = times.map((values) =>
    round(median(values) * 1e6 / linesOfLayers, 1)
  ) as [number, number, number, number];
  return {
    layersInSequence: [{ size: 1, ns: one }, { size: LAYERS, ns: many }],
    layersInTurn: [{ size: 2, ns: two }, { size: LAYERS, ns: manyInTurn }],
  };
}

/** The bytes of a line, one by one. */
function* oneByOne(bytes: Uint8Array<ArrayBuffer>) {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

async function measureLongLine({ maxLineBytes, rounds, clock }: GrowthTask): Promise<Point[]> {
  const lengths = [maxLineBytes / 4, maxLineBytes];
  const work = lengths.map((length) => {
    const frame = '{"status":""}\n'.length;
    const bytes = new TextEncoder().encode(`{"status":"${"x".repeat(length - frame)}"}\n`);
    return timed(async () => {
      for (let time = 0; time < maxLineBytes / length; time++) {
        for await (const { status } of decodePull(new PullBody(oneByOne(bytes)).stream)) {
          if (status?.length !== length - frame) throw new Error("The line is not whole");
        }
      }
    }, clock);
  });
  const times = await measureInRounds(work, rounds);
  return lengths.map((size, index) => ({
    size,
    ns: round(median(times[index]!) * 1e6 / maxLineBytes, 1),
  }));
}

/** Measures what a task says. */
export async function measureGrowth(task: GrowthTask): Promise<Growth> {
  return {
    lines: await measureLines(task),
    ...await measureMemory(task),
    ...await measureLayers(task),
    longLine: await measureLongLine(task),
  };
}
