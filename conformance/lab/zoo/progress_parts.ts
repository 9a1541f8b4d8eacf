/**
 * A small, correct client that sums up its layers. A specimen has its sums replaced.
 *
 * @module
 */

import type { ClientRun } from "../../client/subject.ts";
import type { StatusObject } from "../../generators/mod.ts";
import { type ClientParts, correct, failOnEnd, failOnError, pullWith } from "./client_parts.ts";

/** What is known about a layer, in bytes. */
export interface Layer {
  /** Its size. */
  total: number;
  /** The bytes present at its first report. */
  first: number;
  /** The bytes present, according to the latest line. */
  latest: number;
  /** The most bytes that were ever present. */
  most: number;
  /** All bytes that have arrived since: bytes that were lost and fetched again count twice. */
  arrived: number;
}

/** What is known about a pull. */
export interface Known {
  /** The layers, in order of first appearance. */
  readonly layers: readonly Layer[];
  /** The layer that was reported last. */
  readonly current: Layer | undefined;
  /** Whether a phase after all downloads has begun. */
  readonly isDownloaded: boolean;
  /** Whether the server has sent `success`. */
  readonly isDone: boolean;
}

/** The reported progress. */
export interface Sums {
  /** In bytes. */
  readonly completed: number;
  /** In bytes. */
  readonly total: number;
  /** From 0 to 1. */
  readonly fraction: number;
}

/** Sums up a figure of all layers. */
export function sumOf(layers: readonly Layer[], figure: (layer: Layer) => number): number {
  return layers.reduce((sum, layer) => sum + figure(layer), 0);
}

/** The progress of a correct client, before it is kept from falling. */
export function sumsOf({ layers, isDownloaded, isDone }: Known): Sums {
  const total = sumOf(layers, (layer) => layer.total);
  const completed = isDownloaded ? total : sumOf(layers, ({ most }) => most);
  return { completed, total, fraction: isDone ? 1 : belowOne(completed / total) };
}

/** A fraction that is kept below 1; 0 if nothing is known. */
export function belowOne(share: number): number {
  return Math.min(share || 0, 0.999);
}

/** Keeps a fraction from falling when another layer is reported. */
export function rising(sums: (known: Known) => Sums): () => (known: Known) => Sums {
  return () => {
    let highest = 0;
    return (known) => {
      const told = sums(known);
      highest = Math.max(highest, told.fraction);
      return { ...told, fraction: highest };
    };
  };
}

const FINAL = ["verifying sha256 digest", "writing manifest", "success"];

/** Pulls, and reports the progress after each object. */
export function pullWithSums(
  startSums: () => (known: Known) => Sums,
  parts: Partial<ClientParts> = {},
): (run: ClientRun) => Promise<void> {
  return pullWith({
    ...correct,
    ...parts,
    async follow(objects, onUpdate) {
      const sums = startSums();
      const layers = new Map<unknown, Layer>();
      let current: Layer | undefined;
      let isDownloaded = false;
      for await (const object of objects) {
        failOnError(object);
        current = note(object, layers) ?? current;
        isDownloaded ||= FINAL.includes(String(object.status));
        const isDone = object.status === "success";
        onUpdate(sums({ layers: [...layers.values()], current, isDownloaded, isDone }));
        if (isDone) return;
      }
      failOnEnd();
    },
  });
}

/** Updates a layer from an object, if that is about one. */
function note(object: StatusObject, layers: Map<unknown, Layer>): Layer | undefined {
  const { digest, total = 0, completed = 0 } = object as { total?: number; completed?: number } & {
    digest?: string;
  };
  if (!digest) return undefined;
  const layer = layers.get(digest) ??
    { total, first: completed, latest: completed, most: completed, arrived: 0 };
  layers.set(digest, layer);
  layer.arrived += Math.max(0, completed - layer.latest);
  layer.latest = completed;
  layer.most = Math.max(layer.most, completed);
  return layer;
}
