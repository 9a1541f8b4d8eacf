/**
 * The points of a pull at which faults can strike.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { type Blob, blobsOf, type Model } from "../models/models.ts";
import type { FaultKind, FaultKindInfo } from "./kinds.ts";

/**
 * Where in a pull a fault strikes. Give exactly one of `line`, `byte` and `completed`, or `layer`, which by
 * itself means its first byte.
 */
export interface FaultPoint {
  /** Before this line of the stream, counted from 1. */
  line?: number | undefined;
  /** After this many bytes of the stream. Faults that send a line wait for the end of the current one. */
  byte?: number | undefined;
  /** Once this much of the layer or model is downloaded: bytes, or a percentage such as `"50%"`. */
  completed?: number | string | undefined;
  /** The layer: its position, counted from 0 (the config is the last one), or its digest. */
  layer?: number | string | undefined;
}

const PERCENT = /^(\d+(?:\.\d+)?)%$/;

/** The default points. */
const DEFAULT_POINTS: Readonly<Record<FaultKindInfo["at"], FaultPoint | undefined>> = {
  point: { completed: "50%" },
  from: undefined,
  layer: { layer: 0 },
  whole: undefined,
};

/** Checks the point of a fault, and fills in the default. */
export function checkPoint(
  kind: FaultKind | "hold",
  info: Pick<FaultKindInfo, "at">,
  at: FaultPoint | undefined,
): FaultPoint | undefined {
  const fail = (what: string, possible: string) => {
    throw new ConfigurationError(`Cannot use the ${what} of the fault "${kind}": ${possible}`);
  };
  if (at === undefined) return DEFAULT_POINTS[info.at];
  const { line, byte, completed, layer } = at;
  const point = `point ${show(at)}`;
  if (info.at === "whole") fail(point, "leave out the point: the fault strikes the whole pull");
  if (info.at === "layer" && (layer === undefined || completed !== undefined)) {
    fail(point, "name only a layer, such as { layer: 0 }: the fault strikes all of it");
  }
  const given = [line, byte, completed ?? layer].filter((value) => value !== undefined).length;
  if (given === 0) fail(point, "give a line, byte, completed or layer");
  if (given > 1) fail(point, "give only one of line, byte, and completed or layer");
  if (line !== undefined && !isCount(line)) {
    fail(`line ${show(line)}`, `it must be a whole number above 0`);
  }
  if (byte !== undefined && !(Number.isSafeInteger(byte) && byte >= 0)) {
    fail(`byte ${show(byte)}`, "it must be a whole number, 0 or more");
  }
  const percent = typeof completed === "string" ? PERCENT.exec(completed)?.[1] : undefined;
  const isAmount = typeof completed === "string"
    ? percent !== undefined && Number(percent) <= 100
    : completed === undefined || (Number.isSafeInteger(completed) && completed >= 0);
  if (!isAmount) {
    fail(
      `completed ${show(completed)}`,
      'it must be a whole number of bytes, or a percentage from "0%" to "100%"',
    );
  }
  return at;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** The blob of a layer, by position or digest. */
export function findLayer(model: Model, layer: number | string): Blob | undefined {
  const blobs = blobsOf(model);
  return typeof layer === "number" ? blobs[layer] : blobs.find(({ digest }) => digest === layer);
}

/** A layer begins with its first byte. */
export const FIRST_BYTE = 1;

/** An amount in whole bytes, rounded: a percentage such as `"50%"` is of the total. */
export function bytesOf(amount: number | string, total: number): number {
  if (typeof amount === "number") return amount;
  return Math.round(Number(PERCENT.exec(amount)?.[1]) / 100 * total);
}
