/**
 * The chunks of a pull of any length, without using memory for it: two buffers take turns, and only the
 * digits of `completed` are rewritten in them.
 *
 * @module
 */

import { digestOf } from "./made_pulls.ts";
import { shortDigest } from "../src/digest.ts";

/** How many lines a chunk contains: almost 64 KiB. */
export const LINES_A_CHUNK = 400;

/** The number of digits in each line, which is constant so that they can be overwritten. */
const FIRST_COMPLETED = 10_000_000_000;
const STEP = 1_000;
const ZERO = 0x30;

/** The size of the only layer, and its bytes at the end. */
export const ENDLESS_TOTAL = 80_000_000_000;

/** A chunk whose lines all have the same length. */
class Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lineLength: number;
  readonly #digitsEnd: number;

  constructor() {
    const digest = digestOf(0);
    const line = `{"status":"pulling ${shortDigest(digest)}","digest":"${digest}",` +
      `"total":${ENDLESS_TOTAL},"completed":${FIRST_COMPLETED}}\n`;
    this.bytes = new TextEncoder().encode(line.repeat(LINES_A_CHUNK));
    this.lineLength = line.length;
    this.#digitsEnd = line.length - "}\n".length;
  }

  /** Writes the byte counts into some lines of the pull. */
  write(firstLine: number, lines: number): Uint8Array<ArrayBuffer> {
    for (let line = 0; line < lines; line++) {
      let rest = FIRST_COMPLETED / STEP + firstLine + line;
      let at = line * this.lineLength + this.#digitsEnd - 3; // the step has three zeros
      while (rest > 0) {
        const next = Math.floor(rest / 10);
        this.bytes[--at] = ZERO + rest - next * 10;
        rest = next;
      }
    }
    return this.bytes.subarray(0, lines * this.lineLength);
  }
}

/** The chunks of a pull with a number of lines. Each is valid until the one after the next is requested. */
export function* endlessPull(lines: number): Generator<Uint8Array<ArrayBuffer>> {
  const buffers = [new Chunk(), new Chunk()] as const;
  const utf8 = new TextEncoder();
  yield utf8.encode('{"status":"pulling manifest"}\n');
  for (let line = 0, turn = 0; line < lines; line += LINES_A_CHUNK, turn = 1 - turn) {
    yield buffers[turn as 0 | 1].write(line, Math.min(LINES_A_CHUNK, lines - line));
  }
  yield utf8.encode('{"status":"verifying sha256 digest"}\n{"status":"success"}\n');
}
