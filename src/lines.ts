/**
 * Finds the lines in bytes that arrive in chunks. It knows nothing of what a line means.
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
const DEFAULT_MAX_LINE_BYTES = 2 ** 20;

/** What is done with the lines. */
export interface LineHandler {
  /**
   * Takes a text of whole lines, each with its newline (the last line of a stream may have none).
   *
   * @param text The lines.
   * @param line The number of the first one, counted from 1.
   * @return How many lines there were.
   */
  takeText(text: string, line: number): number;
  /**
   * Takes the line that starts at a place in the bytes, if it needs no text to be understood. Returns
   * where the next line starts, or -1 if the line was not taken.
   */
  takeBytes?(bytes: DataView, start: number): number;
}

/** Turns chunks of bytes into lines. */
export class LineSplitter {
  /** The start of a line whose newline has not come yet: the first `#heldLength` bytes of `#held`. */
  #held = new Uint8Array(512);
  #heldLength = 0;
  #line = 1;
  readonly #maxLineBytes: number;
  // Without `ignoreBOM` a byte order mark would be removed from the start of every text.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param maxLineBytes The longest line that is accepted, in bytes, its newline not counted. */
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
    let start = 0;
    if (this.#heldLength > 0) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline === -1) return this.#hold(chunk);
      // A newline that comes alone adds nothing to a line whose length was checked already.
      if (newline > 0) this.#checkLength(chunk, this.#heldLength + newline, newline);
      start = newline + 1;
      this.#append(chunk.subarray(0, start));
      this.#takeHeld(handler);
    }
    const end = this.#takeLines(chunk, start, handler);
    if (end < chunk.length) this.#hold(end === 0 ? chunk : chunk.subarray(end));
  }

  /** Takes the end of the stream: what is held is the last line. */
  end(handler: LineHandler): void {
    if (this.#heldLength > 0) this.#takeHeld(handler);
  }

  /** Takes the whole lines of a chunk, and returns where they end. */
  #takeLines(chunk: Uint8Array, start: number, handler: LineHandler): number {
    const mayBeTooLong = chunk.length - start > this.#maxLineBytes;
    const view = handler.takeBytes &&
      new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // To decode many lines at once costs less than to decode each, but none of them is then taken as
    // bytes. So the more often that fails in a row, the more lines are decoded.
    let minBlockBytes = view && !mayBeTooLong ? 1 : chunk.length;
    while (start < chunk.length) {
      const next = view ? handler.takeBytes!(view, start) : -1;
      if (next !== -1) {
        this.#line++;
        start = next;
        minBlockBytes = 1;
        continue;
      }
      const end = mayBeTooLong
        ? this.#endOfLine(chunk, start)
        : endOfBlock(chunk, start, minBlockBytes);
      if (end <= start) break;
      this.#takeText(chunk, start, end, handler);
      start = end;
      minBlockBytes *= 4;
    }
    return start;
  }

  /** Where a line ends, newline included, which may be longer than is accepted; 0 if it does not end. */
  #endOfLine(chunk: Uint8Array, start: number): number {
    const newline = chunk.indexOf(NEWLINE, start);
    if (newline !== -1) this.#checkLength(chunk, newline - start, newline);
    return newline + 1;
  }

  /** Takes the line that is held. */
  #takeHeld(handler: LineHandler): void {
    const length = this.#heldLength;
    this.#heldLength = 0;
    if (handler.takeBytes?.(new DataView(this.#held.buffer, 0, length), 0) === length) this.#line++;
    else this.#takeText(this.#held, 0, length, handler);
  }

  #takeText(bytes: Uint8Array, start: number, end: number, handler: LineHandler): void {
    const isWhole = start === 0 && end === bytes.length;
    const text = this.#utf8.decode(isWhole ? bytes : bytes.subarray(start, end));
    const isMarked = this.#line === 1 && text.startsWith(BYTE_ORDER_MARK);
    this.#line += handler.takeText(isMarked ? text.slice(1) : text, this.#line);
  }

  /** Keeps bytes of a line, if the line is not too long with them. */
  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#checkLength(bytes, this.#heldLength + bytes.length, bytes.length);
    this.#append(bytes);
  }

  /** Fails if the line that ends at a place in the bytes is too long. */
  #checkLength(bytes: Uint8Array, length: number, end: number): void {
    // A carriage return at the end may be part of the newline, so it is not counted.
    const counted = bytes[end - 1] === CARRIAGE_RETURN ? length - 1 : length;
    if (counted <= this.#maxLineBytes) return;
    const line = this.#line;
    const message = `Line ${line} is longer than ${this.#maxLineBytes} bytes`;
    throw new PullError("line-too-long", message, { line });
  }

  #append(bytes: Uint8Array): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      // Twice the room that is needed keeps the work linear for a line that comes in many chunks.
      const held = new Uint8Array(length * 2);
      held.set(this.#held);
      this.#held = held;
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength = length;
  }
}

/** Where lines end that have some number of bytes together, or all that are whole if these are fewer. */
function endOfBlock(chunk: Uint8Array, start: number, minBytes: number): number {
  const newline = chunk.indexOf(NEWLINE, start + minBytes - 1);
  return (newline === -1 && minBytes > 1 ? chunk.lastIndexOf(NEWLINE) : newline) + 1;
}
