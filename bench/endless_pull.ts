/**
 * The chunks of a pull that may be as long as one likes, without memory for it: two buffers take turns,
 * and in each of them nothing but the digits of `completed` is written anew.
 *
 * @module
 */

import { digestOf } from "./made_pulls.ts";
import { shortDigest } from "../src/digest.ts";

/** How many lines there are in a chunk: 64 KiB, but for a bit. */
export const LINES_A_CHUNK = 400;

/** As many digits in each line: they are written into the same places. */
const FIRST_COMPLETED = 10_000_000_000;
const STEP = 1_000;
const ZERO = 0x30;

/** The size of the one layer, and what is there of it in the end. */
export const ENDLESS_TOTAL = 80_000_000_000;

/** A chunk, whose lines are as long as each other. */
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

  /** Writes how many bytes are there at some lines of the pull. */
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

/** The chunks of a pull of some lines. Each is good until the one after the next is asked for. */
export function* endlessPull(lines: number): Generator<Uint8Array<ArrayBuffer>> {
  const buffers = [new Chunk(), new Chunk()] as const;
  const utf8 = new TextEncoder();
  yield utf8.encode('{"status":"pulling manifest"}\n');
  for (let line = 0, turn = 0; line < lines; line += LINES_A_CHUNK, turn = 1 - turn) {
    yield buffers[turn as 0 | 1].write(line, Math.min(LINES_A_CHUNK, lines - line));
  }
  yield utf8.encode('{"status":"verifying sha256 digest"}\n{"status":"success"}\n');
}
