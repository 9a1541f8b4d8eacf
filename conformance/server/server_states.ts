/**
 * States of a server at the start of a check.
 *
 * @module
 */

import fc from "fast-check";
import type { OpenServer, ServerSubject, World } from "./subject.ts";

/** A size that takes several ticks to download, at the default bandwidth of a mock. */
const LARGE_BYTES = 40_000_000;

/** A small model that may be there already: for checks of what is asked and refused. */
export const READY_WORLD: World = { layers: [1_000], mayBeThere: true };

/** Models of a few layers, small and large. */
export function worlds(): fc.Arbitrary<World> {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 5_000 }),
    fc.integer({ min: 1, max: LARGE_BYTES }),
  );
  return fc.record({ layers: fc.array(size, { minLength: 1, maxLength: 4 }) });
}

/** A model that takes long enough to make many requests during its download. */
export const SLOW_WORLD: World = { layers: [2 * LARGE_BYTES] };

/** Models whose first layer takes long enough to act during its download. */
export function slowWorlds(): fc.Arbitrary<World> {
  const first = fc.integer({ min: LARGE_BYTES, max: 2 * LARGE_BYTES });
  const others = fc.array(fc.integer({ min: 1, max: LARGE_BYTES }), { maxLength: 2 });
  return fc.record({ first, others }).map(({ first, others }) => ({ layers: [first, ...others] }));
}

/** A size that takes longer to download than objects may be held back. */
const LONG_BYTES = 150_000_000;

/** Models that take long enough to see whether objects are held back. */
export function longWorlds(): fc.Arbitrary<World> {
  const size = fc.integer({ min: LONG_BYTES, max: LONG_BYTES + LARGE_BYTES });
  return size.map((size) => ({ layers: [size] }));
}

/** Opens a server, uses it, and closes it. */
export async function withServer<Result>(
  subject: ServerSubject,
  world: World,
  work: (server: OpenServer) => Promise<Result>,
): Promise<Result> {
  const server = await subject.open(world);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}
