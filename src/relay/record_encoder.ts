/**
 * Snapshots to records.
 *
 * @module
 */

import { type CauseJson, causeToJson, PullError, type PullErrorJson } from "../errors.ts";
import type { PullLayer, PullProgress } from "../snapshot.ts";
import type { Mutable } from "../status.ts";
import type { Failure } from "../streams/producer.ts";
import { messageOf } from "../text.ts";
import {
  isDone,
  type PullChangeRecord,
  type PullEndRecord,
  type PullLayerRecord,
  type PullSnapshotRecord,
  RECORD_VERSION,
  shareOf,
  sumLayers,
} from "./record.ts";

/** The record of a whole snapshot, for a reader that knows nothing of the pull. */
export function snapshotRecord(progress: PullProgress, sequence: number): PullSnapshotRecord {
  const { phase, status, totalIsKnown } = progress;
  const layers = progress.layers.map(describeLayer);
  const record: Mutable<PullSnapshotRecord> = {
    version: RECORD_VERSION,
    sequence,
    phase,
    status,
    totalIsKnown,
    layers,
  };
  addSums(record, progress, 0);
  return record;
}

/** The record for a reader that knows the snapshot before: what has changed, or all if that is simpler. */
export function changeRecord(
  before: PullProgress,
  progress: PullProgress,
  sequence: number,
): PullSnapshotRecord | PullChangeRecord {
  // There is no way to say that layers are gone, which happens once at most: if a list was wrong.
  if (progress.layers.length < before.layers.length) return snapshotRecord(progress, sequence);
  const { phase, status, totalIsKnown } = progress;
  const record: Mutable<PullChangeRecord> = { sequence };
  if (phase !== before.phase) record.phase = phase;
  if (status !== before.status) record.status = status;
  if (totalIsKnown !== before.totalIsKnown) record.totalIsKnown = totalIsKnown;
  if (progress.layers !== before.layers) addLayers(record, before.layers, progress.layers);
  addSums(record, progress, before.fraction);
  return record;
}

/** The record of how a pull has ended. */
export function endRecord(failure: Failure | undefined, sequence: number): PullEndRecord {
  if (!failure) return { sequence, end: "success" };
  return { sequence, end: "error", error: errorToJson(failure.error) };
}

/** Adds the layers that have changed. */
function addLayers(
  record: Mutable<PullChangeRecord>,
  before: readonly PullLayer[],
  now: readonly PullLayer[],
): void {
  const layers: PullLayerRecord[] = [];
  const grown: [index: number, completed: number][] = [];
  for (const [index, layer] of now.entries()) {
    const known = before[index];
    if (layer === known) continue;
    if (!known || !isSameButGrown(known, layer)) layers.push(describeLayer(layer, index));
    else if (layer.completed !== known.completed) grown.push([index, layer.completed]);
  }
  if (layers.length > 0) record.layers = layers;
  if (grown.length > 0) record.grown = grown;
}

/** Whether nothing but `completed` has changed, and what follows from it. */
function isSameButGrown(before: PullLayer, now: PullLayer): boolean {
  return now.digest === before.digest && now.status === before.status &&
    now.total === before.total && now.done === isDone(now) && before.done === isDone(before);
}

function describeLayer(layer: PullLayer, index: number): PullLayerRecord {
  const { digest, status, total, completed, done } = layer;
  const record: Mutable<PullLayerRecord> = digest === undefined
    ? { index, status, completed }
    : { index, digest, completed };
  if (total !== undefined) record.total = total;
  if (done !== isDone(layer)) record.done = done;
  return record;
}

/** Adds what a snapshot shows of the whole, but for what a reader works out. */
function addSums(
  record: Mutable<PullChangeRecord>,
  progress: PullProgress,
  fractionBefore: number,
): void {
  const { completed, total, fraction, bytesPerSecond, etaSeconds } = progress;
  const sums = sumLayers(progress.layers);
  if (completed !== sums.completed) record.completed = completed;
  if (total !== sums.total) record.total = total;
  if (fraction !== shareOf(completed, total, fractionBefore)) record.fraction = fraction;
  if (bytesPerSecond !== undefined) record.bytesPerSecond = bytesPerSecond;
  if (etaSeconds !== undefined) record.etaSeconds = etaSeconds;
}

function errorToJson(error: unknown): PullErrorJson | CauseJson {
  if (!(error instanceof PullError)) {
    return causeToJson(error) ?? { name: "Error", message: messageOf(error) };
  }
  const json = error.toJSON();
  try {
    return JSON.parse(JSON.stringify(json));
  } catch {
    // What a server said may be nested too deeply to be written, which must not hide that it failed.
    delete json.body;
    return json;
  }
}

/** Makes the records of one pull, each for all who have read the ones before. */
export class RecordEncoder {
  #sequence = 0;
  #latest: PullProgress | undefined;

  /** The record of the next snapshot. */
  next(progress: PullProgress): PullSnapshotRecord | PullChangeRecord {
    const before = this.#latest;
    this.#latest = progress;
    const sequence = ++this.#sequence;
    return before ? changeRecord(before, progress, sequence) : snapshotRecord(progress, sequence);
  }

  /** The latest snapshot as a whole, if there is one, for who joins now or has fallen behind. */
  latest(): PullSnapshotRecord | undefined {
    return this.#latest && snapshotRecord(this.#latest, this.#sequence);
  }

  /** The last record. Progress that just ends without `success` is `truncated`. */
  end(failure: Failure | undefined): PullEndRecord {
    const hasSucceeded = this.#latest?.phase === "success";
    return endRecord(
      failure ?? (hasSucceeded ? undefined : { error: endedEarly() }),
      this.#sequence + 1,
    );
  }
}

function endedEarly(): PullError {
  return new PullError("truncated", "The progress ended without success");
}
