/**
 * The chunks in which bytes may arrive.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "./bytes.ts";
import type { Arbitrary } from "./arbitrary.ts";

/**
 * The chunks in which bytes may arrive: in one, in a few cut anywhere, some of which may be empty, or
 * one byte at a time. Together they are always the same bytes.
 *
 * @param bytes What arrives.
 */
export function chunkings(
  bytes: Bytes,
): Arbitrary<Bytes[]> {
  const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 16 });
  const sizes = fc.integer({ min: 1, max: 8 });
  return fc.oneof(
    { weight: 4, arbitrary: cuts.map((cuts) => cutBytes(bytes, cuts)) },
    { weight: 1, arbitrary: sizes.map((size) => cutBytes(bytes, multiples(size, bytes.length))) },
  );
}

/** The multiples of a number that lie between 0 and an end. */
function multiples(step: number, end: number): number[] {
  return Array.from({ length: Math.max(Math.ceil(end / step) - 1, 0) }, (_, n) => (n + 1) * step);
}

/**
 * Cuts bytes into chunks.
 *
 * @param bytes What to cut.
 * @param cuts Where to cut, in bytes from the start. The same place twice makes an empty chunk.
 */
export function cutBytes(
  bytes: Bytes,
  cuts: readonly number[],
): Bytes[] {
  const ends = [...cuts].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}
