import { pull, PullError, type PullProgress, type PullRetry } from "@ollama-pull/kit";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Fault } from "./faults/faults.ts";
import { type FaultKind, faultKinds } from "./faults/kinds.ts";
import { createMockServer } from "./server.ts";

/** What the command does, so that a pull that was left alone at night is there in the morning. */
const PATIENCE = {
  stallTimeoutMs: 120_000,
  silenceTimeoutMs: 30 * 60_000,
  retryForMs: 30 * 60_000,
};

const LAYERS = [
  { size: 40_000_000_000 },
  { size: 11_000 },
  { size: 4_000_000_000 },
];
const MODEL = { name: "big", layers: LAYERS };

/** Kinds of faults that do no harm, and kinds after which a pull has to be made again. */
const HARMLESS: FaultKind[] = [
  ...["slow-first-byte", "rollback", "unknown-status", "early-success", "duplicate-phase"] as const,
  ...["out-of-order", "removing-fails", "unknown-fields", "completed-absent"] as const,
  ...["completed-over-total", "completed-falls", "crlf", "blank-lines", "split"] as const,
  ...["coalesce", "no-final-newline"] as const,
];
const PASSING: FaultKind[] = [
  ...["http-error", "error", "digest-mismatch", "cut", "reset", "stall", "freeze"] as const,
  "no-success",
];

/** Faults that do not pass, and the reasons that are told. */
const FINAL: [fault: Fault, code: string, reason: string | undefined][] = [
  [{ kind: "disk-full" }, "server", "disk-full"],
  [{ kind: "malformed" }, "malformed", undefined],
  [{ kind: "malformed", at: { line: 1 }, text: "<!doctype html>" }, "malformed", "wrong-address"],
  [{ kind: "error", message: "pull model manifest: 412: " }, "server", "server-too-old"],
  [{ kind: "error", message: "insecure protocol http" }, "server", "insecure-registry"],
  [{ kind: "error", message: "what is this" }, "server", undefined],
  [{ kind: "http-error", status: 400, message: "invalid model name" }, "http", "invalid-name"],
  [{ kind: "http-error", status: 401, body: "none" }, "http", "unauthorized"],
  [{ kind: "http-error", status: 403, body: "html" }, "http", "forbidden"],
  [{ kind: "http-error", status: 404, message: "model 'x' not found" }, "http", "model-not-found"],
  [{ kind: "http-error", status: 404, body: "html" }, "http", "wrong-address"],
];

/** Pulls 44 GB in virtual time, checks every snapshot, and gives the last one. */
async function pullThrough(faults: Fault[], retries: PullRetry[] = []): Promise<PullProgress> {
  const server = createMockServer({
    models: [MODEL],
    faults,
    dialect: "v0.33",
    bytesPerSecond: 400_000_000,
    tickMs: 500,
  });
  const { fetch, clock } = server;
  let last: PullProgress | undefined;
  const progress = pull("big", {
    ...PATIENCE,
    fetch,
    now: () => clock.now(),
    sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    random: () => 0,
    onRetry: (retry) => retries.push(retry),
  });
  for await (const next of progress) {
    checkStep(last, next);
    last = next;
  }
  assertEquals(server.activeDownloads, 0);
  return last!;
}

/** The invariants of progress. */
function checkStep(last: PullProgress | undefined, next: PullProgress): void {
  assert(next.completed <= next.total);
  assertEquals(next.fraction === 1, next.phase === "success");
  if (!last) return;
  assert(next.fraction >= last.fraction && next.completed >= last.completed);
  for (const [index, layer] of last.layers.entries()) {
    assertEquals(next.layers[index]?.digest, layer.digest);
    assert(next.layers[index]!.completed >= layer.completed);
  }
}

describe("A pull of 44 GB that nobody watches", () => {
  it("has a verdict on every kind of fault", () => {
    const kinds = new Set([...HARMLESS, ...PASSING, ...FINAL.map(([{ kind }]) => kind)]);
    assertEquals([...kinds].sort(), Object.keys(faultKinds).sort());
  });

  for (const kind of [...HARMLESS, ...PASSING]) {
    it(`gets there through the fault "${kind}", three times`, async () => {
      const retries: PullRetry[] = [];
      const last = await pullThrough([{ kind, times: 3 } as Fault], retries);
      assertEquals([last.phase, last.fraction], ["success", 1]);
      if (HARMLESS.includes(kind)) assertEquals(retries, []);
    });
  }

  it("succeeds in the end through every transient HTTP error", async () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504, 520, 524]) {
      for (const body of ["json", "html", "none"]) {
        const retries: PullRetry[] = [];
        await pullThrough([{ kind: "http-error", status, body, times: 2 }], retries);
        assertEquals(retries.map(({ error }) => error.status), [status, status]);
      }
    }
  });

  it("gets there through a stall and a download that freezes, however long they are", async () => {
    for (const kind of ["stall", "freeze"] as const) {
      const retries: PullRetry[] = [];
      await pullThrough([{ kind, ms: Infinity, times: 2 }], retries);
      assertEquals(retries.map(({ error }) => error.code), ["stalled", "stalled"], kind);
    }
  });

  it("gets there through a stall of a layer that is downloaded again", async () => {
    const retries: PullRetry[] = [];
    const stall = { kind: "stall", times: 2, at: { line: 112 }, ms: Infinity } as const;
    await pullThrough([{ kind: "digest-mismatch", times: 1 }, stall], retries);
    const waits = retries.map(({ error }) => /for \d+ s/.exec(error.message)?.[0]);
    assertEquals(waits, ["for 120 s", undefined, "for 120 s"]);
  });

  it("succeeds in the end through any combination of them", async () => {
    const points = fc.oneof(
      fc.record({ completed: fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`) }),
      fc.record({ line: fc.integer({ min: 1, max: 200 }) }),
    );
    const faults = fc.constantFrom(...HARMLESS, ...PASSING).chain((kind) =>
      fc.record({
        kind: fc.constant(kind),
        times: fc.integer({ min: 1, max: 3 }),
        ...(faultKinds[kind].at === "point" && { at: points }),
        ...(kind === "http-error" && { status: fc.constantFrom(408, 429, 500, 503) }),
        ...(["stall", "freeze"].includes(kind) &&
          { ms: fc.constantFrom(1_000, 200_000, 7_200_000) }),
      }) as fc.Arbitrary<Fault>
    );
    await fc.assert(
      fc.asyncProperty(fc.array(faults, { minLength: 1, maxLength: 5 }), async (faults) => {
        const last = await pullThrough(faults);
        assertEquals([last.phase, last.fraction], ["success", 1]);
      }),
      { numRuns: 30 },
    );
  });

  for (const [fault, code, reason] of FINAL) {
    it(`fails at once at ${JSON.stringify(fault)}`, async () => {
      const retries: PullRetry[] = [];
      const error = await pullThrough([fault], retries).then(() => undefined, (error) => error);
      assert(error instanceof PullError, String(error));
      assertEquals([error.code, error.reason, error.retryable], [code, reason, false]);
      assertEquals(retries, []);
    });
  }
});
