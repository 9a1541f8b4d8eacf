/**
 * Writes recordings, line by line.
 *
 * @module
 */

import {
  FORMAT,
  type RecordedAnswer,
  type RecordedChunk,
  type RecordedEnd,
  type RecordedExchange,
  type Recording,
  VERSION,
} from "./recording.ts";

/** The header of a recording, known when it begins. */
export type RecordingHeader = Omit<Recording, "version" | "exchanges">;

/**
 * Writes a recording as the text of a file.
 *
 * @param recording The recording.
 * @return A text that {@link parseRecording} reads.
 */
export function formatRecording(recording: Recording): string {
  const exchanges = recording.exchanges.flatMap((exchange, index) => {
    const lines = new ExchangeLines(index + 1);
    return [
      lines.request(exchange),
      ...(exchange.answer ? [lines.answer(exchange.answer)] : []),
      ...exchange.chunks.map((chunk) => lines.chunk(chunk)),
      lines.end(exchange.end),
    ];
  });
  return [headerLine(recording), ...exchanges].join("");
}

/** The first line of a recording. */
export function headerLine(header: RecordingHeader): string {
  const { recordedAt, recordedBy, server } = header;
  const layers = header.layers?.map(({ digest, size, mediaType }) => ({ digest, size, mediaType }));
  return lineOf({ format: FORMAT, version: VERSION, recordedAt, recordedBy, server, layers });
}

/** Writes the lines of one exchange. */
export class ExchangeLines {
  readonly #exchange: number;

  /**
   * Starts an exchange.
   *
   * @param exchange Its number, counted from 1.
   */
  constructor(exchange: number) {
    this.#exchange = exchange;
  }

  /** The line of the request. */
  request({ startedAtMs, request }: Pick<RecordedExchange, "startedAtMs" | "request">): string {
    const { url, body } = request;
    return lineOf({ exchange: this.#exchange, startedAtMs, request: { url, body } });
  }

  /** The line of the answer's status and headers. */
  answer({ atMs, status, contentType, retryAfter }: RecordedAnswer): string {
    const answer = { status, contentType, retryAfter };
    return lineOf({ exchange: this.#exchange, atMs, answer });
  }

  /** The line of a chunk. */
  chunk({ atMs, bytes }: RecordedChunk): string {
    return lineOf({ exchange: this.#exchange, atMs, ...writeBytes(bytes) });
  }

  /** The line of the end. */
  end({ atMs, how, reason }: RecordedEnd): string {
    return lineOf({ exchange: this.#exchange, atMs, end: how, reason });
  }
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

// A byte order mark is kept: it is part of what was sent.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function writeBytes(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    const characters = Array.from(bytes, (byte) => String.fromCharCode(byte));
    return { base64: btoa(characters.join("")) };
  }
}
