import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import { MAX_LAYERS } from "../layers.ts";
import { pull } from "../pull/pull.ts";
import type { PullProgress } from "../snapshot.ts";
import {
  lines,
  outcomeOf,
  pullErrorOf,
  settle,
  standingStill,
  streamOf,
  TestSource,
  utf8,
} from "../stream_test_helpers.ts";
import type { PullRecord } from "./record.ts";
import { toRecords } from "./records.ts";
import { fromResponse, toResponse } from "./response.ts";
import { anyProgress, collect, describeEnd, receive, streamProgress } from "./test_helpers.ts";

const LAYER = { digest: "sha256:aaaa", total: 100 };

/** A small pull: the one in the documentation of the records. */
const SNAPSHOTS: readonly PullProgress[] = [
  {
    phase: "downloading",
    status: "pulling aaaa",
    completed: 25,
    total: 100,
    totalIsKnown: false,
    fraction: 0.25,
    layers: [{ ...LAYER, completed: 25, done: false }],
  },
  {
    phase: "downloading",
    status: "pulling aaaa",
    completed: 75,
    total: 100,
    totalIsKnown: false,
    fraction: 0.75,
    layers: [{ ...LAYER, completed: 75, done: false }],
    bytesPerSecond: 50.5,
    etaSeconds: 0.495,
  },
  {
    phase: "success",
    status: "success",
    completed: 100,
    total: 100,
    totalIsKnown: true,
    fraction: 1,
    layers: [{ ...LAYER, completed: 100, done: true }],
  },
];

const RECORDS = [
  '{"version":1,"sequence":1,"phase":"downloading","status":"pulling aaaa","totalIsKnown":false,' +
  '"layers":[{"index":0,"digest":"sha256:aaaa","completed":25,"total":100}]}',
  '{"sequence":2,"grown":[[0,75]],"bytesPerSecond":50.5,"etaSeconds":0.495}',
  '{"sequence":3,"phase":"success","status":"success","totalIsKnown":true,"grown":[[0,100]]}',
  '{"sequence":4,"end":"success"}',
];

const small = () => streamProgress({ snapshots: SNAPSHOTS, failure: undefined });

const EVENTS = { headers: { "Content-Type": "text/event-stream" } };
const LINES = { headers: { "Content-Type": "application/x-ndjson" } };

describe("toResponse", () => {
  it("sends events with the number of each record but the end, unless told otherwise", async () => {
    const response = toResponse(small());
    assertEquals(response.status, 200);
    assertEquals(Object.fromEntries(response.headers), {
      "cache-control": "no-store, no-transform",
      "content-type": "text/event-stream",
      "x-accel-buffering": "no",
    });
    const ids = [1, 2, 3, "end"];
    const events = RECORDS.map((record, index) => `id: ${ids[index]}\ndata: ${record}\n\n`);
    assertEquals(await response.text(), events.join(""));
  });

  it("sends one line for each record as NDJSON", async () => {
    const response = toResponse(small(), { format: "ndjson" });
    assertEquals(response.headers.get("content-type"), "application/x-ndjson");
    assertEquals(await response.text(), RECORDS.map((record) => `${record}\n`).join(""));
  });

  it("writes as its documentation shows", async () => {
    const documentation = await readFile(new URL("record.ts", import.meta.url), "utf8");
    const example = documentation.match(/^ \* {5}.*$/gm)!.map((line) => line.slice(2).trim());
    assertEquals(example.join(""), RECORDS.join(""));
  });

  it("reads nothing before it is asked, and no more than it is asked for", async () => {
    const source = new TestSource(...SNAPSHOTS);
    const reader = toResponse(source.stream).body!.getReader();
    await settle();
    assertEquals(source.reads, 0);
    await reader.read();
    await settle();
    assertEquals(source.reads, 1);
  });

  it("cancels the pull when who reads it leaves", async () => {
    const source = new TestSource(...SNAPSHOTS);
    const response = toResponse(source.stream);
    await response.body!.cancel("left");
    assertEquals(source.cancels, ["left"]);
  });

  it("refuses a stream that is locked, and a format that there is not", () => {
    const progress = small();
    const refused = () => toResponse(progress, { format: "toString" as "sse" });
    const { message } = assertThrows(refused, TypeError);
    assertEquals(message, "Cannot use the format toString: it must be sse or ndjson");
    assert(!progress.locked);
    progress.getReader();
    assertThrows(() => toResponse(progress), TypeError);
  });
});

describe("fromResponse", () => {
  it("reads what toResponse sends of a pull", async () => {
    const statuses = [{ status: "pulling manifest" }, { status: "a", ...LAYER }, {
      status: "success",
    }];
    const start = () =>
      pull("m", { fetch: () => new Response(lines(...statuses)), now: standingStill });
    assertEquals(await collect(fromResponse(toResponse(start()))), await collect(start()));
  });

  it("passes over whatever keeps a connection alive", async () => {
    const between = {
      sse: [": ping\n\n", ":\n", "retry: 500\n\n", "event: message\n", "\r\n", "id: 99\n\n"],
      ndjson: ["\n", " \n", "\r\n"],
    };
    await fc.assert(fc.asyncProperty(
      anyProgress,
      fc.constantFrom("sse", "ndjson"),
      fc.infiniteStream(fc.nat()),
      async (progress, format, choices) => {
        const { body, headers } = toResponse(streamProgress(progress), { format });
        const parts: string[] = [];
        for (const bytes of await collect(body!)) {
          const heartbeats = between[format];
          parts.push(heartbeats[choices.next().value! % heartbeats.length]!);
          parts.push(new TextDecoder().decode(bytes));
        }
        const response = new Response(parts.join(""), { headers });
        const { snapshots, failure } = progress;
        assertEquals(await receive(fromResponse(response)), {
          snapshots,
          end: describeEnd(failure),
        });
      },
    ));
  });

  it("goes by the content type, however that is written", async () => {
    for (const type of ["Text/Event-Stream; charset=utf-8", "text/event-stream ;a=b"]) {
      const response = new Response(toResponse(small()).body, {
        headers: { "Content-Type": type },
      });
      assertEquals(await collect(fromResponse(response)), SNAPSHOTS);
    }
    const response = new Response(`${RECORDS.join("\n")}`, {
      headers: { "Content-Type": "text/x" },
    });
    assertEquals(await collect(fromResponse(response)), SNAPSHOTS);
  });

  it("fails with the status and the words of an answer that is none", async () => {
    const init = { status: 429, headers: { "Retry-After": "3" } };
    const response = Response.json({ error: "too many pulls" }, init);
    const error = await pullErrorOf(fromResponse(response));
    const { code, status, message, retryAfterMs } = error;
    assertEquals([code, status, retryAfterMs], ["http", 429, 3_000]);
    assertMatch(message, /: too many pulls$/);
  });

  it("fails with `wrong-address` at a page, and says what it got at another stream", async () => {
    const page = "<!DOCTYPE html><html><title>Log in</title></html>";
    const html = { headers: { "Content-Type": "text/html" } };
    const ofPage = await pullErrorOf(fromResponse(new Response(page, html)));
    assertEquals([ofPage.code, ofPage.reason], ["malformed", "wrong-address"]);
    const ollama = new Response(
      lines({ status: "pulling manifest" }, { status: "success" }),
      LINES,
    );
    const ofOllama = await pullErrorOf(fromResponse(ollama));
    assertEquals([ofOllama.code, ofOllama.line], ["malformed", 1]);
    assertEquals(ofOllama.message, 'Line 1 is no record of a pull: {"status":"pulling manifest"}');
  });

  it("fails with `truncated` at a body that is empty, or absent", async () => {
    for (const body of ["", "\n", ": ping\n\n"]) {
      const error = await pullErrorOf(fromResponse(new Response(body, EVENTS)));
      assertEquals([error.code, error.message], [
        "truncated",
        "The stream ended before the pull did",
      ]);
    }
    const error = await pullErrorOf(fromResponse(new Response(null, { status: 204 })));
    assertEquals(error.code, "truncated");
  });

  it("says after what the records ended, and counts the lines", async () => {
    const cut = await pullErrorOf(fromResponse(new Response(`${RECORDS[0]}\n`, LINES)));
    assertEquals(cut.message, 'The stream ended before the pull did, after "pulling aaaa"');
    const lost = await pullErrorOf(
      fromResponse(new Response(`${RECORDS[0]}\n\n${RECORDS[2]}\n`, LINES)),
    );
    assertEquals([lost.line, lost.retryable], [3, true]);
    assertEquals(
      lost.message,
      "Line 3, record 3, comes after record 1: what is between them was lost",
    );
    const late = await pullErrorOf(fromResponse(new Response(`${RECORDS[1]}\n`, LINES)));
    assertEquals(
      late.message,
      "Line 1, record 2, is the first one to come, but no whole snapshot: what is before it was lost",
    );
  });

  it("fails at a line that is too long, in events too, and as its body fails", async () => {
    for (const format of ["sse", "ndjson"] as const) {
      const response = toResponse(small(), { format });
      const error = await pullErrorOf(fromResponse(response, { maxLineBytes: 100 }));
      assertEquals(error.code, "line-too-long");
    }
    assertThrows(() => fromResponse(new Response(), { maxLineBytes: 0 }), RangeError);
    const broken = new TestSource(utf8(`${RECORDS[0]}\n`));
    const outcome = outcomeOf(fromResponse(new Response(broken.stream, LINES)));
    await settle();
    const reset = new TypeError("reset");
    broken.fail(reset);
    const { values, failure } = await outcome;
    assertEquals(values.length, 1);
    assertStrictEquals(failure?.error, reset);
  });

  it("takes as many layers as a pull may have, and not one more", async () => {
    const layers = Array.from({ length: MAX_LAYERS }, (_, index) => ({
      digest: `sha256:${index.toString(16).padStart(64, "0")}`,
      total: 123_456_789_012,
      completed: 12_345_678_901,
      done: false,
    }));
    const all = { ...SNAPSHOTS[0]!, layers };
    const last = { ...SNAPSHOTS[2]!, layers };
    const most = streamProgress({ snapshots: [all, last], failure: undefined });
    assertEquals((await collect(fromResponse(toResponse(most)))).length, 2);
    const more = { ...last, layers: [...layers, layers[0]!] };
    const tooMany = streamProgress({ snapshots: [all, more], failure: undefined });
    const error = await pullErrorOf(fromResponse(toResponse(tooMany)));
    assertEquals([error.code, error.line], ["malformed", 2]);
  });

  it("locks the body at once, leaves it when left, and refuses one that was read", async () => {
    const source = new TestSource(utf8(`${RECORDS[0]}\n`));
    const response = new Response(source.stream, LINES);
    const progress = fromResponse(response);
    assert(response.body!.locked);
    for await (const { completed } of progress) {
      assertEquals(completed, 25);
      break;
    }
    assertEquals(source.cancels.length, 1);
    assertThrows(() => fromResponse(response), TypeError);
  });

  it("ends with the record of the end, though the body stays open", async () => {
    const all = [...RECORDS, '"anything else"'];
    const source = new TestSource(utf8(all.map((line) => `${line}\n`).join("")));
    assertEquals(await collect(fromResponse(new Response(source.stream, LINES))), SNAPSHOTS);
    assertEquals(source.cancels.length, 1);
  });

  it("reads records that another writer has made", async () => {
    const records: PullRecord[] = await collect(toRecords(small()));
    const body = streamOf(records.map((record) => utf8(`data:${JSON.stringify(record)}\r\n\r\n`)));
    assertEquals(await collect(fromResponse(new Response(body, EVENTS))), SNAPSHOTS);
  });

  it("fails with the error of the pull, whatever that was", async () => {
    const failure = new PullError("truncated", "The stream ended without success");
    const progress = streamProgress({ snapshots: [], failure: { error: failure } });
    const error = await pullErrorOf(fromResponse(toResponse(progress)));
    assertEquals(error.toJSON(), failure.toJSON());
  });
});
