/**
 * Clients that split the stream into lines and characters wrongly.
 *
 * @module
 */

import { reportSums } from "./progress.ts";
import { type ClientParts, splitLines } from "./right_client.ts";
import { type StrangerClient, withProgress, withStatuses } from "./specimen.ts";

/**
 * Lines, where a newline counts only outside braces, so that objects may be printed over several lines.
 *
 * @param startStrings Starts to tell whether a character is inside a string, from one to the next.
 */
function splitOutsideBraces(
  startStrings: () => (character: string) => boolean,
): ClientParts["split"] {
  return async function* (texts) {
    const isInString = startStrings();
    let line = "";
    let depth = 0;
    for await (const text of texts) {
      for (const character of text) {
        const counts = !isInString(character);
        if (counts && character === "{") depth++;
        if (counts && character === "}") depth--;
        if (character === "\n" && depth === 0) {
          yield line;
          line = "";
        } else {
          line += character;
        }
      }
    }
    yield line;
  };
}

/** Treats a quote as the end of a string, unless the character before it is a backslash. */
function startCarelessStrings(): (character: string) => boolean {
  let isInString = false;
  let before = "";
  return (character) => {
    if (character === '"' && before !== "\\") isInString = !isInString;
    before = character;
    return isInString;
  };
}

const SCANNER_LIMIT = 64 * 1024;

/** Lines until one is too long. Then the scanner stops, and its error is never checked. */
async function* scanLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of splitLines(texts)) {
    if (line.length > SCANNER_LIMIT) return;
    yield line;
  }
}

/** Text of bytes; what may be the start of a character is kept for the next chunk. */
async function* decodeByHand(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder = new TextDecoder();
  let kept: number[] = [];
  for await (const chunk of chunks) {
    const bytes = [...kept, ...chunk];
    const end = bytes.length - unfinishedBytes(bytes);
    kept = bytes.slice(end);
    if (end === 0) continue;
    yield decoder.decode(Uint8Array.from(bytes.slice(0, end)));
    decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a byte order mark comes first or not at all
  }
  yield decoder.decode(Uint8Array.from(kept));
}

/** How many bytes at the end begin an incomplete character. Looks only at the last two. */
function unfinishedBytes(bytes: readonly number[]): number {
  for (const count of [1, 2]) {
    const byte = bytes.at(-count) ?? 0;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return count < length ? count : 0;
  }
  return 0;
}

async function* splitUnescaped(texts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of splitLines(texts)) yield* line.replaceAll("\\n", "\n").split("\n");
}

function figureOf(line: string, name: string): number | undefined {
  const found = line.match(new RegExp(`"${name}":(\\d+)`))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Clients that cut the stream into lines and characters wrongly. */
export const framingClients: readonly StrangerClient[] = [
  withStatuses({
    name: "counts the braces in strings, too",
    breaks: "C-OBJ-4: unknown statuses do no harm, nor does a brace in one of them",
    how:
      "A status or a reason holds a lone brace; the rest of the pull becomes one endless object.",
    difficulty: "middling",
  }, { split: splitOutsideBraces(() => () => false) }),

  withStatuses({
    name: "takes the quote after an escaped backslash for a part of the string",
    breaks: 'C-FRAME-1: every object is reported; `\\\\"` in JSON is a backslash and the end',
    how: "A reason ends in a path of Windows such as C:\\models\\.",
    difficulty: "hard",
  }, { split: splitOutsideBraces(startCarelessStrings) }),

  withStatuses({
    name: "stops quietly at a line of more than 64 KiB",
    breaks: "C-FRAME-7: a line may be long",
    how:
      "Go's bufio.Scanner with its usual buffer, and an error that nobody asks for: a long line " +
      "ends the pull, which the client calls cut.",
    difficulty: "middling",
  }, { split: scanLines }),

  withStatuses({
    name: "breaks a character of four bytes that is cut after the third",
    breaks: "C-FRAME-3: a character may be split between two chunks",
    how: "An emoji in a status is cut before its last byte; all other cuts are right.",
    difficulty: "hard",
  }, { decode: decodeByHand }),

  withProgress({
    name: "reads figures only where no space comes before them",
    breaks: "C-SUM-3: at the end, every layer counts as complete; JSON allows white space",
    how: 'A compatible server in Python sends {"completed": 5, "total": 10}; the bar stays at 0.',
    difficulty: "middling",
  }, {
    startReport: reportSums({
      bytesOf(_, { line }) {
        const [total, completed] = [figureOf(line, "total"), figureOf(line, "completed")];
        return {
          ...(total !== undefined && { total }),
          ...(completed !== undefined && { completed }),
        };
      },
    }),
  }),

  withStatuses({
    name: "unescapes newlines before it parses a line",
    breaks: "C-ERR-1: an error line is a failure, with its message, of several lines if need be",
    how: "The message that a newer Ollama is needed has several lines: the user sees a JSON error.",
    difficulty: "hard",
  }, { split: splitUnescaped }),
];
