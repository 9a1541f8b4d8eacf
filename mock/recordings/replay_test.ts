/**
 * Shows that a mock plays recordings as they came, at any speed, cut anywhere, and with faults on top.
 *
 * @module
 */

import { assert, assertEquals, assertIsError, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { concatBytes } from "../../src/bytes.ts";
import { ConfigurationError } from "../configuration_error.ts";
import { type Fault, type FaultKind, faultKinds } from "../mod.ts";
import type { MockServer, MockServerOptions } from "../options.ts";
import { createMockServer } from "../server.ts";
import { A, B, post, readChunks, requestPull } from "../test_helpers.ts";
import { formatRecording } from "./format.ts";
import { parseRecording } from "./parse.ts";
import type { RecordedExchange, Recording } from "./recording.ts";
import { chunkLists, exchangeOf, linesEvery, recordingOf } from "./test_helpers.ts";

/** What came of a pull: the chunks that a client read, when it read them, and how it ended. */
interface Received {
  readonly chunks: readonly { readonly atMs: number; readonly bytes: Uint8Array }[];
  readonly endedAtMs: number;
  readonly failure: unknown;
}

async function receive(server: MockServer, model = "recorded"): Promise<Received> {
  const start = server.clock.now();
  const chunks: { atMs: number; bytes: Uint8Array }[] = [];
  const time = () => server.clock.now() - start;
  try {
    const { body } = await requestPull(server, model);
    for await (const bytes of body!) chunks.push({ atMs: time(), bytes });
    return { chunks, endedAtMs: time(), failure: undefined };
  } catch (failure) {
    return { chunks, endedAtMs: time(), failure };
  }
}

function mockOf(recording: Recording, options: MockServerOptions = {}): MockServer {
  return createMockServer({ models: [], recordings: [recording], ...options });
}

const joined = (chunks: readonly { readonly bytes: Uint8Array }[]) =>
  concatBytes(chunks.map(({ bytes }) => bytes));

/** A pull of two layers: a line each 100 ms. */
const LINES = linesEvery(
  100,
  { status: "pulling manifest" },
  { status: "pulling a", digest: A, total: 600 },
  { status: "pulling a", digest: A, total: 600, completed: 300 },
  { status: "pulling a", digest: A, total: 600, completed: 600 },
  { status: "pulling b", digest: B, total: 400, completed: 100 },
  { status: "verifying sha256 digest" },
  { status: "success" },
);
const PULL = recordingOf(exchangeOf(LINES));

/** The statuses of what was received, the last of which may be cut off. */
async function statusesWith(...faults: readonly Fault[]): Promise<string[]> {
  const { chunks } = await receive(mockOf(PULL, { faults }));
  const lines = new TextDecoder().decode(joined(chunks)).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    try {
      const { status, error, completed } = JSON.parse(line);
      return error ?? (completed ? `${status} ${completed}` : status);
    } catch {
      return line;
    }
  });
}

describe("a recording that is played", () => {
  it("has the same chunks at the same times, after it was written and read", async () => {
    await fc.assert(
      fc.asyncProperty(chunkLists, fc.nat({ max: 100 }), async (chunks, waited) => {
        const atMs = (chunks.at(-1)?.atMs ?? 0) + waited;
        const text = formatRecording(recordingOf(exchangeOf(chunks, { atMs })));
        const received = await receive(mockOf(parseRecording(text)));
        assertEquals(received, { chunks, endedAtMs: atMs, failure: undefined });
      }),
    );
  });

  it("has the same bytes at any speed, in as much less time", async () => {
    const speeds = fc.constantFrom(0.5, 2, 8, 1024);
    await fc.assert(fc.asyncProperty(chunkLists, speeds, async (chunks, replaySpeed) => {
      const received = await receive(mockOf(recordingOf(exchangeOf(chunks)), { replaySpeed }));
      const expected = chunks.map(({ atMs, bytes }) => ({ atMs: atMs / replaySpeed, bytes }));
      assertEquals(received.chunks, expected);
    }));
    const { chunks, endedAtMs } = await receive(mockOf(PULL, { replaySpeed: Infinity }));
    assertEquals([joined(chunks), endedAtMs], [joined(LINES), 0]);
  });

  it("has the status, the content type and the wait before the answer", async () => {
    const answer = { atMs: 40, status: 503, contentType: "text/html", retryAfter: "7" };
    const server = mockOf(recordingOf({ ...exchangeOf([], { atMs: 50 }), answer }));
    const response = await requestPull(server, "recorded");
    assertEquals([response.status, server.clock.now()], [503, 40]);
    assertEquals(response.headers.get("Content-Type"), "text/html");
    assertEquals(response.headers.get("Retry-After"), "7");
    assertEquals([await response.text(), server.clock.now()], ["", 50]);
    const empty = { ...answer, status: 204, contentType: null };
    const other = mockOf(recordingOf({ ...exchangeOf([]), answer: empty }));
    const { status, body, headers } = await requestPull(other, "recorded");
    assertEquals([status, body, headers.get("Content-Type")], [204, null, null]);
    assertEquals(other.requests.map(({ outcome }) => outcome), ["finished"]);
  });

  it("breaks where it broke, and where its client left before success", async () => {
    for (const how of ["broken", "left"] as const) {
      const chunks = LINES.slice(0, 3);
      const server = mockOf(recordingOf(exchangeOf(chunks, { atMs: 250, how })));
      const received = await receive(server);
      assertEquals([received.chunks, received.endedAtMs], [chunks, 250]);
      assert(received.failure instanceof TypeError);
      assertEquals(server.requests.map(({ outcome }) => outcome), ["faulted"]);
    }
    const exchange = { ...exchangeOf([], { atMs: 30, how: "broken" }), answer: undefined };
    const server = mockOf(recordingOf(exchange));
    await assertRejects(() => requestPull(server, "recorded"), TypeError);
    assertEquals(server.clock.now(), 30);
  });

  it("ends with its success where its client left after that", async () => {
    const server = mockOf(recordingOf(exchangeOf(LINES, { atMs: 700, how: "left" })));
    assertEquals(await receive(server), { chunks: LINES, endedAtMs: 600, failure: undefined });
    assertEquals(server.requests.map(({ outcome }) => outcome), ["finished"]);
  });

  it("is one attempt after the other, and then the last one again, until the mock is reset", async () => {
    const exchanges = [1, 2, 3].map((attempt) => exchangeOf(linesEvery(0, { attempt })));
    const server = mockOf(recordingOf(...exchanges.slice(0, 2)), {
      recordings: [recordingOf(...exchanges.slice(0, 2)), recordingOf(exchanges[2]!)],
    });
    const play = async () => {
      const attempts: unknown[] = [];
      for (let pull = 0; pull < 4; pull++) {
        attempts.push((await (await requestPull(server, "recorded")).json()).attempt);
      }
      return attempts;
    };
    assertEquals(await play(), [1, 2, 3, 3]);
    server.reset();
    assertEquals(await play(), [1, 2, 3, 3]);
  });

  it("is of a model by any of its names, and leaves others as they are", async () => {
    const server = createMockServer({ models: ["tiny"], recordings: [PULL] });
    for (const name of ["recorded", "Recorded:latest", "library/recorded"]) {
      assertEquals(joined((await receive(server, name)).chunks), joined(LINES));
    }
    const { chunks } = await receive(server, "tiny");
    assert(chunks.length > LINES.length);
    const absent = await (await requestPull(server, "absent")).text();
    assert(absent.includes("file does not exist"));
  });

  it("is played for requests of the same form: a stream, or a single object", async () => {
    const single = exchangeOf(linesEvery(0, { status: "success", single: true }));
    const request = { ...single.request, body: { name: "recorded", stream: false } };
    const server = mockOf(recordingOf({ ...single, request }, exchangeOf(LINES)));
    const ask = async (stream: boolean) =>
      await (await requestPull(server, "recorded", { stream })).text();
    assertEquals(await ask(false), '{"status":"success","single":true}\n');
    assertEquals(await ask(true), new TextDecoder().decode(joined(LINES)));
    const { error } = await (await requestPull(mockOf(PULL), "recorded", { stream: false })).json();
    assert(error.includes("file does not exist"));
  });

  it("leaves out redirects, which the client has followed", async () => {
    const answer = { atMs: 0, status: 307, contentType: null };
    const server = mockOf(recordingOf({ ...exchangeOf([]), answer }, exchangeOf(LINES)));
    assertEquals((await requestPull(server, "recorded")).status, 200);
  });

  it("installs its model on success, with the reported layers", async () => {
    const server = mockOf(PULL);
    const list = async () => (await (await server.fetch("http://mock/api/tags")).json()).models;
    const reader = (await requestPull(server, "recorded")).body!.getReader();
    for (let line = 0; line < LINES.length - 1; line++) await reader.read();
    assertEquals(await list(), []);
    await reader.read();
    const [{ name, size }] = await list();
    assertEquals([name, size], ["recorded:latest", 1_000]);
    const known = { ...PULL, layers: [{ digest: B, size: 5 }] };
    const other = mockOf(known);
    await receive(other);
    const { models } = await (await other.fetch("http://mock/api/tags")).json();
    assertEquals(models[0].size, 5);
    assertEquals((await post(other, "/api/show", { model: "recorded" })).status, 200);
  });

  it("installs nothing when it has failed, and logs the words of the failure", async () => {
    const lines = linesEvery(5, { status: "pulling manifest" }, { error: "disk full" });
    const server = mockOf(recordingOf(exchangeOf(lines)));
    await receive(server);
    const { models } = await (await server.fetch("http://mock/api/tags")).json();
    assertEquals(models, []);
    assertEquals(server.requests[0]?.error, "disk full");
    assertEquals(server.requests[0]?.outcome, "finished");
  });

  it("is held as long as a test holds it", async () => {
    const server = mockOf(PULL);
    const hold = server.hold({ at: { completed: "60%" } });
    const reader = (await requestPull(server, "recorded")).body!.getReader();
    for (let line = 0; line < 4; line++) await reader.read();
    const next = reader.read();
    await hold.reached;
    await server.clock.sleep(10_000);
    hold.release();
    await next;
    assertEquals(server.clock.now(), 10_400);
    await reader.cancel();
  });
});

describe("a fault on a recording", () => {
  it("cuts it at any byte", async () => {
    const bytes = joined(LINES);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: bytes.length - 1 }),
        fc.constantFrom("cut", "reset"),
        async (byte, kind) => {
          const server = mockOf(PULL, { faults: [{ kind, at: { byte } }] });
          const { chunks, failure } = await receive(server);
          assertEquals(joined(chunks), bytes.subarray(0, byte));
          assertEquals(failure instanceof TypeError, kind === "reset");
          const [entry] = server.requests;
          assertEquals([entry?.outcome, entry?.faults], ["faulted", [kind]]);
        },
      ),
    );
  });

  it("strikes at a line, and at the share that lines report", async () => {
    const completedAt = async (at: Fault["at"]) => (await statusesWith({ kind: "cut", at })).at(-1);
    assertEquals(await completedAt({ line: 3 }), "pulling a");
    assertEquals(await completedAt({ completed: "0%" }), "pulling manifest");
    assertEquals(await completedAt({ completed: "30%" }), "pulling a 300");
    assertEquals(await completedAt({ completed: "31%" }), "pulling a 600");
    assertEquals(await completedAt({ completed: 700 }), "pulling b 100");
    assertEquals(await completedAt({ completed: "100%" }), "verifying sha256 digest");
    assertEquals(await completedAt({ layer: 0 }), "pulling a 300");
    assertEquals(await completedAt({ layer: 1, completed: "25%" }), "pulling b 100");
    assertEquals(await completedAt({ layer: B }), "pulling b 100");
  });

  it("sends lines of its own between those that were recorded", async () => {
    const before = ["pulling manifest", "pulling a", "pulling a 300"];
    const after = ["pulling a 600", "pulling b 100", "verifying sha256 digest", "success"];
    const at = { byte: 100 }; // inside the second line
    assertEquals(await statusesWith({ kind: "error", at, message: "oops" }), [
      ...before.slice(0, 2),
      "oops",
    ]);
    assertEquals(await statusesWith({ kind: "disk-full", at: { completed: "30%" } }), [
      ...before,
      "write blob: no space left on device",
    ]);
    assertEquals(await statusesWith({ kind: "malformed", at: { completed: "30%" }, text: "<p>" }), [
      ...before,
      "<p>",
      ...after,
    ]);
    assertEquals(await statusesWith({ kind: "early-success", at: { line: 1 } }), [
      "success",
      ...before,
      ...after,
    ]);
    assertEquals(
      await statusesWith({ kind: "unknown-status", at: { line: 4 }, status: "so" }),
      [...before, "so", ...after],
    );
    assertEquals(await statusesWith({ kind: "no-success" }), [...before, ...after.slice(0, 3)]);
  });

  it("delays it: what was due during a stall comes at once after it", async () => {
    const times = async (fault: Fault) =>
      (await receive(mockOf(PULL, { faults: [fault] }))).chunks.map(({ atMs }) => atMs);
    assertEquals(
      await times({ kind: "stall", at: { line: 3 }, ms: 250 }),
      [0, 100, 350, 350, 400, 500, 600],
    );
    assertEquals(
      await times({ kind: "slow-first-byte", ms: 50 }),
      [50, 150, 250, 350, 450, 550, 650],
    );
  });

  it("frames it in another way", async () => {
    const text = new TextDecoder().decode(joined(LINES));
    const framed = async (...kinds: readonly Fault[]) => {
      const { chunks } = await receive(mockOf(PULL, { faults: kinds }));
      return { text: new TextDecoder().decode(joined(chunks)), chunks };
    };
    assertEquals((await framed({ kind: "crlf" })).text, text.replaceAll("\n", "\r\n"));
    assertEquals((await framed({ kind: "blank-lines" })).text, text.replaceAll("\n", "\n\n"));
    assertEquals(
      (await framed({ kind: "crlf" }, { kind: "blank-lines" })).text,
      text.replaceAll("\n", "\r\n\r\n"),
    );
    assertEquals((await framed({ kind: "no-final-newline" })).text, text.trimEnd());
    const split = await framed({ kind: "split", bytes: 7 });
    assertEquals(split.text, text);
    assert(split.chunks.every(({ bytes }) => bytes.length <= 7));
    const coalesced = await framed({ kind: "coalesce", lines: 3 });
    assertEquals(coalesced.text, text);
    assertEquals(coalesced.chunks.map(({ atMs }) => atMs), [200, 500, 600]);
  });

  it("answers in its place, and spares as many pulls as it is to", async () => {
    const faults: Fault[] = [{ kind: "http-error", status: 502, body: "none", times: 1, after: 1 }];
    const server = mockOf(PULL, { faults });
    const statuses: number[] = [];
    for (let pull = 0; pull < 3; pull++) {
      const response = await requestPull(server, "recorded");
      statuses.push(response.status);
      await readChunks(response);
    }
    assertEquals(statuses, [200, 502, 200]);
    assertEquals(server.unstruckFaults, []);
  });

  it("is refused if it needs a simulated download, unless it is meant for another model", () => {
    const refused: FaultKind[] = [];
    for (const kind of Object.keys(faultKinds) as FaultKind[]) {
      const at = faultKinds[kind].at === "layer" ? { layer: 0 } : undefined;
      const fault = { kind, ...(at && { at }) } as Fault;
      try {
        mockOf(PULL, { faults: [fault] });
      } catch (error) {
        const message = `Cannot use the fault "${kind}" for the model "recorded:latest"`;
        assertIsError(error, ConfigurationError, message);
        refused.push(kind);
      }
      const options: MockServerOptions = {
        models: ["tiny"],
        faults: [{ ...fault, model: "tiny" }],
      };
      createMockServer({ ...options, recordings: [PULL] });
    }
    assertEquals(refused, [
      "digest-mismatch",
      "freeze",
      "rollback",
      "duplicate-phase",
      "out-of-order",
      "removing-fails",
      "unknown-fields",
      "completed-absent",
      "completed-over-total",
      "completed-falls",
    ]);
    const server = mockOf(PULL);
    assertThrows(() => server.addFault({ kind: "rollback" }), ConfigurationError);
    assertThrows(() => server.setFaults([{ kind: "freeze" }]), ConfigurationError);
  });

  it("leaves it as it is if it comes by chance and needs a simulated download", async () => {
    for (const kind of ["rollback", "freeze", "completed-falls", "duplicate-phase"] as const) {
      const server = mockOf(PULL, { faults: { chance: 1, kinds: [kind] } });
      const { chunks } = await receive(server);
      assertEquals([joined(chunks), server.requests[0]?.faults], [joined(LINES), []]);
    }
  });
});

describe("a mock with recordings", () => {
  it("rejects an invalid recording, and one without a pull", () => {
    const refuse = (recording: unknown, message: string) =>
      assertThrows(
        () => createMockServer({ recordings: [recording as Recording] }),
        ConfigurationError,
        message,
      );
    refuse("a text", 'Cannot use the recording "a text": read it with parseRecording');
    refuse({}, "Cannot use the recording {}: read it with parseRecording");
    const nameless: RecordedExchange = exchangeOf([], {}, "a b");
    for (const recording of [recordingOf(), recordingOf(nameless)]) {
      refuse(recording, "Cannot use the recording of 2026-11-29T15:00:00.000Z: it has no pull");
    }
    assertThrows(
      () => mockOf(PULL, { replaySpeed: 0 }),
      ConfigurationError,
      "Cannot use the replaySpeed 0: it must be a number above 0",
    );
    assertThrows(
      () => mockOf(PULL, { faults: [{ kind: "cut", at: { layer: 2 } }] }),
      ConfigurationError,
      'the model "recorded:latest" has layers 0 to 1',
    );
  });
});
