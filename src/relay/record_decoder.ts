/**
 * Records to snapshots.
 *
 * @module
 */

import type { Recognition } from "../answer.ts";
import { type CauseJson, PullError, type PullErrorJson } from "../errors.ts";
import { MAX_LAYERS } from "../layers.ts";
import { isJsonObject } from "../ndjson.ts";
import { PHASES, type PullLayer, type PullProgress } from "../snapshot.ts";
import { isByteCount as isCount, type Mutable } from "../status.ts";
import type { Emit, Step } from "../streams/step.ts";
import { escapeControls, excerptOf, quote } from "../text.ts";
import {
  isDone,
  type PullChangeRecord,
  type PullEndRecord,
  type PullLayerRecord,
  type PullRecord,
  type PullSnapshotRecord,
  RECORD_VERSION,
  shareOf,
  sumLayers,
} from "./record.ts";

/** Records to snapshots, one for each but the last, whose failure is thrown. */
export class RecordDecoder implements Step<unknown, PullProgress> {
  /** How many values have come, and whether one of them was a record. */
  readonly recognition: Recognition = { objects: 0, isPull: false };
  #latest: PullProgress | undefined;
  #sequence = 0;
  #hasEnded = false;

  /** Whether the last record has come. What comes after it is passed over. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Takes what should be a record.
   *
   * @param line The number of the line that it came in, if it did.
   * @throws {PullError} What the pull failed with; `malformed` for what is no record, or not the next one.
   * @throws {Error} What the pull failed with, if that is no `PullError`.
   */
  push(value: unknown, emit: Emit<PullProgress>, line?: number): void {
    if (this.#hasEnded) return;
    this.recognition.objects++;
    const where = line === undefined ? `Value ${this.recognition.objects}` : `Line ${line}`;
    if (!isRecord(value)) throw notARecord(value, where, line);
    this.recognition.isPull = true;
    if (isEnd(value)) return this.#finish(value, where, line);
    const isWhole = isSnapshot(value);
    if (!isWhole) this.#requireNext(value, where, line);
    else if (value.version !== RECORD_VERSION) throw otherVersion(value.version, where, line);
    const layers = readLayers(this.#latest?.layers ?? [], value);
    if (!layers) throw notARecord(value, where, line);
    this.#sequence = value.sequence;
    this.#latest = readSnapshot(isWhole ? undefined : this.#latest, value, layers);
    emit(this.#latest);
  }

  /** @throws {PullError} `truncated`, if the last record has not come. */
  end(): void {
    if (this.#hasEnded) return;
    const after = this.#latest ? `, after ${quote(this.#latest.status)}` : "";
    throw new PullError("truncated", `The stream ended before the pull did${after}`);
  }
  #finish(record: PullEndRecord, where: string, line: number | undefined): void {
    if (record.end === "error") {
      this.#hasEnded = true;
      throw errorOf(record.error!);
    }
    this.#requireNext(record, where, line);
    const { phase } = this.#latest!;
    if (phase !== "success") {
      throw malformed(`${where} says that the pull has succeeded, in the phase ${phase}`, line);
    }
    this.#hasEnded = true;
  }

  /** A record that is lost may not be lost again, so the failure is one that may be retried. */
  #requireNext({ sequence }: PullRecord, where: string, line: number | undefined): void {
    if (this.#latest && sequence === this.#sequence + 1) return;
    const problem = this.#latest
      ? `comes after record ${this.#sequence}: what is between them was lost`
      : "is the first one to come, but no whole snapshot: what is before it was lost";
    throw malformed(`${where}, record ${sequence}, ${problem}`, line, { retryable: true });
  }
}

/** Reads the layers, or returns `undefined` if there cannot be such. Those that are the same stay so. */
function readLayers(
  before: readonly PullLayer[],
  record: PullSnapshotRecord | PullChangeRecord,
): readonly PullLayer[] | undefined {
  const { layers = [], grown = [] } = record;
  const isWhole = isSnapshot(record);
  if (!isWhole && layers.length === 0 && grown.length === 0) return before;
  const list = isWhole ? [] : before.slice();
  for (const described of layers) {
    const { index } = described;
    if (index > list.length || index >= MAX_LAYERS) return undefined;
    const layer = readLayer(described);
    const known = before[index];
    list[index] = known && isSameLayer(known, layer) ? known : layer;
  }
  for (const [index, completed] of grown) {
    const layer = list[index];
    if (!layer) return undefined;
    list[index] = { ...layer, completed, done: isDone({ ...layer, completed }) };
  }
  return isSameList(before, list) ? before : list;
}

function readLayer({ digest, status, total, completed, done }: PullLayerRecord): PullLayer {
  const layer: Partial<Mutable<PullLayer>> = digest === undefined ? { status } : { digest };
  if (total !== undefined) layer.total = total;
  layer.completed = completed;
  layer.done = done ?? isDone(layer as PullLayer);
  return layer as PullLayer;
}

function isSameLayer(before: PullLayer, now: PullLayer): boolean {
  return before.digest === now.digest && before.status === now.status &&
    before.total === now.total && before.completed === now.completed && before.done === now.done;
}

function isSameList(before: readonly PullLayer[], now: readonly PullLayer[]): boolean {
  return before.length === now.length && now.every((layer, index) => layer === before[index]);
}

/** Reads a snapshot whose layers are known. */
function readSnapshot(
  before: PullProgress | undefined,
  record: PullSnapshotRecord | PullChangeRecord,
  layers: readonly PullLayer[],
): PullProgress {
  const sums = sumLayers(layers);
  const { completed = sums.completed, total = sums.total } = record;
  const { bytesPerSecond, etaSeconds } = record;
  const progress: Mutable<PullProgress> = {
    phase: record.phase ?? before!.phase,
    status: record.status ?? before!.status,
    completed,
    total,
    totalIsKnown: record.totalIsKnown ?? before!.totalIsKnown,
    fraction: record.fraction ?? shareOf(completed, total, before?.fraction ?? 0),
    layers,
  };
  if (bytesPerSecond !== undefined) progress.bytesPerSecond = bytesPerSecond;
  if (etaSeconds !== undefined) progress.etaSeconds = etaSeconds;
  return progress;
}

/** The error that a pull has failed with on the other side. */
function errorOf(json: PullErrorJson | CauseJson): Error {
  const pullError = PullError.from(json);
  if (pullError) return pullError;
  const { name, message, cause } = json;
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  error.name = name;
  return error;
}

function malformed(message: string, line: number | undefined, details = {}): PullError {
  return new PullError("malformed", message, { line, ...details });
}

function notARecord(value: unknown, where: string, line: number | undefined): PullError {
  const excerpt = excerptOf(showValue(value));
  return malformed(`${where} is no record of a pull: ${excerpt}`, line, { excerpt });
}

function otherVersion(version: number, where: string, line: number | undefined): PullError {
  const known = `this one reads version ${RECORD_VERSION}`;
  return malformed(`${where} is a record of version ${version}, and ${known}`, line);
}

/** A value as it is shown. It may be nested too deeply to be written, or be none of JSON's. */
function showValue(value: unknown): string {
  try {
    return escapeControls(JSON.stringify(value) ?? String(value));
  } catch {
    return `an ${typeof value}`;
  }
}

function isEnd(record: PullRecord): record is PullEndRecord {
  return (record as Partial<PullEndRecord>).end !== undefined;
}

function isSnapshot(record: PullRecord): record is PullSnapshotRecord {
  return (record as Partial<PullSnapshotRecord>).version !== undefined;
}

/** What is asked of a value. */
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isBoolean: Check = (value) => typeof value === "boolean";
/** A sum of bytes may be too large to be exact. */
const isAmount: Check = (value) => typeof value === "number" && value >= 0 && value < Infinity;

const CHANGE_CHECKS: Readonly<Record<keyof PullChangeRecord, Check>> = {
  sequence: isCount,
  phase: (value) => (PHASES as readonly unknown[]).includes(value),
  status: isText,
  totalIsKnown: isBoolean,
  layers: (value) => Array.isArray(value) && value.every(isLayerRecord),
  grown: (value) => Array.isArray(value) && value.every(isGrowth),
  completed: isAmount,
  total: isAmount,
  fraction: (value) => isAmount(value) && (value as number) <= 1,
  bytesPerSecond: isAmount,
  etaSeconds: isAmount,
};

const LAYER_CHECKS: Readonly<Record<keyof PullLayerRecord, Check>> = {
  index: isCount,
  digest: isText,
  status: isText,
  total: isAmount,
  completed: isAmount,
  done: isBoolean,
};

/** Whether all fields that are there are of the right type, and some are there. */
function has(
  value: unknown,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[],
): value is Readonly<Record<string, unknown>> {
  return isJsonObject(value) && required.every((name) => value[name] !== undefined) &&
    Object.keys(checks).every((name) => value[name] === undefined || checks[name]!(value[name]));
}

function isRecord(value: unknown): value is PullRecord {
  if (!has(value, CHANGE_CHECKS, ["sequence"])) return false;
  if (value.end !== undefined) {
    return value.end === "success" || (value.end === "error" && isError(value.error));
  }
  return value.version === undefined ||
    has(value, { version: isCount }, ["phase", "status", "totalIsKnown", "layers"]);
}

function isLayerRecord(value: unknown): boolean {
  return has(value, LAYER_CHECKS, ["index", "completed"]) &&
    (value.digest === undefined) !== (value.status === undefined);
}

function isGrowth(value: unknown): boolean {
  return Array.isArray(value) && isCount(value[0]) && isAmount(value[1]);
}

function isError(value: unknown): boolean {
  return has(value, { name: isText, message: isText }, ["name", "message"]);
}
