/**
 * Reframes a recorded answer: changes how its lines end, and how many share a chunk.
 *
 * @module
 */

import { concatBytes } from "../../src/bytes.ts";
import type { LinePlace } from "../pull/behaviour.ts";
import type { RecordedChunk } from "./recording.ts";

const CR = "\r".charCodeAt(0);
const LF = "\n".charCodeAt(0);

/** How to frame lines. */
export interface Framing {
  /** What ends a line. */
  readonly endingOf: (place: LinePlace) => string;
  /** How many lines share a chunk, or `undefined` to keep the recorded chunks. */
  readonly linesPerChunk: number | undefined;
}

const utf8 = new TextEncoder();

/** The chunks of an answer in another framing. */
export function reframe(
  chunks: readonly RecordedChunk[],
  { endingOf, linesPerChunk }: Framing,
): readonly RecordedChunk[] {
  const framed = changeEndings(chunks, endingOf);
  return linesPerChunk === undefined ? framed : joinLines(framed, linesPerChunk);
}

/** Replaces the newlines, except those that should stay as recorded. */
function changeEndings(
  chunks: readonly RecordedChunk[],
  endingOf: Framing["endingOf"],
): readonly RecordedChunk[] {
  const within = endingOf("within");
  const last = endingOf("last");
  const lastIndex = chunks.length - 1;
  return chunks.map(({ atMs, bytes }, index) => {
    const lines = splitAfterNewlines(bytes);
    const parts = lines.flatMap((line, lineIndex) => {
      const isLast = index === lastIndex && lineIndex === lines.length - 1;
      const ending = isLast ? last : within;
      if (ending === "\n" || line.at(-1) !== LF) return [line];
      return [line.subarray(0, line.at(-2) === CR ? -2 : -1), utf8.encode(ending)];
    });
    return { atMs, bytes: concatBytes(parts) };
  });
}

/** Splits bytes after each newline. */
function splitAfterNewlines(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let newline = bytes.indexOf(LF); newline !== -1; newline = bytes.indexOf(LF, start)) {
    parts.push(bytes.subarray(start, newline + 1));
    start = newline + 1;
  }
  return start < bytes.length ? [...parts, bytes.subarray(start)] : parts;
}

/** Joins several lines into one chunk, which arrives when the last of them did. */
function joinLines(chunks: readonly RecordedChunk[], lines: number): readonly RecordedChunk[] {
  const joined: RecordedChunk[] = [];
  let [held, heldLines]: [RecordedChunk[], number] = [[], 0];
  const flush = () => {
    const last = held.at(-1);
    if (!last) return;
    joined.push({ atMs: last.atMs, bytes: concatBytes(held.map(({ bytes }) => bytes)) });
    [held, heldLines] = [[], 0];
  };
  for (const chunk of chunks) {
    held.push(chunk);
    heldLines += chunk.bytes.filter((byte) => byte === LF).length;
    if (heldLines >= lines) flush();
  }
  flush();
  return joined;
}
