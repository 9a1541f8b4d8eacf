/**
 * Random faults.
 *
 * @module
 */

import { type ArmedFault, armFault, type Fault } from "./faults.ts";
import { type FaultKind, faultKinds } from "./kinds.ts";
import type { FaultPoint } from "./points.ts";

/** A fault of a random kind at a random point. */
export function randomFault(kinds: readonly FaultKind[], next: () => number): ArmedFault {
  const kind = kinds[next() % kinds.length]!;
  const at = faultKinds[kind].at === "point" ? randomPoint(next) : undefined;
  return armFault(at ? { kind, at } as Fault : { kind } as Fault);
}

/**
 * A random point that every pull reaches: a percentage of the model, or a line near the start of the stream.
 */
function randomPoint(next: () => number): FaultPoint {
  switch (next() % 4) {
    case 0:
      return { line: 1 + next() % 4 };
    case 1:
      return { byte: next() % 80 };
    default:
      return { completed: `${next() % 101}%` };
  }
}
