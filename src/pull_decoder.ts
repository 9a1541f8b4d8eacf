/**
 * Bytes to statuses in one step, with a short way for the lines that a pull has most of.
 *
 * @module
 */

import { NdjsonDecoder, type NdjsonDecoderOptions } from "./ndjson.ts";
import {
  isByteCount,
  type Mutable,
  type PullStatus,
  PullStatusDecoder,
  type PullStatusOptions,
} from "./status.ts";
import { readThrough } from "./streams.ts";

/** Options of {@link decodePull}. */
export interface DecodePullOptions extends NdjsonDecoderOptions, PullStatusOptions {}

/**
 * A line with a number of bytes: what comes before the digits of it, and what after. What comes after
 * has no `m` and no escape, so that there is no other `completed` in it, which would count instead.
 */
const COMPLETED = /^(.*completed": *)[1-9]\d*( *[,}][^\\m]*)$/;

/** The code of the digit 0. */
const ZERO = 0x30;

/** How many lines are known at most, and how long they are: 10 million characters in all. */
const MAX_KNOWN = 10_000;
const MAX_KNOWN_LENGTH = 1_000;

/** Lines that are alike but for the digits of `completed`, or altogether where that is 0 or absent. */
interface KnownLine {
  /** What comes before the digits, and after them. */
  readonly head: string;
  readonly tail: string;
  /** What such a line says, with the number of the latest one. */
  readonly status: Mutable<PullStatus>;
  /** The line that came next the last time, if it was another one. */
  next?: KnownLine | undefined;
}

/**
 * Bytes to statuses: {@link NdjsonDecoder} and {@link PullStatusDecoder} in one step, with a short way.
 *
 * Nearly all lines of a pull differ from an earlier one in nothing but the digits of `completed`:
 *
 *     {"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":42}
 *     ─────────────────────────────── head ───────────────────────────────── ── tail
 *
 * Where layers take turns, they keep their order: which line comes is known from the one before. A line
 * that is as expected is not parsed. Any other one takes the long way, which alone decides what a line
 * means.
 */
export class PullDecoder extends NdjsonDecoder<PullStatus> {
  readonly #copy: (status: PullStatus) => PullStatus;
  readonly #statuses: PullStatusDecoder;
  readonly #known = new Map<string, KnownLine>();
  /** What the line before was one of, if that is known. */
  #latest: KnownLine | undefined;

  /**
   * Makes a decoder for one stream.
   *
   * @param options Limits, and what to do with malformed lines.
   * @param copy What to give instead of a status, which the next line may change.
   */
  constructor(options: DecodePullOptions, copy = (status: PullStatus) => status) {
    super(options);
    this.#copy = copy;
    this.#statuses = new PullStatusDecoder(options);
  }

  override take(
    text: string,
    start: number,
    line: number,
    emit: (status: PullStatus, line: number) => void,
  ): number {
    return this.#skip(text, start, line, emit) ?? super.take(text, start, line, emit);
  }

  /** Takes a line that is as expected, and returns where it ends. */
  #skip(
    text: string,
    start: number,
    line: number,
    emit: (status: PullStatus, line: number) => void,
  ): number | undefined {
    const expected = this.#latest?.next ?? this.#latest;
    if (!expected) return;
    const { head, tail, status } = expected;
    let at = start + head.length;
    if (text.slice(start, at) !== head) return;
    let completed = 0;
    for (let digit; (digit = text.charCodeAt(at) - ZERO) >= 0 && digit < 10; at++) {
      completed = completed * 10 + digit;
      if (!completed) return; // JSON has no zero before other digits
    }
    const end = at + tail.length;
    if (
      !status.completed === !completed && isByteCount(completed) &&
      text.slice(at, end) === tail && (end === text.length || text[end] === "\n")
    ) {
      this.#latest = expected;
      if (completed) status.completed = completed;
      emit(this.#copy(status), line);
      return end;
    }
    return undefined;
  }

  override parse(
    text: string,
    line: number,
    emit: (status: PullStatus, line: number) => void,
  ): void {
    super.parse(text, line, (value) =>
      this.#statuses.push(value, (status) => {
        if (!status.extra) this.#learn(text, status);
        emit(this.#copy(status), line);
      }, line));
  }

  /** Has a line known from now on, and expected where it was this time. */
  #learn(text: string, status: PullStatus): void {
    const [, head = text, tail = ""] = COMPLETED.exec(text) ?? [];
    const key = `${head}\n${tail}`;
    let known = this.#known.get(key);
    if (!known && this.#known.size < MAX_KNOWN && text.length <= MAX_KNOWN_LENGTH) {
      // Cut out of the key: parts of the text would keep all of it, which is that of a chunk, in memory.
      known = {
        head: key.slice(0, head.length),
        tail: key.slice(head.length + 1),
        status,
      };
      this.#known.set(key, known);
    }
    if (this.#latest) this.#latest.next = known;
    this.#latest = known;
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
  return readThrough(body.getReader(), new PullDecoder(options, (status) => ({ ...status })));
}
