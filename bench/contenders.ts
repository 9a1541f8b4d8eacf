/**
 * The contenders: this package, what its users would take instead, and the floor. Each is used through its
 * public interface, and does one of two jobs to the end of a pull:
 *
 * - `events`: every object, one by one, with `for await`. Ours are typed statuses. The others need only give
 *   plain objects; the code that an application would add to tell them apart is left out.
 * - `progress`: the progress of the whole, at least once per chunk. Ours has all layers, speed and time left.
 *   The others need only give three numbers, from sums over a `Map` by digest.
 *
 * Both rules favour the others.
 *
 * @module
 */

import {
  decodeProgress,
  decodePull,
  NdjsonDecoderStream,
  pull,
  type PullProgress,
  PullProgressStream,
  type PullStatus,
  PullStatusStream,
} from "@ollama-pull/kit";
import { JsonParseStream } from "@std/json";
import { TextLineStream } from "@std/streams";
import ndjson from "ndjson";
import readNdjson from "ndjson-readablestream";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { Ollama } from "ollama/browser";
import split2 from "split2";
import jsonl from "stream-json/web/jsonl/parser.js";
import type { PullBody } from "./pull_bytes.ts";

/** The job of a contender. */
export type Job = "events" | "progress";

/** What a contender read from a pull. */
export interface Outcome {
  /** How many items it produced. */
  readonly items: number;
  /** The status of the last object. */
  readonly lastStatus?: string | undefined;
  /** The bytes present at the end. */
  readonly completed?: number | undefined;
}

/** Something to measure. */
export interface Contender {
  /** Its name, which is unique among contenders with the same job. */
  readonly name: string;
  /** Its job. */
  readonly job: Job;
  /** Whether it is part of this package, another decoder of pulls, or something that does less. */
  readonly kind: "ours" | "other" | "floor";
  /** Reads a pull to its end. */
  run(body: PullBody): Promise<Outcome>;
}

/** The names of contenders that others are compared with. */
export const OLLAMA = "ollama (npm)";
export const DENO_STD = "Deno's library";
export const NAIVE = "a loop by hand";
export const FLOOR = "floor: UTF-8 and newlines";
export const PIPED = "three streams, piped";
/** The same as our three streams, also with streams. */
export const STD_PIPED = `${DENO_STD}, piped on`;

/** A line, as parsed by `JSON.parse`. */
interface PullObject {
  kind?: PullStatus["kind"];
  readonly status?: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
  readonly error?: string;
}

async function readEvents(events: AsyncIterable<PullObject>): Promise<Outcome> {
  let items = 0;
  let lastStatus: string | undefined;
  for await (const { status } of events) {
    items++;
    lastStatus = status;
  }
  return { items, lastStatus };
}

async function readProgress(snapshots: AsyncIterable<PullProgress>): Promise<Outcome> {
  let items = 0;
  let last: PullProgress | undefined;
  for await (const progress of snapshots) {
    items++;
    last = progress;
  }
  return { items, lastStatus: last?.status, completed: last?.completed };
}

/** The sums that an application without our package would keep: just enough for one bar. */
class Sums {
  readonly #layers = new Map<string, { total: number; completed: number }>();
  #total = 0;
  #completed = 0;

  add({ digest, total = 0, completed = 0 }: PullObject): void {
    if (digest === undefined) return;
    const layer = this.#layers.get(digest);
    if (layer === undefined) this.#layers.set(digest, { total, completed });
    this.#total += total - (layer?.total ?? 0);
    this.#completed += completed - (layer?.completed ?? 0);
    if (layer === undefined) return;
    layer.total = total;
    layer.completed = completed;
  }

  snapshot() {
    return {
      completed: this.#completed,
      total: this.#total,
      fraction: this.#total > 0 ? this.#completed / this.#total : 0,
    };
  }
}

/** Aggregates objects, with a snapshot for each chunk. */
async function sumUp(
  objects: AsyncIterable<PullObject>,
  body: PullBody,
  prepare = (object: PullObject) => object,
): Promise<Outcome> {
  const sums = new Sums();
  let shown = sums.snapshot();
  let items = 0;
  let chunksShown = 0;
  let lastStatus: string | undefined;
  for await (const object of objects) {
    if (body.chunksRead !== chunksShown) {
      chunksShown = body.chunksRead;
      shown = sums.snapshot();
      items++;
    }
    sums.add(prepare(object));
    lastStatus = object.status;
  }
  shown = sums.snapshot();
  return { items: items + 1, lastStatus, completed: shown.completed };
}

/** Classifies objects, as an application would. */
function kindOf({ status, digest, error }: PullObject): PullStatus["kind"] {
  if (error !== undefined) return "error";
  if (digest !== undefined) return "downloading";
  switch (status) {
    case "pulling manifest":
      return "manifest";
    case "verifying sha256 digest":
      return "verifying";
    case "writing manifest":
      return "writing";
    case "removing any unused layers":
    case "removing unused layers":
      return "removing";
    case "success":
      return "success";
    default:
      return "other";
  }
}

/** Adds a type to an object in place, which is cheapest. */
function typed(object: PullObject): PullObject {
  object.kind = kindOf(object);
  return object;
}

/** The bodies as other packages read them: one object per line. */
type Decode = (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
) => AsyncIterable<PullObject> | Promise<AsyncIterable<PullObject>>;

async function pullWithOllama(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const client = new Ollama({ fetch: () => Promise.resolve(new Response(stream)) });
  return await client.pull({ model: "llama3.2", stream: true });
}

const decodeWithDenoStd = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  stream
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .pipeThrough(new JsonParseStream()) as ReadableStream<PullObject>;

/** Streams for the steps that Deno's library lacks: each object is typed, and gives a snapshot. */
async function sumUpWithStreams({ stream }: PullBody): Promise<Outcome> {
  const sums = new Sums();
  const snapshots = decodeWithDenoStd(stream)
    .pipeThrough(
      new TransformStream<PullObject, PullObject>({
        transform: (object, controller) => controller.enqueue(typed(object)),
      }),
    )
    .pipeThrough(
      new TransformStream<PullObject, { status?: string | undefined; completed: number }>({
        transform(object, controller) {
          sums.add(object);
          controller.enqueue({ status: object.status, ...sums.snapshot() });
        },
      }),
    );
  let items = 0;
  let last: { status?: string | undefined; completed: number } | undefined;
  for await (const snapshot of snapshots) {
    items++;
    last = snapshot;
  }
  return { items, lastStatus: last?.status, completed: last?.completed };
}

/** The loop that people copy, as a generator. */
async function* decodeByHand(stream: ReadableStream<Uint8Array>): AsyncGenerator<PullObject> {
  const reader = stream.getReader();
  const utf8 = new TextDecoder();
  let buffer = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    buffer += utf8.decode(value, { stream: true });
    const lines = buffer.split("\n");
    buffer = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") yield JSON.parse(line);
    }
  }
  if (buffer !== "") yield JSON.parse(buffer);
}

/** The same loop with the sums inside, without waiting between two objects. */
async function sumUpByHand({ stream }: PullBody): Promise<Outcome> {
  const reader = stream.getReader();
  const utf8 = new TextDecoder();
  const sums = new Sums();
  let shown = sums.snapshot();
  let items = 0;
  let buffer = "";
  let lastStatus: string | undefined;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    buffer += utf8.decode(value, { stream: true });
    const lines = buffer.split("\n");
    buffer = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") continue;
      const object: PullObject = JSON.parse(line);
      sums.add(object);
      lastStatus = object.status;
    }
    shown = sums.snapshot();
    items++;
  }
  return { items, lastStatus, completed: shown.completed };
}

/** The minimum to find lines: decode UTF-8 and search for newlines. */
async function findLines({ stream }: PullBody): Promise<Outcome> {
  const utf8 = new TextDecoder();
  let items = 0;
  for await (const chunk of stream) {
    const text = utf8.decode(chunk, { stream: true });
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) items++;
  }
  return { items };
}

const fromNode = (stream: ReadableStream<Uint8Array>) =>
  Readable.fromWeb(stream as NodeReadableStream<Uint8Array>);

async function* valuesOf(entries: ReadableStream<{ value: PullObject }>) {
  for await (const { value } of entries) yield value;
}

/** The others. Those for Node streams get one, as their users convert a fetched body. */
const OTHERS: Readonly<Record<string, Decode>> = {
  [OLLAMA]: pullWithOllama,
  [DENO_STD]: decodeWithDenoStd,
  "split2": (stream) => fromNode(stream).pipe(split2(JSON.parse)),
  "ndjson": (stream) => fromNode(stream).pipe(ndjson.parse()),
  "ndjson-readablestream": (stream) => readNdjson<PullObject>(stream),
  "stream-json": (stream) => valuesOf(stream.pipeThrough(jsonl.asWebStream())),
};

const OURS: readonly Contender[] = [
  {
    name: "decodePull",
    job: "events",
    kind: "ours",
    run: ({ stream }) => readEvents(decodePull(stream)),
  },
  {
    name: "two streams, piped",
    job: "events",
    kind: "ours",
    run: ({ stream }) =>
      readEvents(stream.pipeThrough(new NdjsonDecoderStream()).pipeThrough(new PullStatusStream())),
  },
  {
    name: "decodeProgress",
    job: "progress",
    kind: "ours",
    run: ({ stream }) => readProgress(decodeProgress(stream)),
  },
  {
    name: "pull",
    job: "progress",
    kind: "ours",
    run: ({ stream }) => readProgress(pull("llama3.2", { fetch: () => new Response(stream) })),
  },
  {
    name: PIPED,
    job: "progress",
    kind: "ours",
    run: ({ stream }) =>
      readProgress(
        stream
          .pipeThrough(new NdjsonDecoderStream())
          .pipeThrough(new PullStatusStream())
          .pipeThrough(new PullProgressStream()),
      ),
  },
];

/** All contenders. */
export const CONTENDERS: readonly Contender[] = [
  ...OURS,
  ...Object.entries(OTHERS).flatMap(([name, decode]): Contender[] => [
    {
      name,
      job: "events",
      kind: "other",
      run: async ({ stream }) => readEvents(await decode(stream)),
    },
    {
      name,
      job: "progress",
      kind: "other",
      run: async (body) => sumUp(await decode(body.stream), body),
    },
  ]),
  {
    // The same as our three streams, with a loop at the end.
    name: `${DENO_STD}, typed`,
    job: "progress",
    kind: "other",
    run: (body) => sumUp(decodeWithDenoStd(body.stream), body, typed),
  },
  { name: STD_PIPED, job: "progress", kind: "other", run: sumUpWithStreams },
  {
    name: NAIVE,
    job: "events",
    kind: "other",
    run: ({ stream }) => readEvents(decodeByHand(stream)),
  },
  { name: NAIVE, job: "progress", kind: "other", run: sumUpByHand },
  { name: FLOOR, job: "events", kind: "floor", run: findLines },
  { name: FLOOR, job: "progress", kind: "floor", run: findLines },
];

/** Finds the contender with a name that does a job. */
export function findContender(name: string, job: Job): Contender {
  const found = CONTENDERS.find((one) => one.name === name && one.job === job);
  if (found === undefined) throw new Error(`No contender is called ${name}`);
  return found;
}

/** The expected result of a pull. */
export interface Answer {
  /** The number of its lines. */
  readonly lines: number;
  /** The bytes of all layers. */
  readonly total: number;
  /** The last reported bytes, over all layers. The last line of a layer may fall short. */
  readonly reported: number;
}

/** Throws unless a contender has read the whole pull correctly. Otherwise its time does not count. */
export function check({ name, job, kind }: Contender, outcome: Outcome, answer: Answer): void {
  const { items, lastStatus, completed } = outcome;
  const expected = kind === "ours" ? answer.total : answer.reported;
  const isRight = kind === "floor" ? items === answer.lines : lastStatus === "success" &&
    (job === "events" ? items === answer.lines : items > 0 && completed === expected);
  if (isRight) return;
  throw new Error(
    `${name} did not read the pull as it is: ${JSON.stringify({ outcome, answer, job })}`,
  );
}
