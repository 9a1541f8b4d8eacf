/**
 * Progress as the body of a response, and back.
 *
 *     progress ──▶ records ──▶ events or lines ── Response ──▶ records ──▶ progress
 *
 * @module
 */

import { answerDecoder, AnswerSource, type RecognizingStep } from "../answer.ts";
import type { Bytes } from "../bytes.ts";
import { NDJSON_TYPE, NdjsonDecoder } from "../ndjson.ts";
import type { PullProgress } from "../snapshot.ts";
import { SourceProducer } from "../streams/producer.ts";
import { createPullStream, type PullStream } from "../streams/pull_stream.ts";
import type { Emit } from "../streams/step.ts";
import type { PullRecord } from "./record.ts";
import { RecordDecoder } from "./record_decoder.ts";
import { readProgress, RecordSource } from "./records.ts";

/** How records are written: as server-sent events, or as newline-delimited JSON. */
export type RecordFormat = "sse" | "ndjson";

/** Options of {@link toResponse}. */
export interface ToResponseOptions {
  /**
   * How the records are written: as server-sent events (`text/event-stream`), which `EventSource` reads,
   * too, or as newline-delimited JSON (`application/x-ndjson`).
   *
   * @default {"sse"}
   */
  format?: RecordFormat | undefined;
}

/** Options of {@link fromResponse}. */
export interface FromResponseOptions {
  /**
   * The longest line that is accepted, in bytes. It has to hold a whole snapshot with all layers.
   *
   * @default {4194304}
   */
  maxLineBytes?: number | undefined;
}

/** Enough for a snapshot of as many layers as a pull may have. */
export const MAX_RECORD_BYTES = 2 ** 22;

/** The content type of each format. */
export const CONTENT_TYPES: Readonly<Record<RecordFormat, string>> = {
  sse: "text/event-stream",
  ndjson: NDJSON_TYPE,
};

const utf8 = new TextEncoder();

/**
 * The id of the event that tells the end. A client that connects again sends it (as `Last-Event-ID`), by
 * which a server knows that there is nothing more to tell.
 */
export const END_ID = "end";

/** A record as it is sent. The id of an event is the number of its record, but for that of the end. */
export function encodeRecord(record: PullRecord, format: RecordFormat): Bytes {
  const json = JSON.stringify(record);
  const id = "end" in record ? END_ID : record.sequence;
  return utf8.encode(format === "sse" ? `id: ${id}\ndata: ${json}\n\n` : `${json}\n`);
}

/** The headers of a response with records: with them, nobody on the way keeps or changes its body. */
export function recordHeaders(format: RecordFormat): Record<string, string> {
  return {
    "Content-Type": CONTENT_TYPES[format],
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
  };
}

/**
 * Makes a response of progress, to be read with {@link fromResponse}. Its status is 200 whatever comes: the
 * last record tells how the pull ended. The format of the records is that of {@link PullRecord}.
 *
 * Nothing is read before it is asked for, and nothing is skipped. Who leaves cancels the pull: for any
 * number of readers of one pull, give each a stream of a {@link PullHub}.
 *
 * ```ts
 * import { pull } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 * import { fromResponse, toResponse } from "@ollama-pull/kit/relay";
 *
 * const { client } = createMockServer(); // leave it out to pull from Ollama
 * const handle = (_: Request) => toResponse(pull("llama3.2", client)); // for Deno.serve and the like
 *
 * const response = handle(new Request("http://localhost/")); // in the page: await fetch(…)
 * for await (const { phase, fraction } of fromResponse(response)) console.log(phase, fraction);
 * ```
 *
 * A page that reads the events with `EventSource` has to close that at the record of the end, or it would
 * connect again, with the header `Last-Event-ID: end`. It also stops if that is answered with 204, as
 * {@link createRelay} does.
 *
 * @param progress The progress, such as {@link pull} gives it. It gets locked.
 * @param options The format.
 * @return The response.
 * @throws {TypeError} If the stream is locked, or there is no such format.
 */
export function toResponse(
  progress: ReadableStream<PullProgress>,
  { format = "sse" }: ToResponseOptions = {},
): Response {
  if (!Object.hasOwn(CONTENT_TYPES, format)) {
    throw new TypeError(`Cannot use the format ${format}: it must be sse or ndjson`);
  }
  const producer = new SourceProducer<PullRecord, Bytes>(new RecordSource(progress), {
    push: (record, emit) => emit(encodeRecord(record, format)),
    end() {},
  });
  const body = createPullStream({ connect: () => producer });
  return new Response(body, { headers: recordHeaders(format) });
}

/** The bytes of lines to snapshots. */
export class RecordLinesDecoder implements RecognizingStep<PullProgress> {
  readonly records = new RecordDecoder();
  readonly recognition = this.records.recognition;
  readonly #lines: NdjsonDecoder;

  constructor(maxLineBytes: number) {
    this.#lines = new NdjsonDecoder({ maxLineBytes });
  }

  push(chunk: Uint8Array, emit: Emit<PullProgress>): void {
    this.#lines.push(chunk, (value, line) => this.records.push(value, emit, line));
  }

  end(emit: Emit<PullProgress>): void {
    this.#lines.end((value, line) => this.records.push(value, emit, line));
    this.records.end();
  }
}

/**
 * Reads the progress that {@link toResponse} has sent, as server-sent events or as lines by the content
 * type of the response. What comes out is what {@link fromRecords} tells. In a page, `fetch` needs the option
 * `cache: "no-store"`: in Firefox, a second page would otherwise wait for up to 20 seconds.
 *
 * Fails as the pull did, and besides with {@link PullError} `truncated` if the body ends before the pull
 * does, `http` if the status is not 2xx, `malformed` at what is no record (for the reason `wrong-address` if
 * nothing is, as in a login page) and where a record is missing, `line-too-long`, and as the body fails.
 *
 * @param response The response.
 * @param options Limits.
 * @return The snapshots. To cancel the stream cancels the body.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 * @throws {TypeError} If the body is locked, or was read already.
 */
export function fromResponse(
  response: Response,
  { maxLineBytes = MAX_RECORD_BYTES }: FromResponseOptions = {},
): PullStream<PullProgress> {
  const lines = new RecordLinesDecoder(maxLineBytes);
  const answer = () => ({ response, url: response.url });
  const step = answerDecoder(answer, lines, maxLineBytes);
  return readProgress(new AnswerSource(response), step, lines.records);
}
