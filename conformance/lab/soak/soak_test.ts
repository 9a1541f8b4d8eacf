import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { createMockServer } from "../../../mock/mod.ts";
import { Dice } from "../fuzz/dice.ts";
import { decideCancelling, pullOnce } from "./pulls.ts";
import { ScaledClock } from "./scaled_clock.ts";
import { soak } from "./soak.ts";

const PULLS = 120;

/** Pulls from a body that is a text. */
function pullText(text: string) {
  const fetch = () => new Response(text);
  return pullOnce("m", { fetch }, { by: "nobody", afterSnapshots: 0 });
}

describe("a soak", () => {
  it(`of ${PULLS} pulls through real HTTP breaks nothing and leaves nothing open`, async () => {
    const isEnough = ({ pulls }: { pulls: number }) => pulls >= PULLS;
    const { count, failures, left } = await soak({ seed: 1, clients: 32, isEnough });
    assertEquals(failures, []);
    assertEquals(left, { downloads: 0, requests: 0 });
    const { pulls, successes, cancels, refusals } = count;
    assert(pulls >= PULLS);
    assertEquals(successes + cancels + refusals, pulls);
    assert(successes > 0 && cancels > 0 && count.faults > 0 && count.bytesSent > 0);
    assert(count.manifests > 0 && count.noManifests > 0);
    assertEquals(Object.keys(count.deeds).sort(), [
      "busy",
      "failing",
      "page",
      "pass",
      "unreachable",
    ]);
  });
});

describe("a pull of a soak", () => {
  it("tells what is meant to fail from what is not", async () => {
    assertEquals((await pullText('{"status":"success"}\n')).ending, "success");
    assertEquals((await pullText('{"error":"disk full"}\n')).ending, "refused");
    assertEquals((await pullText("<html>\n")).ending, "refused");
    await assertRejects(
      () => pullText('{"status":"pulling manifest"}\n'),
      Error,
      "without success",
    );
  });

  it("is cancelled when it is told to be, either way, and leaves nothing behind", async () => {
    for (const by of ["stream", "signal"] as const) {
      for (let afterSnapshots = 0; afterSnapshots < 4; afterSnapshots++) {
        const server = createMockServer({ models: [{ name: "m", layers: [{ size: 1e9 }] }] });
        const options = { fetch: server.fetch, now: () => server.clock.now() };
        const { ending } = await pullOnce("m", options, { by, afterSnapshots });
        assertEquals([ending, server.activeDownloads], ["cancelled", 0]);
      }
    }
  });

  it("is cancelled by chance, in every way", () => {
    const ways = Array.from({ length: 100 }, (_, seed) => decideCancelling(new Dice(seed)).by);
    assertEquals(new Set(ways), new Set(["stream", "signal", "nobody"]));
  });
});

describe("a clock that runs faster", () => {
  it("tells the time and waits, so many times as fast", async () => {
    const clock = new ScaledClock(1_000);
    const startedAt = clock.now();
    await clock.sleep(1_000);
    assert(clock.now() - startedAt >= 1_000);
  });
});
