/**
 * Finds the lines in bytes that arrive in chunks. It does not look at what a line means.
 *
 * Newlines are found in the bytes, where a newline is never part of another character, and only whole
 * lines are decoded as UTF-8. So the lines do not depend on how the bytes were cut into chunks.
 *
 * @module
 */

import { PullError } from "./errors.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = "\ufeff";

/** The default for the longest line that is accepted, in bytes. */
export const DEFAULT_MAX_LINE_BYTES = 2 ** 20;

/**
 * A chunk of up to this many bytes is appended to the held bytes. That costs less than a new view of the
 * chunk, and a line that began in an earlier chunk needs no special case.
 */
const MAX_COPIED_BYTES = 4_096;

/** Receives the lines. */
export interface LineHandler {
  /**
   * Takes whole lines as text, each with its newline (the last line of a stream may have none).
   *
   * @param text The lines.
   * @param line The number of the first one, counted from 1.
   * @return How many lines there were.
   */
  takeText(text: string, line: number): number;
  /**
   * Takes the line at `start` directly from the bytes, if it can do so without decoding it to text.
   *
   * @param bytes The bytes.
   * @param start Where the line starts.
   * @param end Where the last whole line ends.
   * @return Where the next line starts, or -1 if the line was not taken.
   */
  takeBytes?(bytes: DataView, start: number, end: number): number;
}

/** Turns chunks of bytes into lines. */
export class LineSplitter {
  /** The start of a line whose newline has not come yet: the first `#heldLength` bytes of `#held`. */
  #held = new Uint8Array(512);
  #heldView = viewOf(this.#held);
  #heldLength = 0;
  #line = 1;
  readonly #maxLineBytes: number;
  // Without `ignoreBOM` a byte order mark would be removed from the start of every text.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param maxLineBytes The longest line that is accepted, in bytes, without its newline. */
  constructor(maxLineBytes: number = DEFAULT_MAX_LINE_BYTES) {
    if (!(maxLineBytes > 0)) {
      throw new RangeError(`Cannot use the maxLineBytes ${maxLineBytes}: it must be above 0`);
    }
    this.#maxLineBytes = maxLineBytes;
  }

  /** Takes the next chunk. */
  push(chunk: Uint8Array, handler: LineHandler): void {
    if (!ArrayBuffer.isView(chunk)) {
      const type = typeof chunk;
      throw new TypeError(`Cannot decode a chunk of type ${type}: it must be a Uint8Array`);
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) return this.#hold(chunk);
    if (chunk.length <= MAX_COPIED_BYTES) return this.#pushCopy(chunk, end, handler);
    let start = 0;
    if (this.#heldLength > 0) {
      start = chunk.indexOf(NEWLINE) + 1;
      this.#pushCopy(chunk.subarray(0, start), start, handler);
    }
    this.#takeLines(chunk, viewOf(chunk), start, end, handler);
    this.#hold(chunk.subarray(end));
  }

  /** Ends the stream: the held bytes are the last line. */
  end(handler: LineHandler): void {
    if (this.#heldLength > 0) this.#takeText(this.#held, 0, this.#heldLength, handler);
  }

  /** Appends a chunk to the held bytes, takes all whole lines, and holds the rest. */
  #pushCopy(chunk: Uint8Array, endInChunk: number, handler: LineHandler): void {
    const end = this.#heldLength + endInChunk;
    this.#append(chunk);
    this.#takeLines(this.#held, this.#heldView, 0, end, handler);
    this.#held.copyWithin(0, end, this.#heldLength);
    this.#heldLength -= end;
    this.#checkLength(this.#held, 0, this.#heldLength);
  }

  /** Takes lines, the last of which ends at `end`. */
  #takeLines(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    handler: LineHandler,
  ): void {
    const mayBeTooLong = end - start > this.#maxLineBytes;
    // Decoding many lines at once costs less than decoding each, but then `takeBytes` sees none of them.
    // So each time in a row that `takeBytes` declines, the next block of text is four times as long.
    let minBlockBytes = handler.takeBytes ? 1 : end;
    while (start < end) {
      const next = handler.takeBytes?.(view, start, end) ?? -1;
      if (next !== -1) {
        this.#line++;
        start = next;
        minBlockBytes = 1;
        continue;
      }
      const lastByte = mayBeTooLong ? start : Math.min(start + minBlockBytes, end) - 1;
      const blockEnd = bytes.indexOf(NEWLINE, lastByte) + 1;
      if (mayBeTooLong) this.#checkLength(bytes, start, blockEnd - 1);
      this.#takeText(bytes, start, blockEnd, handler);
      start = blockEnd;
      minBlockBytes *= 4;
    }
  }

  #takeText(bytes: Uint8Array, start: number, end: number, handler: LineHandler): void {
    const isWhole = start === 0 && end === bytes.length;
    const text = this.#utf8.decode(isWhole ? bytes : bytes.subarray(start, end));
    const isMarked = this.#line === 1 && text.startsWith(BYTE_ORDER_MARK);
    this.#line += handler.takeText(isMarked ? text.slice(1) : text, this.#line);
  }

  /** Keeps bytes of a line whose newline has not come yet. */
  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const length = this.#heldLength + bytes.length;
    if (length - 1 > this.#maxLineBytes) this.#failTooLong();
    this.#append(bytes);
    this.#checkLength(this.#held, 0, length);
  }

  #append(bytes: Uint8Array): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      // Doubling keeps the work linear for a line that arrives in many chunks.
      const held = new Uint8Array(length * 2);
      held.set(this.#held.subarray(0, this.#heldLength));
      this.#held = held;
      this.#heldView = viewOf(held);
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength = length;
  }

  /** Fails if a line, or the part of it that has arrived, is too long. */
  #checkLength(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= this.#maxLineBytes) return;
    // Do not count a final carriage return: it may belong to the newline.
    if (bytes[end - 1] !== CARRIAGE_RETURN || length - 1 > this.#maxLineBytes) this.#failTooLong();
  }

  #failTooLong(): never {
    const line = this.#line;
    const message = `Line ${line} is longer than ${this.#maxLineBytes} bytes`;
    throw new PullError("line-too-long", message, { line });
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
