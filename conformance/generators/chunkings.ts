/**
 * The chunks in which bytes may arrive.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "./bytes.ts";
import type { Arbitrary } from "./arbitrary.ts";

/** How many cuts there are at most, if they are anywhere. */
const MAX_CUTS = 16;

/**
 * The chunks in which bytes may arrive: in one, in a few cut anywhere, some of which may be empty, or
 * a few bytes at a time. Together they are always the same bytes. They shrink to few chunks: to two,
 * where one cut is to blame.
 *
 * @param bytes What arrives.
 */
export function chunkings(
  bytes: Bytes,
): Arbitrary<Bytes[]> {
  return new Cuts(bytes.length).map((cuts) => cutBytes(bytes, cuts));
}

/** Places to cut bytes of some length: a few anywhere, or all multiples of a small number. */
class Cuts extends fc.Arbitrary<number[]> {
  readonly #choices: fc.Arbitrary<number[]>;
  /** What all choices shrink as: any cuts, so that regular ones do not shrink to more of them. */
  readonly #any: fc.Arbitrary<number[]>;

  constructor(length: number) {
    super();
    const place = fc.nat({ max: length });
    const regular = fc.integer({ min: 1, max: 8 }).map((size) => multiples(size, length));
    this.#any = fc.array(place, { maxLength: Math.max(length, MAX_CUTS) });
    this.#choices = fc.oneof(
      { weight: 4, arbitrary: fc.array(place, { maxLength: MAX_CUTS }) },
      { weight: 1, arbitrary: regular },
    );
  }

  override generate(random: fc.Random, biasFactor: number | undefined): fc.Value<number[]> {
    const { value } = this.#choices.generate(random, biasFactor);
    return new fc.Value(value, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is number[] {
    return this.#any.canShrinkWithoutContext(value);
  }

  override shrink(value: number[], context: unknown): fc.Stream<fc.Value<number[]>> {
    return this.#any.shrink(value, context);
  }
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
