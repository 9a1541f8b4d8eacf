/**
 * Shows that the recorder stores exactly what comes, whatever happens to it, and nothing that is secret.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { pullModel, type PullModelOptions, type PullRequestInit } from "../../mod.ts";
import type { MockServerOptions } from "../options.ts";
import { createMockServer } from "../server.ts";
import { SMALL } from "../test_helpers.ts";
import { parseRecording } from "./parse.ts";
import { type PullFetch, Recorder } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import { arriving, chunkLists } from "./test_helpers.ts";

const HEADER = { recordedAt: "2026-11-29T15:00:00.000Z", recordedBy: "@ollama-pull/kit 0.1.0" };

/** A recorder that keeps what it writes. */
function keep(now: () => number = () => 0): { recorder: Recorder; text: () => string } {
  let text = "";
  const recorder = new Recorder(HEADER, { write: (line) => text += line, now });
  return { recorder, text: () => text };
}

function requestInit(signal: AbortSignal = new AbortController().signal): PullRequestInit {
  const body = JSON.stringify({ model: "m", password: "hunter2", username: "me", stream: true });
  return {
    method: "POST",
    headers: { authorization: "Bearer hunter2", cookie: "hunter2" },
    body,
    signal,
    redirect: "manual",
  };
}

const URL_WITH_SECRETS = "http://me:hunter2@host:1/a/api/pull?key=hunter2#hunter2";

/** Has a recorder record one request, and returns what it has written. */
async function recordOne(fetch: PullFetch, use: (response: Response) => Promise<unknown>) {
  const { recorder, text } = keep();
  try {
    await use(await recorder.record(fetch)(URL_WITH_SECRETS, requestInit()));
  } catch {
    // It is in the recording.
  }
  recorder.close();
  return parseRecording(text());
}

/** Pulls from a mock by a recorder. */
async function recordPull(
  options: MockServerOptions,
  more: PullModelOptions = {},
): Promise<{ recording: Recording; text: string }> {
  const { client } = createMockServer({ models: [SMALL], ...options });
  const { recorder, text } = keep(client.now);
  await pullModel("small", { ...client, ...more, fetch: recorder.record(client.fetch) })
    .catch(() => {});
  recorder.close();
  return { recording: parseRecording(text()), text: text() };
}

describe("a recorder", () => {
  it("stores every chunk as it came and when, and hands it on", async () => {
    await fc.assert(fc.asyncProperty(chunkLists, async (chunks) => {
      const { body, now } = arriving(chunks);
      const { recorder, text } = keep(now);
      const response = await recorder.record(() => new Response(body))(
        "http://h/",
        requestInit(),
      );
      const read: Uint8Array[] = [];
      for await (const bytes of response.body!) read.push(bytes);
      assertEquals(read, chunks.map(({ bytes }) => bytes));
      const [exchange] = parseRecording(text()).exchanges;
      assertEquals(exchange?.chunks, chunks);
      assertEquals(exchange?.end, { atMs: now(), how: "whole" });
    }));
  });

  it("stores what goes wrong: HTTP errors, broken connections, and those that never were", async () => {
    const answer = () => new Response('{"error":"busy"}', { status: 503 });
    const refused = await recordOne(answer, (response) => response.text());
    assertEquals(refused.exchanges.map(({ answer, end }) => [answer?.status, end.how]), [
      [503, "whole"],
    ]);
    assertEquals(refused.exchanges[0]?.chunks.length, 1);

    const broken = await recordOne(
      () => Promise.reject(new TypeError("no way to http://me:hunter2@proxy:1/")),
      () => Promise.resolve(),
    );
    assertEquals(broken.exchanges.map(({ answer, end }) => [answer, end]), [
      [undefined, { atMs: 0, how: "broken", reason: "no way to http://***@proxy:1/" }],
    ]);
  });

  it("stores each attempt of a pull, which a mock then plays to the byte", async () => {
    const faults = fc.constantFrom<MockServerOptions["faults"]>(
      [{ kind: "reset", at: { completed: "50%" }, times: 1 }],
      [{ kind: "cut", at: { byte: 100 }, times: 2 }],
      [{ kind: "error", at: { completed: "80%" }, times: 1 }],
      [{ kind: "http-error", times: 1 }, { kind: "split", bytes: 3 }],
      [{ kind: "malformed", at: { line: 3 }, text: "größe" }],
      [{ kind: "stall", ms: 10_000, times: 1 }],
      [{ kind: "slow-first-byte" }, { kind: "coalesce" }, { kind: "crlf" }],
    );
    await fc.assert(
      fc.asyncProperty(faults, async (faults) => {
        const { recording, text } = await recordPull({ faults }, { retries: 5 });
        const again = await recordPull({ models: [], recordings: [recording] }, { retries: 5 });
        const bytesOf = ({ exchanges }: Recording) =>
          exchanges.map(({ answer, chunks, end }) => [answer, chunks, end.how]);
        assertEquals(bytesOf(again.recording), bytesOf(recording), text);
      }),
      { numRuns: 30 },
    );
  });

  it("stores that the client has left: by a signal, or without reading to the end", async () => {
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    })();
    const interrupted = await recordPull({}, {
      signal,
      onProgress: ({ completed }) => completed > 0 && abort(),
    });
    assertEquals(interrupted.recording.exchanges.map(({ end }) => end.how), ["left"]);
    assertEquals(interrupted.recording.exchanges[0]!.chunks.length > 1, true);

    const cancelled = await recordOne(
      () => new Response("abc"),
      (response) => response.body!.cancel(),
    );
    assertEquals(cancelled.exchanges.map(({ end }) => end.how), ["left"]);
  });

  it("stores as left what has not ended when it is closed, and nothing after that", async () => {
    const { recorder, text } = keep();
    const { promise, resolve } = Promise.withResolvers<Response>();
    const answered = recorder.record(() => promise)("http://h/", requestInit());
    recorder.close();
    const closed = text();
    resolve(new Response("late"));
    await (await answered).text();
    assertEquals(text(), closed);
    assertEquals(parseRecording(closed).exchanges.map(({ end }) => end.how), ["left"]);
  });

  it("keeps no bytes: each chunk is written before the next is read", async () => {
    const { recorder, text } = keep();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
    }, { highWaterMark: 0 });
    const response = await recorder.record(() => new Response(body))("http://h/", requestInit());
    const reader = response.body!.getReader();
    for (let count = 1; count <= 3; count++) {
      await reader.read();
      assertEquals(text().match(/"text"/g)?.length, count);
    }
    await reader.cancel();
  });

  it("stores no header, login or query, and no request field that may be secret", async () => {
    const { exchanges } = await recordOne(() => new Response("x"), (response) => response.text());
    assertEquals(exchanges[0]?.request, {
      url: "http://host:1/a/api/pull",
      body: { model: "m", stream: true },
    });
    const { recorder, text } = keep();
    const failing = recorder.record(() => Promise.reject(new Error("down")));
    await assertRejects(() => failing(URL_WITH_SECRETS, requestInit()));
    assertEquals(text().includes("hunter2"), false);
  });

  it("records the wait before a retry, and the answer's Retry-After", async () => {
    const { client } = createMockServer({ models: [SMALL] });
    let attempts = 0;
    const { recorder, text } = keep(client.now);
    const fetch: PullFetch = (url, init) =>
      attempts++ === 0
        ? new Response("", { status: 503, headers: { "Retry-After": "9" } })
        : client.fetch(url, init);
    await pullModel("small", { ...client, retries: 1, fetch: recorder.record(fetch) });
    const [first, second] = parseRecording(text()).exchanges;
    assertEquals([first?.answer?.retryAfter, first?.startedAtMs], ["9", 0]);
    assertEquals(second!.startedAtMs >= 9_000, true);
  });
});
