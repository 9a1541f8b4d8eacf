/**
 * In which format a client wants the records, by its header `Accept`.
 *
 * @module
 */

import { CONTENT_TYPES, type RecordFormat } from "./response.ts";

/** How much a client wants a media type, and how closely it names it: as itself, by its kind, or as any. */
interface Wish {
  readonly quality: number;
  readonly closeness: number;
}

const NO_WISH: Wish = { quality: 0, closeness: 0 };

/** The format that a client prefers: server-sent events, unless it wants lines more. */
export function acceptedFormat(accept: string | null): RecordFormat {
  const ranges = (accept ?? "*/*").toLowerCase().split(",").map(readRange);
  const events = wishFor(CONTENT_TYPES.sse, ranges);
  const lines = wishFor(CONTENT_TYPES.ndjson, ranges);
  if (lines.quality !== events.quality) return lines.quality > events.quality ? "ndjson" : "sse";
  return lines.quality > 0 && lines.closeness > events.closeness ? "ndjson" : "sse";
}

/** Reads one of the ranges that are accepted, such as `text/*;q=0.5`. */
function readRange(text: string): { range: string; quality: number } {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice("q=".length);
  return { range, quality: quality === undefined ? 1 : Number(quality) || 0 };
}

/** The wish of the range that names a type most closely, which counts alone. */
function wishFor(type: string, ranges: readonly ReturnType<typeof readRange>[]): Wish {
  const names = ["*/*", `${type.split("/")[0]}/*`, type];
  const wishes = ranges.map(({ range, quality }) => ({
    quality,
    closeness: names.indexOf(range) + 1,
  }));
  return wishes.reduce((best, wish) => wish.closeness > best.closeness ? wish : best, NO_WISH);
}
