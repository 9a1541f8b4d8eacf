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
      throw new RangeError(`maxLineBytes must be more than 0, got ${maxLineBytes}`);
    }
    this.#maxLineBytes = maxLineBytes;
  }

  /** Takes a chunk and hands on the lines that it ends. */
  push(chunk: Uint8Array, onLine: OnLine): void {
    let start = 0;
    if (this.#heldBytes > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#hold(end === -1 ? chunk : chunk.subarray(0, end));
      if (end === -1) return;
      onLine(this.#takeHeld(), this.#linesSeen);
      start = end + 1;
    }
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= start) {
      this.#splitBlock(chunk.subarray(start, end), onLine);
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  /** Takes the end of the bytes and returns the last line, if it has no newline, and its number. */
  end(): { line: string; number: number } | undefined {
    if (this.#heldBytes === 0) return undefined;
    return { line: this.#takeHeld(), number: this.#linesSeen };
  }

  /** Hands on the lines of a block, whose last line has its newline cut off. */
  #splitBlock(block: Uint8Array, onLine: OnLine): void {
    // A block within the limit has no line beyond it, which spares nearly every block the search.
    const end = block.length <= this.#maxLineBytes ? block.length : this.#endOfShortLines(block);
    if (end >= 0) this.#splitText(this.#utf8.decode(block.subarray(0, end)), onLine);
    if (end < block.length) throw this.#tooLong();
  }

  /** Where the lines before the first one that is too long end, or -1 where that is the first. */
  #endOfShortLines(block: Uint8Array): number {
    let start = 0;
    while (start <= block.length) {
      const newline = block.indexOf(NEWLINE, start);
      const end = newline === -1 ? block.length : newline;
      if (this.#isTooLong(block.subarray(start, end))) return start - 1;
      start = end + 1;
    }
    return block.length;
  }

  #splitText(text: string, onLine: OnLine): void {
    let start = 0;
    let end: number;
    while ((end = text.indexOf("\n", start)) !== -1) {
      this.#handOn(text.slice(start, end), onLine);
      start = end + 1;
    }
    this.#handOn(text.slice(start), onLine);
  }

  #handOn(line: string, onLine: OnLine): void {
    this.#linesSeen++;
    onLine(this.#linesSeen === 1 ? withoutByteOrderMark(line) : line, this.#linesSeen);
  }

  /** Keeps bytes of an unfinished line. Doubling the room keeps a line of many chunks linear. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    // No more is copied than shows that the line is too long.
    if (needed > this.#maxLineBytes + 1) throw this.#tooLong();
    if (needed > this.#held.length) {
      const room = new Uint8Array(Math.max(needed, this.#held.length * 2));
      room.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = room;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
    if (this.#isTooLong(this.#held.subarray(0, needed))) throw this.#tooLong();
  }

  #isTooLong(line: Uint8Array): boolean {
    // A carriage return at the end is part of the newline.
    return line.length - Number(line.at(-1) === CARRIAGE_RETURN) > this.#maxLineBytes;
  }

  #takeHeld(): string {
    const line = this.#utf8.decode(this.#held.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
    this.#linesSeen++;
    return this.#linesSeen === 1 ? withoutByteOrderMark(line) : line;
  }

  #tooLong(): PullError {
    const line = this.#linesSeen + 1;
    const message = `Line ${line} is longer than ${this.#maxLineBytes} bytes`;
    return new PullError("line-too-long", message, { line });
  }
}

function withoutByteOrderMark(line: string): string {
  return line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line;
}

/** Whether a line holds nothing but the white space of JSON. */
function isBlank(line: string): boolean {
  return line.length === 0 || (line.charCodeAt(0) <= 0x20 && /^[ \t\r]*$/.test(line));
}

/** Bytes to values, each with the number of its line. */
export class NdjsonDecoder implements Step<Uint8Array, unknown> {
  readonly #lines: LineDecoder;
  readonly #onMalformed: OnMalformed | undefined;

  constructor(options: NdjsonDecoderOptions = {}) {
    this.#lines = new LineDecoder(options.maxLineBytes);
    this.#onMalformed = options.onMalformed;
  }

  push(chunk: Uint8Array, emit: (value: unknown, line: number) => void): void {
    this.#lines.push(chunk, (line, number) => this.#parse(line, number, emit));
  }

  end(emit: (value: unknown, line: number) => void): void {
    const last = this.#lines.end();
    if (!last || isBlank(last.line)) return;
    const { line, number } = last;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new PullError(
        "truncated",
        `The stream ended in the middle of line ${number}: ${quote(line)}`,
        { line: number, excerpt: excerptOf(line), cause },
      );
    }
    emit(value, number);
  }

  #parse(line: string, number: number, emit: (value: unknown, line: number) => void): void {
    if (isBlank(line)) return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const message = `Line ${number} is not JSON: ${quote(line)}`;
      const details = { line: number, excerpt: excerptOf(line), cause };
      return handleMalformed(new PullError("malformed", message, details), this.#onMalformed);
    }
    emit(value, number);
  }
}

/** Values to bytes, one compact line each. */
export class NdjsonEncoder implements Step<unknown, Uint8Array> {
  readonly #utf8 = new TextEncoder();

  push(value: unknown, emit: (bytes: Uint8Array) => void): void {
    const json = JSON.stringify(value);
    if (json === undefined) {
      throw new TypeError(`Cannot encode ${String(value)}: it has no form in JSON`);
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
  readonly readable: ReadableStream<unknown>;
  /** The bytes. */
  readonly writable: WritableStream<Uint8Array>;

  /**
   * Makes a decoder for one stream.
   *
   * @param options Limits, and what to do with malformed lines.
   */
  constructor(options: NdjsonDecoderOptions = {}) {
    ({ readable: this.readable, writable: this.writable } = transformPair(
      new NdjsonDecoder(options),
    ));
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
  readonly readable: ReadableStream<Uint8Array>;
  /** The values. */
  readonly writable: WritableStream<unknown>;

  /** Takes no options: there is one way to write a line. */
  constructor() {
    ({ readable: this.readable, writable: this.writable } = transformPair(new NdjsonEncoder()));
  }
}
