import { PullError, type PullProgress } from "@ollama-pull/kit";
import { createRelay, fromResponse, type RelayOptions } from "@ollama-pull/kit/relay";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Fault } from "./faults/faults.ts";
import type { MockServer } from "./options.ts";
import { mockOfSmall } from "./test_helpers.ts";

const PATH = "http://localhost/pulls/small";

/** A relay that pulls from a mock, on the clock of that. */
function relayOf(server: MockServer, options: Partial<RelayOptions> = {}) {
  const relay = createRelay({ allow: () => true, ...server.client, ...options });
  return (method: string, headers: Record<string, string> = {}) =>
    relay(new Request(PATH, { method, headers }));
}

/** Somebody who watches: when, how, and for how long. */
interface Watcher {
  readonly comesAfterMs: number;
  /** How long it waits before each read. */
  readonly paceMs: number;
  /** After how many snapshots it leaves, if it does. */
  readonly leavesAfter: number | undefined;
  readonly accepts: "text/event-stream" | "application/x-ndjson";
}

const watcher: fc.Arbitrary<Watcher> = fc.record({
  comesAfterMs: fc.integer({ min: 1, max: 400 }), // once the pull has begun, or after its end
  paceMs: fc.oneof(fc.constant(0), fc.nat({ max: 150 })),
  leavesAfter: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  accepts: fc.constantFrom("text/event-stream", "application/x-ndjson"),
});

/** What somebody saw, and how it ended: absent if it left before. */
interface Sight {
  readonly snapshots: PullProgress[];
  readonly end?: unknown;
}

/** Watches a pull through a relay. */
async function watch(
  response: Response,
  { sleep }: MockServer["client"],
  { paceMs, leavesAfter = Infinity }: Pick<Watcher, "paceMs" | "leavesAfter">,
): Promise<Sight> {
  const reader = fromResponse(response).getReader();
  const snapshots: PullProgress[] = [];
  try {
    for (;;) {
      if (snapshots.length >= leavesAfter) {
        await reader.cancel();
        return { snapshots };
      }
      if (paceMs > 0) await sleep(paceMs);
      const { done, value } = await reader.read();
      if (done) return { snapshots, end: "success" };
      snapshots.push(value);
    }
  } catch (error) {
    return { snapshots, end: PullError.from(error)?.toJSON() ?? error };
  }
}

describe("a pull through a relay", () => {
  const faults = fc.constantFrom<readonly Fault[]>(
    [],
    [{ kind: "cut", at: { line: 3 } }],
    [{ kind: "error", at: { completed: "50%" } }],
  );

  it("looks the same to every viewer, however slowly they read and whenever they join", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(watcher, { maxLength: 8 }),
      faults,
      fc.constantFrom(0, 20, 100),
      async (watchers, faults, updateEveryMs) => {
        const server = mockOfSmall({ faults });
        const ask = relayOf(server, { updateEveryMs, random: () => 0 });
        const started = watch(await ask("POST"), server.client, {
          paceMs: 0,
          leavesAfter: undefined,
        });
        const sights = await Promise.all([
          started,
          ...watchers.map(async (watcher) => {
            await server.client.sleep(watcher.comesAfterMs);
            return watch(await ask("GET", { Accept: watcher.accepts }), server.client, watcher);
          }),
        ]);
        for (const { snapshots } of sights) {
          snapshots.reduce((before, now) => {
            assert(now.fraction >= before.fraction && now.completed >= before.completed);
            return now;
          }, { fraction: 0, completed: 0 } as PullProgress);
        }
        const stayed = sights.filter(({ end }) => end !== undefined);
        for (const { snapshots, end } of stayed) {
          assertEquals([snapshots.at(-1), end], [sights[0]!.snapshots.at(-1), sights[0]!.end]);
        }
        assertEquals(server.requests.length, 1);
      },
    ));
  });
});
