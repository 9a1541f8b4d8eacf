/**
 * Reads a recorded answer line by line, to find how far its download was, and of which layers.
 *
 * @module
 */

import { concatBytes } from "../../src/bytes.ts";
import { isJsonObject } from "../../src/ndjson.ts";
import { isByteCount } from "../../src/status.ts";
import { bytesOf, type FaultPoint, FIRST_BYTE } from "../faults/points.ts";
import type { RecordedChunk } from "./recording.ts";

const NEWLINE = "\n".charCodeAt(0);

/** A line of a recorded answer. */
export interface RecordedLine {
  /** The offset in bytes at which it begins. */
  readonly start: number;
  /** The offset after it, its newline included. */
  readonly end: number;
  /** Its fields. Empty if the line is not an object. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The lines of an answer. */
export function linesOf(chunks: readonly RecordedChunk[]): readonly RecordedLine[] {
  const bytes = concatBytes(chunks.map((chunk) => chunk.bytes));
  const lines: RecordedLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    lines.push({ start, end, fields: fieldsOf(bytes.subarray(start, end)) });
    start = end;
  }
  return lines;
}

function fieldsOf(line: Uint8Array): RecordedLine["fields"] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(line));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** The line that reports `success`, if there is one. */
export function successOf(lines: readonly RecordedLine[]): RecordedLine | undefined {
  return lines.find(({ fields }) => fields.status === "success");
}

/** The error message of the answer, if there is one. */
export function errorOf(lines: readonly RecordedLine[]): string | undefined {
  const words = lines.map(({ fields }) => fields.error).find((error) => typeof error === "string");
  return words as string | undefined;
}

/** The sizes in bytes of the layers that lines report, by digest. */
export function sizesOf(lines: readonly RecordedLine[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { fields: { digest, total } } of lines) {
    if (typeof digest === "string" && isByteCount(total)) sizes.set(digest, total);
  }
  return sizes;
}

/**
 * The offset of a point in the bytes of an answer, or `undefined` if they end before it. A number of bytes is
 * exact; a percentage is the end of the first line that reports as much.
 *
 * @param point The point.
 * @param lines The lines of the answer.
 * @param digestOf The digest of the layer at a position.
 */
export function offsetOf(
  { line, byte, completed, layer }: FaultPoint,
  lines: readonly RecordedLine[],
  digestOf: (layer: number | string) => string | undefined,
): number | undefined {
  if (byte !== undefined) return byte;
  if (line !== undefined) return lines[line - 1]?.start;
  const sizes = sizesOf(lines);
  const digest = layer === undefined ? undefined : digestOf(layer);
  if (layer !== undefined && (digest === undefined || !sizes.has(digest))) return undefined;
  const counted = digest === undefined ? [...sizes.keys()] : [digest];
  const total = counted.reduce((sum, each) => sum + sizes.get(each)!, 0);
  const wanted = bytesOf(completed ?? (digest === undefined ? 0 : FIRST_BYTE), total);
  const reported = new Map<unknown, number>();
  return lines.find(({ fields }) => {
    if (isByteCount(fields.completed)) reported.set(fields.digest, fields.completed);
    const sum = counted.reduce((sum, each) => sum + (reported.get(each) ?? 0), 0);
    return (comesAfterDownload(fields) ? total : sum) >= wanted;
  })?.end;
}

/** Whether a line shows that all layers are complete, even small ones that were never reported. */
function comesAfterDownload({ status }: RecordedLine["fields"]): boolean {
  return typeof status === "string" && /^(?:verifying|writing|success)/.test(status);
}

/** Where the next line begins, at or after an offset: faults that send a line do not split another one. */
export function lineStartFrom(
  offset: number,
  lines: readonly RecordedLine[],
): number | undefined {
  if (offset === 0) return 0;
  return lines.find(({ end }) => end >= offset)?.end;
}
