import { assertEquals, assertMatch, assertNotEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { SEEDED_BLOCK_BYTES, seededBytes, seededDigest, seededNumbers } from "./random.ts";

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("What follows from a seed", () => {
  it("is the same in every run and runtime", () => {
    const next = seededNumbers(0, "faults");
    assertEquals([next(), next(), next()], [1_780_165_381, 2_847_973_215, 4_107_932_348]);
    assertStrictEquals(
      seededDigest("0/library/llama3.2"),
      "sha256:8a0d1c8c589b1d5fdeb2c1eb37f356dc18beda9701bbdb66aff1cebc61fb3b54",
    );
    assertStrictEquals(hexOf(seededBytes("key", 0, 16)), "cd21e19a602da235499c59bb0f640c2f");
  });

  it("differs with the seed, and with where its parts are cut", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
      if (a !== b) assertNotEquals(seededDigest(a), seededDigest(b));
    }));
    assertNotEquals(seededDigest("ab", "c"), seededDigest("a", "bc"));
  });

  it("has the form of a digest where it is one", () => {
    fc.assert(fc.property(fc.string(), (key) => {
      assertMatch(seededDigest(key), /^sha256:[0-9a-f]{64}$/);
    }));
  });

  it("gives any range of bytes without those before it", () => {
    const size = 2 * SEEDED_BLOCK_BYTES + 5;
    const whole = seededBytes("key", 0, size);
    fc.assert(
      fc.property(fc.nat(size), fc.nat(size), (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        assertEquals(seededBytes("key", start, end), whole.slice(start, end));
      }),
      { numRuns: 30 },
    );
  });

  it("gives bytes that no compression finds anything in", () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of seededBytes("key", 0, 1 << 18)) counts[byte]!++;
    assertEquals(counts.filter((count) => count < 850 || count > 1_200), []);
  });
});
