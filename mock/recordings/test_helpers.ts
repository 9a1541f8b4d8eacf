/**
 * Helpers for the tests of recordings: a small recording, and arbitrary ones of any bytes at any times.
 *
 * @module
 */

import fc from "fast-check";
import type { RecordedChunk, RecordedEnd, RecordedExchange, Recording } from "./recording.ts";

/** A time on a grid of eighths of a millisecond, so that sums and differences are exact. */
const gaps = fc.integer({ min: 0, max: 80_000 }).map((eighths) => eighths / 8);

const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 12 })
  .map((text) => new TextEncoder().encode(text));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((some) => new Uint8Array(some));

/** Arbitrary bytes that arrived at arbitrary times. */
export const chunkLists: fc.Arbitrary<RecordedChunk[]> = fc.array(
  fc.record({ gap: gaps, bytes: fc.oneof(texts, bytes) }),
  { maxLength: 8 },
).map((parts) => {
  let atMs = 0;
  return parts.map(({ gap, bytes }) => ({ atMs: atMs += gap, bytes }));
});

/** An exchange for a model with these bytes. It is complete unless `end` says otherwise. */
export function exchangeOf(
  chunks: readonly RecordedChunk[],
  end: Partial<RecordedEnd> = {},
  model = "recorded",
): RecordedExchange {
  return {
    startedAtMs: 0,
    request: { url: "http://127.0.0.1:11434/api/pull", body: { model, stream: true } },
    answer: { atMs: 0, status: 200, contentType: "application/x-ndjson" },
    chunks,
    end: { atMs: chunks.at(-1)?.atMs ?? 0, how: "whole", ...end },
  };
}

/** A recording of exchanges. */
export function recordingOf(...exchanges: readonly RecordedExchange[]): Recording {
  return {
    version: 1,
    recordedAt: "2026-11-29T15:00:00.000Z",
    recordedBy: "@ollama-pull/kit 0.1.0",
    exchanges,
  };
}

/** Lines that arrive one by one, at an interval in milliseconds. */
export function linesEvery(ms: number, ...objects: readonly object[]): RecordedChunk[] {
  return objects.map((object, index) => ({
    atMs: index * ms,
    bytes: new TextEncoder().encode(`${JSON.stringify(object)}\n`),
  }));
}

/** A body whose chunks arrive at their times, and the clock. */
export function arriving(
  chunks: readonly RecordedChunk[],
): { body: ReadableStream<Uint8Array>; now: () => number } {
  let time = 0;
  const arrivals = chunks.values();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = arrivals.next();
      if (done) return controller.close();
      time = value.atMs;
      controller.enqueue(value.bytes);
    },
  }, { highWaterMark: 0 });
  return { body, now: () => time };
}
