import { pull, PullError, pullModel, type PullProgress, type PullRetry } from "@ollama-pull/kit";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "node:test";
import { Ollama } from "ollama/browser";
import { type DialectName, dialects } from "../src/dialects.ts";
import type { Fault } from "./faults/faults.ts";
import type { MockServer } from "./options.ts";
import { createMockServer } from "./server.ts";
import { mockOfSmall } from "./test_helpers.ts";

const DIALECTS = Object.keys(dialects) as DialectName[];

/** The client of a mock, which waits for as long before every retry. */
function optionsFor({ client }: MockServer) {
  return { ...client, random: () => 0 };
}

/** The npm client. */
function ollamaOf({ fetch }: MockServer): Ollama {
  return new Ollama({ host: "http://localhost:11434", fetch: fetch as typeof globalThis.fetch });
}

describe("Our own client", () => {
  for (const dialect of DIALECTS) {
    it(`pulls in the dialect ${dialect}, first, again and after a break`, async () => {
      const server = mockOfSmall({ dialect });
      const { layers, config } = await server.registry.manifest("small");
      const options = { ...optionsFor(server), layers: [...layers, config] };
      const pullAll = async () => {
        const all = await Array.fromAsync(pull("small", options));
        let fraction = 0;
        for (const progress of all) {
          assert(progress.fraction >= fraction);
          assertStrictEquals(progress.total, 23_000_500);
          fraction = progress.fraction;
        }
        assertEquals([fraction, all.at(-1)!.phase], [1, "success"]);
      };
      await pullAll();
      await pullAll();
      server.reset();
      const reader = pull("small", options).getReader();
      while ((await reader.read()).value!.completed < 6_000_000);
      await reader.cancel();
      await pullAll();
      assertEquals(server.requests.map(({ outcome }) => outcome), ["cancelled", "finished"]);
    });

    it(`waits for the end in the dialect ${dialect}`, async () => {
      const server = mockOfSmall({ dialect });
      await pullModel("small", { ...optionsFor(server), stream: false });
      assertStrictEquals(server.requests[0]!.outcome, "finished");
    });
  }

  it("goes on after transient failures", async () => {
    const faults: Fault[] = [
      { kind: "http-error", status: 503, body: "html", times: 1 },
      { kind: "reset", at: { completed: "30%" }, times: 1 },
      { kind: "cut", at: { completed: "60%" }, times: 1 },
      { kind: "stall", at: { completed: "80%" }, ms: Infinity, times: 1 },
    ];
    const server = createMockServer({ models: ["llama3.2"], faults });
    const failures: string[] = [];
    await pullModel("llama3.2", {
      ...optionsFor(server),
      retries: 1,
      stallTimeoutMs: 30_000,
      onRetry: ({ error: { code } }) => failures.push(code),
    });
    assertEquals(failures, ["http", "network", "truncated", "stalled"]);
    assertEquals(server.requests.map(({ outcome }) => outcome), [
      "faulted",
      "faulted",
      "faulted",
      "cancelled",
      "finished",
    ]);
    assertStrictEquals(server.activeDownloads, 0);
  });

  it("fails where a pull fails", async () => {
    const codeOf = async (fault: Fault) => {
      const server = mockOfSmall({ faults: [fault] });
      const error = await assertRejects(() => pullModel("small", optionsFor(server)), PullError);
      assertStrictEquals(server.activeDownloads, 0);
      return (error as PullError).code;
    };
    assertStrictEquals(await codeOf({ kind: "error" }), "server");
    assertStrictEquals(await codeOf({ kind: "digest-mismatch" }), "server");
    assertStrictEquals(await codeOf({ kind: "no-success" }), "truncated");
    assertStrictEquals(await codeOf({ kind: "malformed" }), "malformed");
    assertStrictEquals(await codeOf({ kind: "reset" }), "network");
    assertStrictEquals(await codeOf({ kind: "http-error" }), "http");
  });

  it("does not retry what the server refuses to pull, in any dialect, with a stream or without", async () => {
    const refused: [model: string, message: RegExp][] = [
      ["unheard-of", /not exist|not found/],
      ["http://127.0.0.1:5000/library/m", /insecure protocol http|HTTP response to HTTPS/],
    ];
    for (const dialect of DIALECTS) {
      for (const [model, message] of refused) {
        for (const stream of [true, false]) {
          const server = createMockServer({ dialect, models: [] });
          const options = { ...optionsFor(server), retries: 9, stream };
          const error = await assertRejects(() => pullModel(model, options), PullError);
          assertMatch((error as PullError).message, message);
          assertEquals(server.requests.length, 1, `${dialect}, ${model}, ${error.message}`);
        }
      }
    }
  });

  it("is not put off by what does no harm", async () => {
    const kinds = [
      ...["crlf", "blank-lines", "split", "coalesce", "no-final-newline", "rollback"],
      ...["unknown-fields", "unknown-status", "duplicate-phase", "out-of-order", "removing-fails"],
      ...["completed-absent", "completed-over-total", "completed-falls", "stall", "freeze"],
      "slow-first-byte",
    ] as const;
    for (const kind of kinds) {
      const server = mockOfSmall({ faults: [{ kind } as Fault] });
      let last: PullProgress | undefined;
      const onProgress = (progress: PullProgress) => last = progress;
      await pullModel("small", { ...optionsFor(server), onProgress });
      assertEquals([last?.fraction, server.requests[0]!.faults], [1, [kind]], kind);
    }
  });
});

describe("The client of the mock", () => {
  it("lives in the time of the mock: limits, retries, speed and time left are those of the download", async () => {
    const faults: Fault[] = [{ kind: "stall", ms: 3_600_000, times: 2 }];
    const server = mockOfSmall({ dialect: "v0.33", bytesPerSecond: 1_000_000, faults });
    const retries: PullRetry[] = [];
    const seen: PullProgress[] = [];
    const startedAt = performance.now();
    await pullModel("small", {
      ...server.client,
      stallTimeoutMs: 30_000,
      retries: 2,
      onRetry: (retry) => retries.push(retry),
      onProgress: (progress) => seen.push(progress),
    });
    assertEquals(retries.map(({ error }) => error.code), ["stalled", "stalled"]);
    assert(server.clock.now() > 83_000, "23 s to download, and twice 30 s to wait");
    assert(performance.now() - startedAt < 20_000, "none of which pass");
    const rates = seen.map(({ bytesPerSecond = 0 }) => bytesPerSecond);
    assertAlmostEquals(Math.max(...rates), 1_000_000, 50_000);
    assert(seen.some(({ etaSeconds }) => etaSeconds !== undefined));
  });

  it("waits for the same times before retries in each run", async () => {
    const delays = async () => {
      const server = mockOfSmall({ faults: [{ kind: "http-error", status: 503, times: 3 }] });
      const told: number[] = [];
      const onRetry = ({ delayMs }: PullRetry) => told.push(delayMs);
      await pullModel("small", { ...server.client, retries: 3, onRetry });
      return told;
    };
    const first = await delays();
    assertEquals([first.length, new Set(first).size], [3, 3]);
    assertEquals(await delays(), first);
  });

  it("fails as `fetch` does where the connection breaks", async () => {
    const { client } = mockOfSmall({ faults: [{ kind: "reset" }] });
    const answer = await client.fetch("http://x/api/pull", {
      method: "POST",
      body: '{"model":"small"}',
    });
    await assertRejects(() => answer.text(), TypeError);
  });
});

describe("The npm client `ollama`", () => {
  for (const dialect of DIALECTS) {
    it(`pulls in the dialect ${dialect}`, async () => {
      const server = mockOfSmall({ dialect });
      const statuses = [];
      for await (
        const { status } of await ollamaOf(server).pull({ model: "small", stream: true })
      ) {
        statuses.push(status);
      }
      assertEquals([statuses[0], statuses.at(-1)], ["pulling manifest", "success"]);
    });
  }

  it("waits for the end, lists, shows, copies, pushes and deletes", async () => {
    const server = mockOfSmall();
    const client = ollamaOf(server);
    assertEquals(await client.pull({ model: "small", stream: false }), { status: "success" });
    assertEquals((await client.list()).models.map(({ name }) => name), ["small:latest"]);
    assertStrictEquals((await client.show({ model: "small" })).details.family, "small");
    await client.create({ model: "copy", from: "small" });
    assertEquals(await client.push({ model: "copy" }), { status: "success" });
    assertEquals(await client.delete({ model: "small" }), { status: "success" });
    assertEquals((await client.list()).models.map(({ name }) => name), ["copy:latest"]);
    assertStrictEquals((await client.version()).version, "0.34.1");
  });

  it("reports what the server refuses, and what fails later", async () => {
    const client = ollamaOf(mockOfSmall());
    await assertRejects(() => client.pull({ model: "../x" }), Error, "invalid model name");
    await assertRejects(
      async () => await Array.fromAsync(await client.pull({ model: "other", stream: true })),
      Error,
      "pull model manifest: file does not exist",
    );
  });

  it("leaves the download when it aborts", async () => {
    const server = mockOfSmall();
    const client = ollamaOf(server);
    const stream = await client.pull({ model: "small", stream: true });
    await assertRejects(async () => {
      for await (const { completed } of stream) if (completed) client.abort();
    });
    assertStrictEquals(server.activeDownloads, 0);
    assertStrictEquals(server.requests[0]!.outcome, "cancelled");
  });
});
