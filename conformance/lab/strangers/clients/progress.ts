/**
 * Progress over all layers, as a correct client computes it. A stranger replaces some parts.
 *
 * @module
 */

import type { ClientSubject } from "../../../client/subject.ts";
import {
  type ClientParts,
  type Context,
  FINAL_STATUSES,
  type PullObject,
  pullWith,
  TIME_LIMIT_MS,
} from "./right_client.ts";

/** What is known of a layer, in bytes. */
export interface Layer {
  total: number;
  completed: number;
}

/** The parts of the computation. */
export interface Sums {
  /** The key of a layer. */
  readonly keyOf: (object: PullObject) => unknown;
  /** Reads the bytes of a layer from an object. */
  readonly bytesOf: (object: PullObject, context: Context) => Partial<Layer>;
  /** Applies an update to a layer. */
  readonly note: (layer: Layer, bytes: Partial<Layer>, isNew: boolean) => void;
  /** Removes layers that are not needed any more. */
  readonly forget: (layers: Map<unknown, Layer>) => void;
}

const RIGHT_SUMS: Sums = {
  keyOf: ({ digest, status }) => digest ?? status,

  bytesOf: ({ total, completed }) => ({
    ...(typeof total === "number" && { total }),
    ...(typeof completed === "number" && { completed }),
  }),

  note(layer, { total = 0, completed = 0 }) {
    layer.completed = Math.max(layer.completed, completed);
    layer.total = Math.max(layer.total, total, layer.completed);
  },

  forget: () => {},
};

/** Reports `completed` and `total` in bytes, and `fraction`, with some parts replaced. */
export function reportSums(replaced: Partial<Sums> = {}): ClientParts["startReport"] {
  const { keyOf, bytesOf, note, forget } = { ...RIGHT_SUMS, ...replaced };
  return (onUpdate) => {
    const layers = new Map<unknown, Layer>();
    let highest = 0;
    return (object, context) => {
      const bytes = bytesOf(object, context);
      if (object.digest !== undefined || bytes.total !== undefined) {
        const key = keyOf(object);
        const layer = layers.get(key) ?? { total: 0, completed: 0 };
        note(layer, bytes, !layers.has(key));
        layers.set(key, layer);
        forget(layers);
      }
      if (FINAL_STATUSES.includes(object.status)) completeAll(layers);
      const completed = sum(layers, "completed");
      const total = sum(layers, "total");
      highest = Math.max(highest, Math.min(total && completed / total, 0.999));
      onUpdate({ completed, total, fraction: object.status === "success" ? 1 : highest });
    };
  };
}

function completeAll(layers: Map<unknown, Layer>): void {
  for (const layer of layers.values()) layer.completed = layer.total;
}

function sum(layers: Map<unknown, Layer>, figure: keyof Layer): number {
  return layers.values().reduce((bytes, layer) => bytes + layer[figure], 0);
}

/** The control for progress: it breaks nothing, and reports progress over all layers. */
export const rightProgressClient: ClientSubject = {
  name: "a right client that adds up its layers",
  reports: "progress",
  transport: "in-process",
  timeLimitMs: TIME_LIMIT_MS,
  pull: pullWith({ startReport: reportSums() }),
};
