import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { decodeProgress, PullError, type PullProgress } from "../mod.ts";
import type { RequestOutcome } from "./exchange/request_log.ts";
import type { FaultKind } from "./faults/kinds.ts";
import { seededNumbers } from "./runtime/random.ts";
import type { MockServer } from "./options.ts";
import { createMockServer } from "./server.ts";
import { requestPull } from "./test_helpers.ts";

const PULLS = 1_000;
const MODELS = 20;

/** Faults that end a pull or delay it. Those that change its lines would hide what others change. */
const KINDS: readonly FaultKind[] = [
  "http-error",
  "slow-first-byte",
  "error",
  "disk-full",
  "digest-mismatch",
  "cut",
  "reset",
];

const models = Array.from({ length: MODELS }, (_, index) => ({
  name: `model-${index}`,
  layers: [{ size: 1e7 + index }, { size: 1e5 + index }, { size: 100 + index }],
}));

const LOADED = { models, dialect: "v0.33", faults: { chance: 0.2, kinds: KINDS } } as const;

/** How a client saw its pull end. */
interface Seen {
  readonly model: string;
  readonly end: "success" | "cancelled" | "failed";
  readonly last: PullProgress | undefined;
}

/** What the server may write down for what a client has seen. */
const OUTCOMES: Readonly<Record<Seen["end"], readonly RequestOutcome[]>> = {
  success: ["finished", "faulted"],
  cancelled: ["cancelled", "finished", "faulted"],
  failed: ["faulted"],
};

/** Pulls a model, and leaves after so many updates. */
async function pullFor(server: MockServer, model: string, updates: number): Promise<Seen> {
  let last: PullProgress | undefined;
  let count = 0;
  try {
    const response = await requestPull(server, model);
    if (!response.ok) return { model, end: "failed", last };
    for await (const progress of decodeProgress(response.body!)) {
      last = progress;
      if (++count >= updates) return { model, end: "cancelled", last };
    }
    return { model, end: "success", last };
  } catch (error) {
    assert(error instanceof PullError || String(error).includes("broke"), String(error));
    return { model, end: "failed", last };
  }
}

/** A thousand pulls at once, about half of which are left at some time. */
function pullThousand(server: MockServer, seed: number): Promise<Seen[]> {
  const random = seededNumbers(seed, "load");
  const pulls = Array.from({ length: PULLS }, () => {
    const model = `model-${random() % MODELS}`;
    const updates = random() % 2 === 0 ? Infinity : 1 + random() % 30;
    return pullFor(server, model, updates);
  });
  return Promise.all(pulls);
}

const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };

/** The bytes in use once what nobody needs is gone. */
async function usedBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (Bun) Bun.gc(true);
    else gc?.();
  }
  const { process } = globalThis as unknown as { process: { memoryUsage(): { heapUsed: number } } };
  return process.memoryUsage().heapUsed;
}

describe("A thousand pulls at once, half of them left, with faults", () => {
  it("lose no update, mix nothing up, and leave nothing behind", async () => {
    const server = createMockServer(LOADED);
    const manifests = new Map<string, Map<string, number>>();
    for (const { name } of models) {
      const { layers, config } = await server.registry.manifest(name);
      manifests.set(name, new Map([...layers, config].map(({ digest, size }) => [digest, size])));
    }
    const seen = await pullThousand(server, 1);

    for (const { model, end, last } of seen) {
      const sizes = manifests.get(model)!;
      for (const { digest, total, completed } of last?.layers ?? []) {
        assertEquals(total, sizes.get(digest!), `${digest} is not one of ${model}`);
        if (end === "success") assertEquals(completed, total);
      }
    }
    // Requests are logged in the order in which they arrive, which is that of the clients.
    assertEquals(server.requests.length, PULLS);
    for (const [index, { model, end }] of seen.entries()) {
      const request = server.requests[index]!;
      assertEquals(request.model, model);
      // Some faults only delay, and who leaves at the last line leaves a pull that has ended.
      assert(OUTCOMES[end].includes(request.outcome), `${end} for ${request.outcome}`);
    }
    const count = (wanted: Seen["end"]) => seen.filter(({ end }) => end === wanted).length;
    assert(count("success") > 100 && count("cancelled") > 100 && count("failed") > 50);
    assertEquals(server.activeDownloads, 0);
  });

  it("are the same in every run", async () => {
    const runs = [createMockServer(LOADED), createMockServer(LOADED)].map(async (server) => {
      const seen = await pullThousand(server, 2);
      return seen.map(({ model, end, last }) => [model, end, last?.completed]);
    });
    assertEquals(await runs[0], await runs[1]);
  });

  it("do not grow memory", { skip: !gc && !Bun }, async () => {
    const server = createMockServer(LOADED);
    await pullThousand(server, 3);
    server.reset();
    const before = await usedBytes();
    for (const seed of [4, 5, 6]) {
      await pullThousand(server, seed);
      server.reset();
    }
    const growth = await usedBytes() - before;
    assert(growth < 2e6, `${growth} bytes are left of three thousand pulls`);
  });
});
