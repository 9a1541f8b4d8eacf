/**
 * The mock, in every dialect.
 *
 * @module
 */

import config from "../../../../deno.json" with { type: "json" };
import { mocks } from "../own.ts";
import type { Subject } from "../subject.ts";

const RECORDED = "it sends what was recorded from the server with this dialect";

/** What the mock breaks on purpose, by the name that it has in a dialect. */
const BREAKS: Readonly<Record<string, Subject["breaks"]>> = {
  "mock (client2)": {
    "S-FRAME-1": RECORDED,
    "S-FRAME-3": RECORDED,
  },
};

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
    isOurs: true,
    breaks: BREAKS[name] ?? {},
    prepare: () => Promise.resolve({ implementation }),
  };
});
