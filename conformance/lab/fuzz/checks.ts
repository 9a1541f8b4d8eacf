/**
 * What must hold for the decoders, for any bytes in any chunks: they emit exactly what the reference emits,
 * and their progress keeps its promises.
 *
 * @module
 */

import {
  decodeProgress,
  decodePull,
  encodeStatus,
  NdjsonDecoderStream,
  PullError,
  type PullErrorCode,
  type PullProgress,
  PullProgressStream,
  type PullStatus,
  PullStatusStream,
} from "../../../mod.ts";
import { NdjsonDecoder } from "../../../src/ndjson.ts";
import { PullProgressDecoder } from "../../../src/progress.ts";
import { PullStatusDecoder } from "../../../src/status_stream.ts";
import { chunksOf, type Input } from "./inputs.ts";
import { isObject, isSame, kindOf, read, type Reading } from "./reference.ts";
import type { Bytes } from "./text.ts";

/** A violated property. */
export class Finding extends Error {
  /** Always `"Finding"`. */
  override readonly name = "Finding";
}

/** Fails unless a condition holds. */
export function require(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Finding(what);
}

/** How a stream should fail. */
interface Failure {
  readonly code: PullErrorCode;
  /** The line at fault, or 0 if the failure belongs to no line. */
  readonly line: number;
}

/** The values of a stream, and its failure. */
interface Output<Value> {
  readonly values: readonly Value[];
  readonly error: unknown;
}

type Options = Parameters<typeof decodeProgress>[1];

/** Throws a {@link Finding} if a property does not hold for an input. */
export async function check(input: Input): Promise<void> {
  const chunks = chunksOf(input);
  const reading = read(input.bytes, input.maxLineBytes);
  const expected = expectedStatuses(input, reading);
  checkValues(input, chunks, reading);
  // The time stands still, so that the two kinds of progress must be the same.
  const isCompared = input.through === "decodeProgress";
  const last = checkSteps(input, chunks, expected, isCompared ? 0 : input.bytes.length % 1000);
  if (isCompared) await checkProgressStream(input, chunks, expected, last);
  else await checkStatusStream(input, chunks, reading, expected);
}

/** The same for separate streams of one step each. */
export async function checkSeparateStreams(input: Input): Promise<void> {
  const reading = read(input.bytes, input.maxLineBytes);
  const told: PullError[] = [];
  const statusesOf = (options: Options & object) =>
    streamOf(chunksOf(input))
      .pipeThrough(new NdjsonDecoderStream(options))
      .pipeThrough(new PullStatusStream(options));
  const output = await readAll(statusesOf(optionsFor(input, told)));
  // Not a branch of the first one: when that fails, a branch of `tee` loses its unread values.
  const progress = await readAll(
    statusesOf(optionsFor(input, [])).pipeThrough(new PullProgressStream({ now: () => 0 })),
  );
  const { objects, failure } = expectedStatuses(input, reading);
  requireStatuses(output.values, objects, "PullStatusStream");
  requireFailure(output.error, failure, "PullStatusStream", false);
  requireTold(input, told, reading, "the separate streams", false);
  requireProgress(progress.values, "PullProgressStream");
  requireFailure(progress.error, progressFailure(objects, failure), "PullProgressStream", false);
}

/** Whether `Object.prototype` was changed. */
export function requireCleanPrototypes(): void {
  for (const key in {}) throw new Finding(`All objects have ${key}`);
}

function optionsFor({ onMalformed, maxLineBytes }: Input, told: PullError[]): Options & object {
  return {
    onMalformed: onMalformed === "tell" ? (error) => void told.push(error) : onMalformed,
    ...(maxLineBytes !== undefined && { maxLineBytes }),
    now: () => 0,
  };
}

/** The decoder of lines as a plain step, which also records the line of each value. */
function checkValues(input: Input, chunks: readonly Bytes[], reading: Reading): void {
  const told: PullError[] = [];
  const decoder = new NdjsonDecoder(optionsFor(input, told));
  const expected = reading.lines.filter(({ value }) => value !== undefined);
  let seen = 0;
  const emit = (value: unknown, line: number) => {
    const next = expected[seen++];
    require(next !== undefined, `NdjsonDecoder gives a value too many, of line ${line}`);
    require(next.line === line, `NdjsonDecoder says that line ${next.line} is line ${line}`);
    require(isSame(next.value, value), `NdjsonDecoder gives another value for line ${line}`);
  };
  const error = run(decoder, chunks, emit);
  const bad = input.onMalformed === "error" ? firstNotJson(reading) : undefined;
  const failure = bad ? { code: "malformed" as const, line: bad } : endingOf(reading);
  requireFailure(error, failure, "NdjsonDecoder");
  const given = bad ? expected.filter(({ line }) => line < bad).length : expected.length;
  require(seen === given, `NdjsonDecoder gives ${seen} values in place of ${given}`);
  requireTold(input, told, { ...reading, lines: reading.lines.filter(isNotJson) }, "NdjsonDecoder");
}

/** The plain steps one after another, with a snapshot for each status. Returns the last snapshot. */
function checkSteps(
  input: Input,
  chunks: readonly Bytes[],
  { objects, failure }: Expected,
  stepMs: number,
): PullProgress | undefined {
  const options = optionsFor(input, []);
  let time = 0;
  const values = new NdjsonDecoder(options);
  const typing = new PullStatusDecoder(options);
  const progress = new PullProgressDecoder({ now: () => time += stepMs });
  const snapshots: PullProgress[] = [];
  const statuses: PullStatus[] = [];
  const follow = (status: PullStatus) => {
    statuses.push(status);
    progress.push(status, (snapshot) => snapshots.push(freeze(snapshot)));
  };
  let error = run(values, chunks, (value, line) => typing.push(value, follow, line));
  try {
    if (error === undefined) progress.end();
  } catch (thrown) {
    error = thrown;
  }
  const expected = progressFailure(objects, failure);
  requireFailure(error, expected, "the steps");
  const errorAt = objects.findIndex((object) => kindOf(object) === "error");
  requireStatuses(statuses, errorAt < 0 ? objects : objects.slice(0, errorAt + 1), "the steps");
  requireProgress(snapshots, "PullProgressDecoder");
  return snapshots.at(-1);
}

async function checkStatusStream(
  input: Input,
  chunks: readonly Bytes[],
  reading: Reading,
  { objects, failure }: Expected,
): Promise<void> {
  const told: PullError[] = [];
  const output = await readAll(decodePull(streamOf(chunks), optionsFor(input, told)));
  requireStatuses(output.values, objects, "decodePull");
  requireFailure(output.error, failure, "decodePull");
  requireTold(input, told, reading, "decodePull");
}

async function checkProgressStream(
  input: Input,
  chunks: readonly Bytes[],
  { objects, failure }: Expected,
  stepwise: PullProgress | undefined,
): Promise<void> {
  const output = await readAll(decodeProgress(streamOf(chunks), optionsFor(input, [])));
  output.values.forEach(freeze);
  requireProgress(output.values, "decodeProgress");
  requireFailure(output.error, progressFailure(objects, failure), "decodeProgress");
  const last = output.values.at(-1);
  // Before the first phase, only one of them emits a snapshot for an object without known fields.
  const isSilent = objects.every((object) => ["other", "error"].includes(kindOf(object)));
  require(isSilent || isSame(last, stepwise), "decodeProgress ends as the steps do not");
  require(output.values.length <= 2 * objects.length + 1, "decodeProgress gives too much");
}

/** Runs a step on chunks, and returns what it failed with. */
function run<Value>(
  step: {
    push(chunk: Uint8Array, emit: (value: Value, line: number) => void): void;
    end(emit: (value: Value, line: number) => void): void;
  },
  chunks: readonly Bytes[],
  emit: (value: Value, line: number) => void,
): unknown {
  try {
    for (const chunk of chunks) step.push(chunk, emit);
    step.end(emit);
    return undefined;
  } catch (error) {
    if (error instanceof Finding) throw error;
    return error ?? new Finding("undefined was thrown");
  }
}

function streamOf(chunks: readonly Bytes[]): ReadableStream<Bytes> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

async function readAll<Value>(stream: ReadableStream<Value>): Promise<Output<Value>> {
  const values: Value[] = [];
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { values, error: undefined };
      values.push(value);
    }
  } catch (error) {
    return { values, error };
  }
}

function isNotJson({ value }: { readonly value: unknown }): boolean {
  return value === undefined;
}

function firstNotJson({ lines }: Reading): number | undefined {
  return lines.find(isNotJson)?.line;
}

function endingOf({ ending, endsAt }: Reading): Failure | undefined {
  return ending === "whole" ? undefined : { code: ending, line: endsAt };
}

/** The expected statuses, and how their stream should fail. */
interface Expected {
  readonly objects: readonly Record<string, unknown>[];
  readonly failure: Failure | undefined;
}

function expectedStatuses({ onMalformed }: Input, reading: Reading): Expected {
  const objects: Record<string, unknown>[] = [];
  for (const { line, value } of reading.lines) {
    if (isObject(value)) objects.push(value);
    else if (onMalformed === "error") return { objects, failure: { code: "malformed", line } };
  }
  return { objects, failure: endingOf(reading) };
}

/** How progress should fail, given the statuses and the failure of their stream. */
function progressFailure(
  objects: readonly Record<string, unknown>[],
  failure: Failure | undefined,
): Failure | undefined {
  const kinds = objects.map(kindOf);
  if (kinds.includes("error")) return { code: "server", line: 0 };
  if (failure) return failure;
  return kinds.includes("success") ? undefined : { code: "truncated", line: 0 };
}

function requireFailure(
  error: unknown,
  expected: Failure | undefined,
  of: string,
  knowsLines = true,
): void {
  if (expected === undefined) return require(error === undefined, `${of} fails with ${error}`);
  require(error instanceof PullError, `${of} does not fail with a PullError, but ${error}`);
  const { code, line } = error;
  require(code === expected.code, `${of} fails with ${code} in place of ${expected.code}`);
  if (!knowsLines && line === undefined) return;
  require((line ?? 0) === expected.line, `${of} says ${line} in place of line ${expected.line}`);
}

/** Requires that each malformed line was reported, in order, if the input asks for that. */
function requireTold(
  { onMalformed }: Input,
  told: readonly PullError[],
  reading: Reading,
  of: string,
  knowsLines = true,
): void {
  if (onMalformed !== "tell") return require(told.length === 0, `${of} tells unasked`);
  const bad = reading.lines.filter(({ value }) => !isObject(value));
  require(told.length === bad.length, `${of} tells of ${told.length} lines, not ${bad.length}`);
  for (const [index, { code, line }] of told.entries()) {
    require(code === "malformed", `${of} tells of ${code}`);
    require(!knowsLines || line === bad[index]!.line, `${of} tells of line ${line}`);
  }
}

function requireStatuses(
  statuses: readonly PullStatus[],
  objects: readonly Record<string, unknown>[],
  of: string,
): void {
  const counts = `${statuses.length} statuses in place of ${objects.length}`;
  require(statuses.length === objects.length, `${of} gives ${counts}`);
  for (const [index, status] of statuses.entries()) {
    const object = objects[index]!;
    require(status.kind === kindOf(object), `${of} takes object ${index} for ${status.kind}`);
    require(isSame(object, encodeStatus(status)), `${of} does not give back object ${index}`);
  }
}

/** Freezes a snapshot, so that changing it later would throw. */
function freeze(snapshot: PullProgress): PullProgress {
  if (!Object.isFrozen(snapshot.layers)) {
    for (const layer of snapshot.layers) if (!Object.isFrozen(layer)) Object.freeze(layer);
    Object.freeze(snapshot.layers);
  }
  return Object.freeze(snapshot);
}

function requireProgress(snapshots: readonly PullProgress[], of: string): void {
  let before: PullProgress | undefined;
  for (const now of snapshots) {
    requireSound(now, of);
    if (before) requireRisen(before, now, of);
    before = now;
  }
}

function requireSound(
  progress: PullProgress,
  of: string,
): void {
  const { phase, completed, total, totalIsKnown, fraction, layers } = progress;
  const { bytesPerSecond = 0, etaSeconds = 0 } = progress;
  require(fraction >= 0 && fraction <= 1, `${of} has the fraction ${fraction}`);
  require((fraction === 1) === (phase === "success"), `${of} is ${fraction} at ${phase}`);
  require(completed <= total, `${of} has ${completed} of ${total} bytes`);
  require(bytesPerSecond >= 0 && bytesPerSecond < Infinity, `${of} has a rate of no sense`);
  require(etaSeconds >= 0 && etaSeconds < Infinity, `${of} has a time left of no sense`);
  const isDownloading = phase === "downloading" || phase === "manifest";
  require(totalIsKnown || isDownloading, `${of} does not know its total at ${phase}`);
  let sum = 0;
  for (const layer of layers) {
    sum += layer.completed;
    require(layer.completed <= (layer.total ?? Infinity), `${of} has too much of a layer`);
    require(
      !layer.done || layer.completed === (layer.total ?? layer.completed),
      `${of} is not done`,
    );
    require(layer.done || isDownloading, `${of} is ${phase} before a layer is done`);
  }
  require(sum > Number.MAX_SAFE_INTEGER || sum === completed, `${of} does not add up`);
}

function requireRisen(before: PullProgress, now: PullProgress, of: string): void {
  require(now.completed >= before.completed, `${of}: completed falls`);
  require(now.fraction >= before.fraction, `${of}: the fraction falls`);
  if (now.layers === before.layers) return;
  for (const [index, layer] of before.layers.entries()) {
    const later = now.layers[index];
    require(later !== undefined, `${of}: a layer is gone`);
    require(
      later.digest === layer.digest && later.status === layer.status,
      `${of}: a layer moves`,
    );
    require(later.completed >= layer.completed, `${of}: a layer falls`);
    // Only a layer without a digest may stand for several files in turn.
    const mayGrow = layer.status !== undefined && layer.total! < later.total!;
    require(later.done || !layer.done || mayGrow, `${of}: a layer is not done any more`);
  }
}
