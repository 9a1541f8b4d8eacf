/**
 * Shows that what is written of a recording is what is read of it, whatever the bytes and times.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { formatRecording } from "./format.ts";
import { parseRecording } from "./parse.ts";
import type { RecordedExchange, Recording } from "./recording.ts";
import { chunkLists, exchangeOf, recordingOf } from "./test_helpers.ts";

const words = fc.string({ unit: "grapheme" });

const exchanges: fc.Arbitrary<RecordedExchange> = fc.record({
  startedAtMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
  request: fc.record({ url: words, body: fc.oneof(words, fc.object(), fc.constant(null)) }),
  chunks: chunkLists,
  how: fc.constantFrom("whole", "broken", "left"),
  waited: fc.integer({ min: 0, max: 1_000 }),
  status: fc.integer({ min: 200, max: 599 }),
  contentType: fc.constantFrom(null, "application/x-ndjson", "text/html; charset=utf-8"),
}).map(({ startedAtMs, request, chunks, how, waited, status, contentType }) => ({
  startedAtMs,
  request: { ...request, body: JSON.parse(JSON.stringify(request.body)) },
  answer: { atMs: 0, status, contentType },
  chunks,
  end: { atMs: (chunks.at(-1)?.atMs ?? 0) + waited, how },
}));

const unanswered: fc.Arbitrary<RecordedExchange> = fc.constant({
  ...exchangeOf([], { atMs: 3, how: "broken", reason: "connection refused" }),
  answer: undefined,
});

const recordings: fc.Arbitrary<Recording> = fc.record({
  exchanges: fc.array(fc.oneof(exchanges, unanswered), { maxLength: 4 }),
  more: fc.constantFrom({}, { server: "0.34.1" }, {
    layers: [{ digest: "sha256:a", size: 3 }, { digest: "sha256:b", size: 0, mediaType: "x" }],
  }),
}).map(({ exchanges, more }) => ({ ...recordingOf(...exchanges), ...more }));

describe("formatRecording", () => {
  it("writes what parseRecording reads: the same bytes at the same times", () => {
    fc.assert(fc.property(recordings, (recording) => {
      assertEquals(parseRecording(formatRecording(recording)), recording);
    }));
  });

  it("writes text that is read the same with other line breaks, and with blank lines", () => {
    fc.assert(fc.property(recordings, (recording) => {
      const text = formatRecording(recording).replaceAll("\n", "\r\n\r\n");
      assertEquals(parseRecording(text), recording);
    }));
  });

  it("keeps a byte order mark", () => {
    const chunks = [{ atMs: 0, bytes: new TextEncoder().encode("\ufeff{}\n") }];
    const text = formatRecording(recordingOf(exchangeOf(chunks)));
    assertEquals(parseRecording(text).exchanges[0]?.chunks, chunks);
  });

  it("writes characters as text, and as Base64 only where a chunk cuts one in two", () => {
    const bytes = new TextEncoder().encode("größe");
    const chunks = [bytes.subarray(0, 3), bytes.subarray(3)].map((bytes) => ({ atMs: 0, bytes }));
    const text = formatRecording(recordingOf(exchangeOf(chunks), exchangeOf([{ atMs: 0, bytes }])));
    assertStringIncludes(text, '{"exchange":1,"atMs":0,"base64":"Z3LD"}\n');
    assertStringIncludes(text, '{"exchange":2,"atMs":0,"text":"größe"}\n');
  });
});
