import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { soakRelay } from "./relay_soak.ts";
import { ALL_STRIKES } from "./round.ts";

describe("a soak of the relay", () => {
  it("survives all that may go wrong around it, and leaves nothing open", async () => {
    const { counts, failures, open } = await soakRelay({
      seed: 2,
      crowd: 24,
      pullsAtOnce: 4,
      isEnough: ({ strikes }) => ALL_STRIKES.every((strike) => strikes.of(strike) > 0),
    });
    assertEquals(failures, []);
    assertEquals(open, {
      viewerSockets: 0,
      upstreamSockets: 0,
      relayTimers: 0,
      viewerTimers: 0,
      upstreamRequests: 0,
      downloads: 0,
    });
    assertEquals(counts.ends.sum, counts.viewers);
    assert(counts.ends.of("success") > 0 && counts.ends.of("left") > 0);
    assert(counts.reconnects.sum > 0 && counts.sleepers > 0);
  });
});
