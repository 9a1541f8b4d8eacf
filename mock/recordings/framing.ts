/**
 * Faults on the framing of a recorded answer: how its lines end, and which of them share a chunk.
 *
 * @module
 */

import { concatBytes } from "../../src/bytes.ts";
import type { RecordedChunk } from "./recording.ts";

const CR = "\r".charCodeAt(0);
const LF = "\n".charCodeAt(0);

/** How lines are to be framed. */
export interface Framing {
  /** Whether lines end in CR and LF. */
  readonly hasCrLf: boolean;
  /** Whether a blank line follows every line. */
  readonly hasBlankLines: boolean;
  /** Whether the newline after the last line is left out. */
  readonly lacksFinalNewline: boolean;
  /** How many lines share a chunk, or `undefined` for as many as were recorded. */
  readonly linesPerChunk: number | undefined;
}

/** The chunks of an answer, framed in another way. */
export function reframe(
  chunks: readonly RecordedChunk[],
  framing: Framing,
): readonly RecordedChunk[] {
  let framed = chunks;
  if (framing.lacksFinalNewline) framed = dropFinalNewline(framed);
  if (framing.hasCrLf || framing.hasBlankLines) framed = changeEndings(framed, framing);
  const { linesPerChunk } = framing;
  return linesPerChunk === undefined ? framed : joinLines(framed, linesPerChunk);
}

function dropFinalNewline(chunks: readonly RecordedChunk[]): readonly RecordedChunk[] {
  const last = chunks.at(-1);
  if (last?.bytes.at(-1) !== LF) return chunks;
  return [...chunks.slice(0, -1), { ...last, bytes: last.bytes.subarray(0, -1) }];
}

function changeEndings(
  chunks: readonly RecordedChunk[],
  { hasCrLf, hasBlankLines }: Framing,
): readonly RecordedChunk[] {
  const newline = hasCrLf ? [CR, LF] : [LF];
  const ending = Uint8Array.from(hasBlankLines ? [...newline, ...newline] : newline);
  return chunks.map(({ atMs, bytes }) => {
    const parts = splitAfterNewlines(bytes).flatMap((line) =>
      line.at(-1) === LF ? [line.subarray(0, line.at(-2) === CR ? -2 : -1), ending] : [line]
    );
    return { atMs, bytes: concatBytes(parts) };
  });
}

/** Bytes in parts, each of which ends with a newline, but for the last one. */
function splitAfterNewlines(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let newline = bytes.indexOf(LF); newline !== -1; newline = bytes.indexOf(LF, start)) {
    parts.push(bytes.subarray(start, newline + 1));
    start = newline + 1;
  }
  return start < bytes.length ? [...parts, bytes.subarray(start)] : parts;
}

/** Has several lines arrive together, when the last of them arrives. */
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
