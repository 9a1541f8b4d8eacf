/**
 * Generates chunks in which bytes may arrive.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "./bytes.ts";
import type { Arbitrary } from "./arbitrary.ts";

/** The most cuts at random places. */
const MAX_CUTS = 16;

/**
 * The chunks in which bytes may arrive: in one chunk, in a few cut at random places (some of which may be
 * empty), or a few bytes at a time. Joined, they are always the same bytes. They shrink to few chunks; if a
 * single cut is to blame, to two.
 *
 * @param bytes The bytes to split.
 */
export function chunkings(
  bytes: Bytes,
): Arbitrary<Bytes[]> {
  return new Cuts(bytes.length).map((cuts) => cutBytes(bytes, cuts));
}

/** Places to cut a number of bytes: a few at random, or all multiples of a small number. */
class Cuts extends fc.Arbitrary<number[]> {
  readonly #choices: fc.Arbitrary<number[]>;
  readonly #place: fc.Arbitrary<number>;

  constructor(length: number) {
    super();
    this.#place = fc.nat({ max: length });
    const regular = fc.integer({ min: 1, max: 8 }).map((size) => multiples(size, length));
    this.#choices = fc.oneof(
      { weight: 4, arbitrary: fc.array(this.#place, { maxLength: MAX_CUTS }) },
      { weight: 1, arbitrary: regular },
    );
  }

  override generate(random: fc.Random, biasFactor: number | undefined): fc.Value<number[]> {
    const { value } = this.#choices.generate(random, biasFactor);
    return new fc.Value(value, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is number[] {
    return Array.isArray(value) &&
      value.every((place) => this.#place.canShrinkWithoutContext(place));
  }

  /**
   * By themselves, regular cuts would shrink to smaller steps, which means more cuts. So any cut may be left
   * out.
   */
  override shrink(value: number[]): fc.Stream<fc.Value<number[]>> {
    const smaller = [withFewer(value), this.#withEarlier(value)];
    return fc.stream(joined(smaller)).map((cuts) => new fc.Value(cuts, undefined));
  }

  /** The same cuts, with one of them closer to the start. */
  *#withEarlier(cuts: readonly number[]): Generator<number[]> {
    if (cuts.length > MAX_CUTS) return;
    for (const [index, place] of cuts.entries()) {
      for (const { value } of this.#place.shrink(place, undefined)) yield cuts.with(index, value);
    }
  }
}

/** A list without part of it: without all, each half, each quarter, down to each item. */
function* withFewer<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let size = items.length; size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < items.length; start += size) {
      yield items.toSpliced(start, size);
    }
  }
}

function* joined<Item>(parts: readonly Iterable<Item>[]): Generator<Item> {
  for (const part of parts) yield* part;
}

/** The multiples of a number between 0 and an end, both excluded. */
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
