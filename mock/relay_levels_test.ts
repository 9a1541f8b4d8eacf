import { PullError, type PullProgress } from "@ollama-pull/kit";
import {
  createRelay,
  fromResponse,
  type RelayRequestInit,
  watchPull,
} from "@ollama-pull/kit/relay";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Fault } from "./faults/faults.ts";
import type { MockServer } from "./options.ts";
import { mockOfSmall } from "./test_helpers.ts";

const ORIGIN = "http://origin.test";

/** What somebody saw, and how it ended. */
interface Sight {
  readonly snapshots: readonly PullProgress[];
  readonly end: unknown;
}

async function watch(response: Response): Promise<Sight> {
  const snapshots: PullProgress[] = [];
  try {
    for await (const snapshot of fromResponse(response)) snapshots.push(snapshot);
    return { snapshots, end: "success" };
  } catch (error) {
    return { snapshots, end: PullError.from(error)?.toJSON() ?? error };
  }
}

/** Relays of a second level before one of the first, which pulls from a mock, all on the clock of that. */
function relaysOf(server: MockServer, secondRelays: number) {
  const { now, sleep } = server.client;
  const common = { allow: () => true, updateEveryMs: 0, random: () => 0, now, sleep };
  const requests: { readonly says: string; readonly signal: AbortSignal }[] = [];
  const origin = createRelay({ ...common, ...server.client });
  const fetch = (url: string, init: RelayRequestInit) => {
    requests.push({ says: `${init.method} ${new URL(url).pathname}`, signal: init.signal });
    return origin(new Request(url, init));
  };
  const second = () =>
    createRelay({
      ...common,
      pull: (model, { signal }) =>
        watchPull(ORIGIN, model, { start: true, signal, fetch, now, sleep }),
    });
  return { origin, requests, seconds: Array.from({ length: secondRelays }, second) };
}

function ask(relay: (request: Request) => Promise<Response>, method = "POST"): Promise<Response> {
  return relay(new Request(`${ORIGIN}/pulls/small`, { method }));
}

describe("relays of two levels", () => {
  const faults = fc.constantFrom<readonly Fault[]>(
    [],
    [{ kind: "cut", at: { line: 3 } }],
    [{ kind: "error", at: { completed: "50%" } }],
  );

  it("show what one relay does, over one connection for each of the second level", async () => {
    await fc.assert(fc.asyncProperty(
      faults,
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      async (faults, viewersOfEach) => {
        const server = mockOfSmall({ faults });
        const { origin, seconds, requests } = relaysOf(server, viewersOfEach.length);
        const atOrigin = watch(await ask(origin));
        const sights = await Promise.all(
          seconds.flatMap((relay, index) =>
            Array.from({ length: viewersOfEach[index]! }, async () => watch(await ask(relay)))
          ),
        );
        const expected = await atOrigin;
        for (const sight of sights) assertEquals(sight, expected);
        assertEquals(requests.map(({ says }) => says), seconds.map(() => "POST /pulls/small"));
        assertEquals(server.requests.length, 1);
      },
    ));
  });

  it("pull on when one of the second level is cancelled, which only leaves", async () => {
    const server = mockOfSmall();
    const { origin, seconds: [left, stays], requests } = relaysOf(server, 2);
    const sights = [left!, stays!].map(async (relay) => watch(await ask(relay)));
    await server.client.sleep(100);
    assertEquals((await ask(left!, "DELETE")).status, 204);
    assertEquals(requests.map(({ signal }) => signal.aborted), [true, false]);
    const [cancelled, whole] = await Promise.all(sights);
    assertEquals((cancelled!.end as Error).name, "AbortError");
    assertEquals(whole!.end, "success");
    assertEquals(server.requests.length, 1);
    assertEquals((await watch(await ask(origin, "GET"))).end, "success");
  });
});
