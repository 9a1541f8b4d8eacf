/**
 * States of a server at the start of a check.
 *
 * @module
 */

import fc from "fast-check";
import type { OpenServer, ServerSetup, ServerSubject } from "./subject.ts";

/** A size that takes several ticks to download, at the default bandwidth of a mock. */
const LARGE_BYTES = 40_000_000;

/** A size that is downloaded within a tick. */
const SMALL_BYTES = 5_000;

/** A small model that may already be on disk, for checks of requests and refusals. */
export const READY_SETUP: ServerSetup = { layers: [1_000], mayBeThere: true };

/** Models of a few layers, small and large. */
export function setups(): fc.Arbitrary<ServerSetup> {
  const size = fc.oneof(
    fc.integer({ min: 1, max: SMALL_BYTES }),
    fc.integer({ min: 1, max: LARGE_BYTES }),
  );
  return fc.record({ layers: fc.array(size, { minLength: 1, maxLength: 4 }) });
}

/** A model that takes long enough to make many requests during its download. */
export const SLOW_SETUP: ServerSetup = { layers: [2 * LARGE_BYTES] };

/** Models to be tried in every run, and random models. */
export interface SetupInputs {
  readonly decisive: readonly ServerSetup[];
  readonly inputs: fc.Arbitrary<ServerSetup>;
}

/** A size that takes several ticks to download. Random sizes take longer. */
const slowSizes = fc.integer({ min: LARGE_BYTES, max: 2 * LARGE_BYTES });

/** Additional layers, besides the slow one. */
const otherSizes = fc.array(fc.integer({ min: 1, max: LARGE_BYTES }), { maxLength: 2 });

/** Models whose first layer takes long enough for something to happen during its download. */
export function slowFirstSetups(): fc.Arbitrary<ServerSetup> {
  return fc.tuple(slowSizes, otherSizes).map(([first, others]) => ({ layers: [first, ...others] }));
}

/**
 * Models that take some ticks, with the slow layer in any place: a server may be wrong about a single layer.
 */
export function slowSetups(): SetupInputs {
  return inAnyPlace(2 * LARGE_BYTES, slowSizes);
}

/** Models whose every layer takes long enough to see whether it is fetched again. */
export function slowEachSetups(): SetupInputs {
  return {
    decisive: [{ layers: [LARGE_BYTES, LARGE_BYTES + 1, LARGE_BYTES + 2] }],
    inputs: fc.array(slowSizes, { minLength: 1, maxLength: 3 }).map((layers) => ({ layers })),
  };
}

/** A size that takes longer to download than objects may be held back. */
const LONG_BYTES = 150_000_000;

/** Models that take long enough to see whether objects are held back, with the slow layer in any place. */
export function longSetups(): SetupInputs {
  const sizes = fc.integer({ min: LONG_BYTES, max: LONG_BYTES + LARGE_BYTES });
  return inAnyPlace(LONG_BYTES, sizes);
}

/** Models with one slow layer, and small ones before and after it. */
function inAnyPlace(size: number, sizes: fc.Arbitrary<number>): SetupInputs {
  const few = fc.array(fc.integer({ min: 1, max: SMALL_BYTES }), { maxLength: 2 });
  return {
    decisive: [{ layers: [size] }, { layers: [SMALL_BYTES, size] }],
    inputs: fc.tuple(few, sizes, few)
      .map(([before, size, after]) => ({ layers: [...before, size, ...after] })),
  };
}

/** Opens a server, uses it, and closes it. */
export async function withServer<Result>(
  subject: ServerSubject,
  setup: ServerSetup,
  work: (server: OpenServer) => Promise<Result>,
): Promise<Result> {
  const server = await subject.open(setup);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}
