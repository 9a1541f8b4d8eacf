/**
 * Generates single objects that a server may send.
 *
 * @module
 */

import fc from "fast-check";
import { DIGEST_OF_ALL_LAYERS } from "../../src/status.ts";
import type { Arbitrary } from "./arbitrary.ts";
import { misleadingTexts } from "./misleading.ts";

/** An object as a server writes it: `status`, `digest`, `total`, `completed`, `error` and others. */
export type StatusObject = Readonly<Record<string, unknown>>;

const FIELDS_KNOWN = new Set(["status", "digest", "total", "completed", "error"]);

/** Objects without a known meaning: what other endpoints send (observed), any other words, or none. */
export function unknownStatuses(): Arbitrary<StatusObject> {
  return fc.oneof(
    fc.constantFrom<StatusObject>(
      {},
      { status: "retrieving manifest" },
      { status: "pushing manifest" },
      { status: "using existing layer sha256:0000" },
    ),
    fc.string({ unit: "grapheme" }).map((words) => ({ status: `${words}…` })),
    misleadingTexts().map((status) => ({ status })),
    unknownFields().map(([key, value]) => Object.fromEntries([[key, value]])),
  );
}

/** Fields with a name that the protocol does not know, and any JSON value. */
export function unknownFields(): Arbitrary<[key: string, value: unknown]> {
  return fc.tuple(
    fc.oneof(
      fc.constantFrom("eta", "kind", "extra", "__proto__", "constructor", "toString"),
      fc.string({ unit: "grapheme" }).filter((key) => !FIELDS_KNOWN.has(key)),
    ),
    // Through JSON, which has no -0, so that the value sent is the value received.
    fc.oneof(fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme" }), misleadingTexts())
      .map((value) => JSON.parse(JSON.stringify(value))),
  );
}

/**
 * Single objects that are each valid, but in no sensible order: phases return, totals change, `completed`
 * jumps, exceeds `total` or comes without one. Byte counts go up to 2^53-1. There are few digests, so
 * consecutive objects are often about the same layer. Some downloads have no digest, or an empty one, as
 * compatible servers write them. None is an `error`.
 *
 * @param layerDigests The digests to choose from.
 * @param maxBytes The largest `total` and `completed`.
 */
export function statusObjects(
  layerDigests: readonly string[] = [
    "sha256:aaaa",
    "sha256:bbbb",
    "sha256:cccc",
    DIGEST_OF_ALL_LAYERS,
  ],
  maxBytes: number = Number.MAX_SAFE_INTEGER,
): Arbitrary<StatusObject> {
  const bytes = fc.oneof(
    fc.nat({ max: Math.min(maxBytes, 100) }),
    fc.maxSafeNat().map((bytes) => bytes % (maxBytes + 1)),
  );
  const words = fc.constantFrom(
    "pulling manifest",
    "verifying sha256 digest",
    "writing manifest",
    "removing any unused layers",
    "removing unused layers",
    "couldn't remove unused layers: permission denied",
    "success",
  );
  return fc.oneof(
    { weight: 8, arbitrary: layerStatuses(layerDigests, bytes) },
    { weight: 3, arbitrary: namelessStatuses(bytes) },
    { weight: 2, arbitrary: words.map((status) => ({ status })) },
    { weight: 1, arbitrary: unknownStatuses() },
  );
}

function layerStatuses(
  layerDigests: readonly string[],
  bytes: Arbitrary<number>,
): Arbitrary<StatusObject> {
  return fc.record({
    status: fc.constant("pulling"),
    digest: fc.constantFrom(...layerDigests),
    total: bytes,
    completed: bytes,
  }, { requiredKeys: ["digest"], noNullPrototype: true });
}

/** Downloads without a digest: their words either identify them or change during the download. */
function namelessStatuses(bytes: Arbitrary<number>): Arbitrary<StatusObject> {
  return fc.record({
    status: fc.constantFrom(
      "downloading",
      "downloading 5%",
      "downloading 6%",
      "pulling manifest",
      "pulling part 1 of 2",
      "pulling part 2 of 2",
    ),
    digest: fc.constant(""),
    total: bytes,
    completed: bytes,
  }, { requiredKeys: ["status"], noNullPrototype: true });
}
