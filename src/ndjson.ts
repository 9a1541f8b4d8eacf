/**
 * Newline-delimited JSON: bytes to values, and back.
 *
 *     bytes ── LineDecoder ──▶ lines ── NdjsonDecoder ──▶ values
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
const DEFAULT_MAX_LINE_BYTES = 1024 * 1024;

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

/** Called with each whole line, without its newline, and its number, counted from 1. */
type OnLine = (line: string, number: number) => void;

/** Cuts bytes into lines. */
export class LineDecoder {
  /** The start of a line whose newline has not come yet: the first `#heldBytes` of `#held`. */
  #held = new Uint8Array(256);
  #heldBytes = 0;
  #linesSeen = 0;
  readonly #maxLineBytes: number;
  // A byte order mark is passed over once, at the start of the stream, and not at that of each line.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(maxLineBytes: number = DEFAULT_MAX_LINE_BYTES) {
    if (!(maxLineBytes > 0)) {
      throw new RangeError("maxLineBytes must be above 0");
    }
    this.#maxLineBytes = maxLineBytes;
  }

  /** Takes a chunk and hands on the lines that it ends. */
  push(chunk: Uint8Array, onLine: OnLine): void {
    let start = 0;
    let end: number;
    while ((end = chunk.indexOf(NEWLINE, start)) !== -1) {
      this.#hold(chunk.subarray(start, end));
      this.#handOn(this.#takeHeld(), onLine);
      start = end + 1;
      if (chunk.length > this.#maxLineBytes) continue;
      // None of the other lines can be too long: they are decoded together, which is faster.
      end = chunk.lastIndexOf(NEWLINE);
      if (end < start) break;
      const lines = this.#utf8.decode(chunk.subarray(start, end)).split("\n");
      for (const line of lines) this.#handOn(line, onLine);
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  /** Takes the end of the bytes and hands on the last line, if it has no newline. */
  end(onLine: OnLine): void {
    if (this.#heldBytes) this.#handOn(this.#takeHeld(), onLine);
  }

  #handOn(line: string, onLine: OnLine): void {
    const isMarked = !this.#linesSeen && line.charCodeAt(0) === BYTE_ORDER_MARK;
    onLine(isMarked ? line.slice(1) : line, ++this.#linesSeen);
  }

  /** Keeps bytes of an unfinished line. Doubling the room keeps a line of many chunks linear. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    // A carriage return at the end may be part of the newline.
    if (needed - Number(bytes.at(-1) === CARRIAGE_RETURN) > this.#maxLineBytes) {
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

  #takeHeld(): string {
    const line = this.#utf8.decode(this.#held.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
    return line;
  }
}

/** A line that holds nothing but the white space of JSON. */
const BLANK = /^[ \t\r]*$/;

/** Bytes to values, each with the number of its line. */
export class NdjsonDecoder implements Step<Uint8Array, unknown> {
  readonly #lines: LineDecoder;
  readonly #onMalformed: OnMalformed | undefined;
  #isAtEnd = false;

  constructor(options: NdjsonDecoderOptions) {
    this.#lines = new LineDecoder(options.maxLineBytes);
    this.#onMalformed = options.onMalformed;
  }

  push(chunk: Uint8Array, emit: (value: unknown, line: number) => void): void {
    this.#lines.push(chunk, (text, line) => this.#parse(text, line, emit));
  }

  end(emit: (value: unknown, line: number) => void): void {
    this.#isAtEnd = true;
    this.#lines.end((text, line) => this.#parse(text, line, emit));
  }

  #parse(text: string, line: number, emit: (value: unknown, line: number) => void): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      if (BLANK.test(text)) return;
      // A last line that has no newline and is not whole was cut off, whatever it is.
      const cut = this.#isAtEnd;
      const what = cut
        ? `The stream ended in the middle of line ${line}`
        : `Line ${line} is not JSON`;
      const details = { line, excerpt: excerptOf(text), cause };
      const error = new PullError(
        cut ? "truncated" : "malformed",
        `${what}: ${quote(text)}`,
        details,
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
