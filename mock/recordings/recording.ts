/**
 * Recordings of pulls: the requests, and the answers byte by byte with their times.
 *
 *     pull --record FILE ── recorder.ts ──▶ FILE ── parse.ts ──▶ Recording ──▶ mock --replay FILE
 *
 * A file has one JSON object per line, which a person can read and attach to a bug report. `format.ts` writes
 * it; `parse.ts` reads it and checks every line. This is version 1 of the format:
 *
 * ```json
 * {"format":"ollama-pull-recording","version":1,"recordedAt":"2026-11-29T15:00:00.000Z","recordedBy":"@ollama-pull/kit 0.1.0","server":"0.34.1"}
 * {"exchange":1,"startedAtMs":0,"request":{"url":"http://127.0.0.1:11434/api/pull","body":{"model":"llama3.2"}}}
 * {"exchange":1,"atMs":12.5,"answer":{"status":200,"contentType":"application/x-ndjson"}}
 * {"exchange":1,"atMs":17.2,"text":"{\"status\":\"pulling manifest\"}\n"}
 * {"exchange":1,"atMs":80,"base64":"4oI="}
 * {"exchange":1,"atMs":95.1,"end":"broken","reason":"connection reset by peer"}
 * ```
 *
 * - The first line identifies the file. Its `server` and `layers` are optional.
 * - Each request is an exchange, numbered from 1, so a pull with retries has several. Exchanges may overlap.
 *   `startedAtMs` is when the request was made, in milliseconds since the recording began; each `atMs` is in
 *   milliseconds since the request, and never less than the one before it.
 * - The body of a request is its JSON, or text if it was not JSON. Only `model`, `name`, `insecure` and
 *   `stream` of it are recorded, and only scheme, host, port and path of the address: no credentials.
 * - `answer` has the status, the content type (`null` if there is none) and the `Retry-After`, if any. An
 *   exchange without it was never answered.
 * - Each chunk that arrived is a line: as `text` if its bytes are valid UTF-8, and otherwise (as when it ends
 *   inside a character) as `base64`. What the server sends is recorded unchanged, so review it before you
 *   publish it.
 * - `end` says how the body ended: `whole` (completely), `broken` (the connection failed), or `left` (the
 *   client disconnected). If an exchange has no `end`, its recorder was killed; it is read as `left`.
 *
 * Readers ignore unknown fields. The version changes when existing readers would misunderstand a recording.
 *
 * @module
 */

import type { Bytes } from "../../src/bytes.ts";

/** The `format` in the first line of a file. */
export const FORMAT = "ollama-pull-recording";

/** The newest version of the format. */
export const VERSION = 1;

/** A recording of one or more pulls, as {@link parseRecording} reads it from a file. */
export interface Recording {
  /** The version of the format. */
  readonly version: 1;
  /** When it began: a date and time in the form of ISO 8601. */
  readonly recordedAt: string;
  /** The program that recorded it, such as `@ollama-pull/kit 0.1.0`. */
  readonly recordedBy: string;
  /** The version of the server, with or without its name, if known. */
  readonly server?: string | undefined;
  /** The layers of the model, if known from elsewhere. */
  readonly layers?: readonly RecordedLayer[] | undefined;
  /** The requests and their answers, in the order of the requests. */
  readonly exchanges: readonly RecordedExchange[];
}

/** A layer of a recorded model. */
export interface RecordedLayer {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
  /** The media type, which says what the layer contains. */
  readonly mediaType?: string | undefined;
}

/** A request, and what came back. */
export interface RecordedExchange {
  /** When the request was made, in milliseconds since the recording began. */
  readonly startedAtMs: number;
  /** The request. */
  readonly request: RecordedRequest;
  /** The status and headers, or `undefined` if the server never answered. */
  readonly answer: RecordedAnswer | undefined;
  /** The body, chunk by chunk. */
  readonly chunks: readonly RecordedChunk[];
  /** How it ended. */
  readonly end: RecordedEnd;
}

/** A recorded request. */
export interface RecordedRequest {
  /** The address, without user name, password, query and fragment. */
  readonly url: string;
  /** The body: JSON, text if it was not JSON, or `undefined` if it was empty. */
  readonly body: unknown;
}

/** The status and headers of an answer. */
export interface RecordedAnswer {
  /** When it arrived, in milliseconds since the request. */
  readonly atMs: number;
  /** The HTTP status, from 200 to 599. */
  readonly status: number;
  /** The `Content-Type`, or `null` if there was none. */
  readonly contentType: string | null;
  /** The `Retry-After`, if there was one. */
  readonly retryAfter?: string | undefined;
}

/** Bytes that arrived together. */
export interface RecordedChunk {
  /** When they arrived, in milliseconds since the request. */
  readonly atMs: number;
  /** The bytes. */
  readonly bytes: Bytes;
}

/** How an exchange ended. */
export interface RecordedEnd {
  /** When, in milliseconds since the request. */
  readonly atMs: number;
  /** `whole` (completely), `broken` (the connection failed) or `left` (the client disconnected). */
  readonly how: "whole" | "broken" | "left";
  /** For `broken`: the reason, in the runtime's words. */
  readonly reason?: string | undefined;
}
