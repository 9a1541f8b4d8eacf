/**
 * Arbitrary faults of the mock, for property tests.
 *
 * @module
 */

import fc from "fast-check";
import type { Fault } from "../../mock/faults/faults.ts";
import { type FaultKind, faultKinds } from "../../mock/faults/kinds.ts";
import type { FaultPoint } from "../../mock/faults/points.ts";
import type { Arbitrary } from "../generators/mod.ts";

/** Every kind of fault. */
const ALL_FAULTS = Object.keys(faultKinds) as FaultKind[];

/** The most lines and bytes before a fault strikes: a small pull has no more. */
const MAX_FAULT_LINE = 20;
const MAX_FAULT_BYTE = 2_000;

/**
 * Faults of the mock, with their default parameters. A kind that strikes at a point gets a percentage of the
 * model, a line, a byte or a layer; other kinds strike the whole pull. They fit any model.
 *
 * @param kinds The kinds to choose from. By default all.
 */
export function faults(kinds: readonly FaultKind[] = ALL_FAULTS): Arbitrary<Fault> {
  return fc.constantFrom(...kinds).chain((kind) => {
    const points = faultKinds[kind].at === "point" ? faultPoints() : fc.constant(undefined);
    return points.map((at) => (at ? { kind, at } : { kind }) as Fault);
  });
}

/** Points at which a fault may strike in any model. */
function faultPoints(): Arbitrary<FaultPoint> {
  return fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((share) => ({ completed: `${share}%` })),
    fc.integer({ min: 1, max: MAX_FAULT_LINE }).map((line) => ({ line })),
    fc.integer({ min: 0, max: MAX_FAULT_BYTE }).map((byte) => ({ byte })),
    fc.constant({ layer: 0 }),
  );
}
