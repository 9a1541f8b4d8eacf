/**
 * Bytes to statuses in one step, with a short way for the lines that a pull has most of.
 *
 * @module
 */

import { NdjsonDecoder, type NdjsonDecoderOptions } from "./ndjson.ts";
import {
  isByteCount,
  type PullStatus,
  PullStatusDecoder,
  type PullStatusOptions,
} from "./status.ts";
import { readThrough } from "./streams.ts";

/** Options of {@link decodePull}. */
export interface DecodePullOptions extends NdjsonDecoderOptions, PullStatusOptions {}

/**
 * The end of a line that can be known: the last brace ends the object that the line is. (Any other key
 * that ends in these letters, and a number that is none of bytes, would be in `extra`.)
 */
const ENDS_IN_COMPLETED = /completed":\d{1,16}}$/;

/** The code of the digit 0. */
const ZERO = 0x30;

/**
 * Bytes to statuses: {@link NdjsonDecoder} and {@link PullStatusDecoder} in one step, with a short way.
 *
 * Nearly all lines of a pull differ from the one before in nothing but the digits of `completed`:
 *
 *     {"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":42}
 *     ─────────────────────────────── head ─────────────────────────────────
 *
 * Such a line is not parsed. Any other one takes the long way, which alone decides what a line means.
 */
export class PullDecoder extends NdjsonDecoder<PullStatus> {
  readonly #statuses: PullStatusDecoder;
  /** How the lines begin that are known: with a newline, as long as none is. */
  #head = "\n";
  /** What such a line says, but for `completed`. */
  #known!: PullStatus;
  /** The digest in the latest line that took the long way. It takes two in a row to make one known. */
  #digest: string | undefined;

  constructor(options: DecodePullOptions) {
    super(options);
    this.#statuses = new PullStatusDecoder(options);
  }

  override parse(
    text: string,
    line: number,
    emit: (status: PullStatus, line: number) => void,
  ): void {
    let at = this.#head.length;
    if (text.slice(0, at) === this.#head) {
      let completed = 0;
      for (let digit; (digit = text.charCodeAt(at) - ZERO) >= 0 && digit < 10; at++) {
        completed = completed * 10 + digit;
        if (!completed) break; // JSON has no zero before other digits
      }
      if (completed && isByteCount(completed) && text.slice(at) === "}") {
        return emit({ ...this.#known, completed }, line);
      }
    }
    super.parse(text, line, (value) =>
      this.#statuses.push(value, (status) => {
        if (status.digest === this.#digest && !status.extra && ENDS_IN_COMPLETED.test(text)) {
          this.#head = text.slice(0, text.lastIndexOf(":") + 1);
          // Whoever gets a status may change it, but none of those to come.
          this.#known = { ...status };
        }
        this.#digest = status.digest;
        emit(status, line);
      }, line));
  }
}

/**
 * Decodes the body of a pull as typed statuses: {@link NdjsonDecoderStream} and
 * {@link PullStatusStream} in one step, which is faster and knows the line of a malformed value.
 *
 * Ends when the body ends, with or without `success`. Fails with {@link PullError} `malformed`,
 * `line-too-long` or `truncated` (the body ends in the middle of a line), and as the body fails.
 *
 * ```ts
 * import { decodePull } from "@ollama-pull/kit";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n').body!;
 * for await (const status of decodePull(body)) console.log(status.kind); // manifest, success
 * ```
 *
 * @param body The body of the response.
 * @param options Limits, and what to do with malformed lines.
 * @return The statuses. Cancelling it cancels the body.
 */
export function decodePull(
  body: ReadableStream<Uint8Array>,
  options: DecodePullOptions = {},
): ReadableStream<PullStatus> {
  return readThrough(body.getReader(), new PullDecoder(options));
}
