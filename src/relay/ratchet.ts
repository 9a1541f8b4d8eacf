/**
 * Keeps progress from falling where one connection follows another.
 *
 * A relay that was restarted pulls anew: its server names one layer after another again, and first
 * reports fewer bytes than were shown.
 *
 *     shown before ──┐
 *                    ├──▶ the larger of both, until the new connection has caught up
 *     comes now ─────┘
 *
 * @module
 */

import type { PullLayer, PullProgress } from "../snapshot.ts";
import { isDone, shareOf, sumLayers } from "./record.ts";

/** Hands snapshots on as they are, but raised to what was shown in a connection before. */
export class Ratchet {
  #latest: PullProgress | undefined;
  /** Whether a connection has yet to catch up with the one before. */
  #isBehind = false;

  /** The snapshot that was handed on last. */
  get latest(): PullProgress | undefined {
    return this.#latest;
  }

  /** Prepares for a new connection. */
  restart(): void {
    this.#isBehind = this.#latest !== undefined;
  }

  /** The snapshot to show for one that has come. */
  push(progress: PullProgress): PullProgress {
    const before = this.#latest;
    if (before && this.#isBehind) {
      this.#isBehind = !hasCaughtUp(progress, before);
      if (this.#isBehind) return this.#latest = raise(progress, before);
    }
    return this.#latest = progress;
  }
}

/** Whether nothing of a snapshot is below what was shown. */
function hasCaughtUp(now: PullProgress, before: PullProgress): boolean {
  if (now.completed < before.completed || now.fraction < before.fraction) return false;
  const layers = byName(now.layers);
  return before.layers.every((shown) => {
    // A layer without bytes may be gone, or be another one: it was on a list of another model.
    if (shown.completed === 0) return true;
    const layer = layers.get(nameOf(shown));
    return layer !== undefined && layer.completed >= shown.completed &&
      (shown.total === undefined || layer.total !== undefined);
  });
}

/** A snapshot with the bytes that were shown before. */
function raise(now: PullProgress, before: PullProgress): PullProgress {
  const named = byName(now.layers);
  const shown = byName(before.layers);
  const hasSucceeded = now.phase === "success";
  const kept = before.layers
    .filter((layer) => layer.completed > 0 || named.has(nameOf(layer)))
    .map((layer) => raiseLayer(named.get(nameOf(layer)), layer));
  const added = now.layers.filter((layer) => !shown.has(nameOf(layer)));
  const layers = [...kept, ...added].map((layer) => hasSucceeded ? complete(layer) : layer);
  const sums = sumLayers(layers);
  const completed = Math.max(sums.completed, now.completed, before.completed);
  const total = Math.max(sums.total, completed);
  return {
    ...now,
    completed,
    total,
    totalIsKnown: now.totalIsKnown || (before.totalIsKnown && added.length === 0),
    fraction: Math.max(before.fraction, Math.min(now.fraction, shareOf(completed, total, 0))),
    layers,
  };
}

function raiseLayer(now: PullLayer | undefined, before: PullLayer): PullLayer {
  if (!now) return before;
  if (before.completed === 0) return now;
  const completed = Math.max(now.completed, before.completed);
  const total = now.total ?? before.total;
  if (completed === now.completed && total === now.total) return now;
  if (total === undefined) return { ...now, completed };
  const size = Math.max(total, completed);
  return { ...now, completed, total: size, done: isDone({ completed, total: size }) };
}

function complete(layer: PullLayer): PullLayer {
  if (layer.done) return layer;
  const { total = layer.completed } = layer;
  return { ...layer, completed: total, total, done: true };
}

function nameOf({ digest, status }: PullLayer): string {
  return digest ?? status!;
}

function byName(layers: readonly PullLayer[]): ReadonlyMap<string, PullLayer> {
  return new Map(layers.map((layer) => [nameOf(layer), layer]));
}
