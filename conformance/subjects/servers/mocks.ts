/**
 * The mock, in every dialect.
 *
 * @module
 */

import config from "../../../deno.json" with { type: "json" };
import { mocks } from "../own.ts";
import type { Subject } from "../subject.ts";

/** The mock, in every dialect. */
export const ownMocks: readonly Subject[] = mocks.map((mock): Subject => {
  const { name } = mock;
  const { version } = config;
  const implementation = { ...mock, version };
  return {
    side: "server",
    name,
    version,
    needs: [],
    breaks: {},
    prepare: () => Promise.resolve({ implementation }),
  };
});
