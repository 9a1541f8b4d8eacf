/**
 * Newline-delimited JSON: bytes to values, and back.
 *
 *     bytes ── NdjsonDecoder ──▶ values
 *     values ── NdjsonEncoder ──▶ bytes
 *
 * What a line is does not depend on how the bytes were cut into chunks: lines are found in the bytes,
 * where a newline is never part of another character, and only whole lines are decoded as UTF-8.
 *
 * @module
 */

import { excerptOf, handleMalformed, type OnMalformed, PullError, quote } from "./errors.ts";
import { type Step, transformPair } from "./streams.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;
const DEFAULT_MAX_LINE_BYTES = 2 ** 20;

/** Options of everything that decodes NDJSON. */
export interface NdjsonDecoderOptions {
  /**
   * The longest line that is accepted, in bytes, its newline not counted. A longer one fails the
   * stream with `line-too-long`, and is never held in memory whole.
   *
   * @default {1048576}
   */
  maxLineBytes?: number;
  /**
   * What to do with a line that is malformed.
   *
   * @default {"error"}
   */
  onMalformed?: OnMalformed;
}

/** Called with each value and the number of its line, counted from 1. */
type OnValue<Value> = (value: Value, line: number) => void;

/** A line that holds nothing but the white space of JSON. */
const BLANK = /^[ \t\r]*$/;

/** Bytes to values: those of JSON, unless a decoder that goes on from here makes more of the lines. */
export class NdjsonDecoder<Value = unknown> implements Step<Uint8Array, Value> {
  /** The start of a line whose newline has not come yet: the first `#heldBytes` of `#held`. */
  #held = new Uint8Array(256);
  #heldBytes = 0;
  #linesSeen = 0;
  #isAtEnd = false;
  readonly #maxLineBytes: number;
  readonly #onMalformed: OnMalformed | undefined;
  // A byte order mark is passed over once, at the start of the stream, and not at that of each line.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor({ maxLineBytes = DEFAULT_MAX_LINE_BYTES, onMalformed }: NdjsonDecoderOptions) {
    if (!(maxLineBytes > 0)) {
      throw new RangeError("maxLineBytes must be above 0");
    }
    this.#maxLineBytes = maxLineBytes;
    this.#onMalformed = onMalformed;
  }

  push(chunk: Uint8Array, emit: OnValue<Value>): void {
    let start = 0;
    while (start < chunk.length) {
      // No line of such a chunk can be too long but one that began before. The others are decoded
      // together, which is faster.
      const together = !this.#heldBytes && chunk.length <= this.#maxLineBytes;
      const end = together ? chunk.lastIndexOf(NEWLINE) : chunk.indexOf(NEWLINE, start);
      if (end < start) return this.#hold(chunk.subarray(start));
      const bytes = chunk.subarray(start, end);
      if (together) this.#decode(bytes, emit);
      else {
        this.#hold(bytes);
        this.#decodeHeld(emit);
      }
      start = end + 1;
    }
  }

  /** Takes the last line, if it has no newline. */
  end(emit: OnValue<Value>): void {
    this.#isAtEnd = true;
    if (this.#heldBytes) this.#decodeHeld(emit);
  }

  /** Keeps bytes of an unfinished line. Doubling the room keeps a line of many chunks linear. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    // A carriage return at the end may be part of the newline. Where nothing is added, the newline came
    // by itself, and what was held before was not too long.
    const last = bytes.at(-1) ?? CARRIAGE_RETURN;
    if (needed - Number(last === CARRIAGE_RETURN) > this.#maxLineBytes) {
      const line = this.#linesSeen + 1;
      const message = `Line ${line} is longer than ${this.#maxLineBytes} bytes`;
      throw new PullError("line-too-long", message, { line });
    }
    if (needed > this.#held.length) {
      const room = new Uint8Array(needed * 2);
      room.set(this.#held);
      this.#held = room;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #decodeHeld(emit: OnValue<Value>): void {
    this.#decode(this.#held.subarray(0, this.#heldBytes), emit);
    this.#heldBytes = 0;
  }

  /** Decodes whole lines, the last one without its newline. */
  #decode(bytes: Uint8Array, emit: OnValue<Value>): void {
    const text = this.#utf8.decode(bytes);
    let start = Number(!this.#linesSeen && text.charCodeAt(0) === BYTE_ORDER_MARK);
    while (start <= text.length) start = this.take(text, start, ++this.#linesSeen, emit) + 1;
  }

  /** Takes the line that begins at a place in the text, and returns where it ends. */
  take(text: string, start: number, line: number, emit: OnValue<Value>): number {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    this.parse(text.slice(start, end), line, emit);
    return end;
  }

  /** Emits what a line is worth, if anything. */
  parse(text: string, line: number, emit: OnValue<Value>): void {
    let value: Value;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      if (BLANK.test(text)) return;
      // A last line that has no newline and is not whole was cut off, whatever it is.
      const cut = this.#isAtEnd;
      const what = cut
        ? `The stream ended in the middle of line ${line}`
        : `Line ${line} is not JSON`;
      const error = new PullError(
        cut ? "truncated" : "malformed",
        `${what}: ${quote(text)}`,
        { line, excerpt: excerptOf(text), cause },
      );
      return handleMalformed(error, cut ? "error" : this.#onMalformed);
    }
    emit(value, line);
  }
}

/** Values to bytes, one compact line each. */
export class NdjsonEncoder implements Step<unknown, Uint8Array> {
  readonly #utf8 = new TextEncoder();

  push(value: unknown, emit: (bytes: Uint8Array) => void): void {
    const json = JSON.stringify(value);
    if (json === undefined) {
      throw new TypeError(`There is no JSON for ${String(value)}`);
    }
    emit(this.#utf8.encode(`${json}\n`));
  }

  end(): void {}
}

/**
 * Decodes a stream of bytes as newline-delimited JSON.
 *
 * Lines end in `\n` or `\r\n`; blank lines and one leading byte order mark are passed over; a last
 * line without a newline counts; bytes that are not UTF-8 become U+FFFD, as in `Response.json()`. The
 * same bytes give the same values however they are cut into chunks.
 *
 * Fails with {@link PullError} `malformed` (a line is not JSON), `line-too-long`, or `truncated` (the
 * bytes end in the middle of a line). The values before the failure are delivered first.
 *
 * ```ts
 * import { NdjsonDecoderStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n').body!;
 * const values = await Array.fromAsync(body.pipeThrough(new NdjsonDecoderStream()));
 * assertEquals(values, [{ status: "pulling manifest" }, { status: "success" }]);
 * ```
 */
export class NdjsonDecoderStream {
  /** The values. */
  declare readonly readable: ReadableStream<unknown>;
  /** The bytes. */
  declare readonly writable: WritableStream<Uint8Array>;

  /**
   * Makes a decoder for one stream.
   *
   * @param options Limits, and what to do with malformed lines.
   */
  constructor(options: NdjsonDecoderOptions = {}) {
    Object.assign(this, transformPair(new NdjsonDecoder(options)));
  }
}

/**
 * Encodes each value as one compact line of JSON that ends in `\n`.
 *
 * Fails with `TypeError` for a value that JSON has no form for, such as `undefined` or a `bigint`.
 *
 * ```ts
 * import { NdjsonEncoderStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const values = ReadableStream.from([{ status: "pulling manifest" }, { status: "success" }]);
 * const text = await new Response(values.pipeThrough(new NdjsonEncoderStream())).text();
 * assertEquals(text, '{"status":"pulling manifest"}\n{"status":"success"}\n');
 * ```
 */
export class NdjsonEncoderStream {
  /** The bytes, one chunk a value. */
  declare readonly readable: ReadableStream<Uint8Array>;
  /** The values. */
  declare readonly writable: WritableStream<unknown>;

  /** Takes no options: there is one way to write a line. */
  constructor() {
    Object.assign(this, transformPair(new NdjsonEncoder()));
  }
}
