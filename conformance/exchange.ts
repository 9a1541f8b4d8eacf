/**
 * A request and its answer, in a form that shows every byte and can be stored as JSON.
 *
 * @module
 */

/** A request and its answer. */
export interface Exchange {
  /** The request: method, path and body. */
  readonly request: string;
  /** The answer, or `undefined` if there was none. */
  readonly answer?: ExchangeAnswer;
}

/** An answer. */
export interface ExchangeAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string | null;
  /** The chunks of the body, each with its bytes as {@link showBytes} shows them. */
  readonly chunks: readonly string[];
  /** How the body ended. */
  readonly ending: AnswerEnding;
}

/**
 * How an answer's body ends: normally, by a broken connection, or not at all, because nothing more comes or
 * because its last chunk is repeated over and over.
 */
export type AnswerEnding = "end" | "reset" | "hang" | "repeat";

/** How many characters of a chunk, and how many chunks, are shown: enough for any shrunken example. */
const MAX_SHOWN_CHARACTERS = 600;
const MAX_SHOWN_CHUNKS = 200;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes as text: complete characters as they are, other bytes as `\xNN`, and line breaks and tabs as `\n`,
 * `\r` and `\t`.
 */
export function showBytes(bytes: Uint8Array): string {
  // A character has at most four bytes, so the rest would not be shown anyway.
  const text = [...decodable(bytes.subarray(0, 4 * (MAX_SHOWN_CHARACTERS + 1)))].join("")
    .replace(/[\n\r\t]/g, (space) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[space]!);
  return text.length <= MAX_SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, MAX_SHOWN_CHARACTERS)}… (${bytes.length} bytes)`;
}

function* decodable(bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length;) {
    const length = characterLength(bytes[start]!);
    const character = bytes.subarray(start, start + length);
    try {
      const text = strictUtf8.decode(character);
      yield isControl(text) ? escapeBytes(character) : text;
      start += length;
    } catch {
      yield escapeBytes(bytes.subarray(start, start + 1));
      start++;
    }
  }
}

function characterLength(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

function isControl(character: string): boolean {
  return !/[\n\r\t]/.test(character) && /\p{Cc}|\p{Cf}/u.test(character);
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Chunks as {@link showBytes} shows them. */
export function showChunks(chunks: readonly Uint8Array[]): string[] {
  const shown = chunks.slice(0, MAX_SHOWN_CHUNKS).map(showBytes);
  const left = chunks.length - shown.length;
  return left > 0 ? [...shown, `… and ${left} more chunks`] : shown;
}
