import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { chunkings, cutBytes } from "./chunkings.ts";
import { occurs, smallest } from "./test_helpers.ts";

describe("chunkings", () => {
  const join = (chunks: readonly Uint8Array[]) => chunks.flatMap((chunk) => [...chunk]);
  const cut = fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes))
    .chain((bytes) => fc.tuple(fc.constant(bytes), chunkings(bytes)));

  it("are the same bytes", () => {
    fc.assert(fc.property(cut, ([bytes, chunks]) => assertEquals(join(chunks), [...bytes])));
  });

  it("do not share their bytes", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    for (const chunk of cutBytes(bytes, [1])) chunk.fill(0);
    assertEquals([...bytes], [1, 2, 3]);
  });

  it("are one chunk, many, single bytes, and empty ones too", () => {
    const chunks = chunkings(new Uint8Array(20));
    assert(occurs(chunks, (chunks) => chunks.length === 1));
    assert(occurs(chunks, (chunks) => chunks.length === 20 && chunks.every((c) => c.length === 1)));
    assert(occurs(chunks, (chunks) => chunks.some(({ length }) => length === 0)));
  });

  it("shrink to two chunks, where one cut is to blame, even if they were regular", () => {
    const bytes = new Uint8Array(300);
    const isCutThere = (chunks: readonly Uint8Array[]) => {
      let end = 0;
      return chunks.slice(0, -1).some(({ length }) => (end += length) > 200);
    };
    for (let seed = 0; seed < 50; seed++) {
      const { counterexample } = fc.check(
        fc.property(chunkings(bytes), (chunks) => !isCutThere(chunks)),
        { seed },
      );
      assertEquals(counterexample?.[0].map(({ length }) => length), [201, 99]);
    }
  });

  it("shrink to one chunk", () => {
    assertEquals(smallest(chunkings(new Uint8Array(5)), () => true).length, 1);
  });
});

describe("cutBytes", () => {
  it("cuts at the given places, in any order", () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    assertEquals(cutBytes(bytes, []).map((chunk) => [...chunk]), [[1, 2, 3, 4]]);
    assertEquals(cutBytes(bytes, [3, 1]).map((chunk) => [...chunk]), [[1], [2, 3], [4]]);
    assertEquals(cutBytes(bytes, [0, 2, 2, 4]).map((chunk) => chunk.length), [0, 2, 0, 2, 0]);
  });
});
