/**
 * Newline-delimited JSON: bytes to values, and back.
 *
 *     bytes ── NdjsonDecoder ──▶ values
 *     values ── NdjsonEncoder ──▶ bytes
 *
 * @module
 */

import { PullError } from "./errors.ts";
import { LineSplitter } from "./lines.ts";
import { handleMalformed, type OnMalformed } from "./malformed.ts";
import { StepStream } from "./streams/pull_stream.ts";
import type { Emit, Step } from "./streams/step.ts";
import { excerptOf, quote } from "./text.ts";

/** The media type of NDJSON. */
export const NDJSON_TYPE = "application/x-ndjson";

/** Options of everything that decodes NDJSON. */
export interface NdjsonDecoderOptions {
  /**
   * The longest line that is accepted, in bytes, without its newline. A longer one fails the stream
   * with `line-too-long`, and is never held in memory as a whole.
   *
   * @default {1048576}
   */
  maxLineBytes?: number | undefined;
  /**
   * What to do with a line that is malformed.
   *
   * @default {"error"}
   */
  onMalformed?: OnMalformed | undefined;
}

/** Whether a JSON value is an object, and not an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A line that holds nothing but the white space of JSON. */
const BLANK = /^[ \t\r]*$/;

/** Called with each value, its line number (counted from 1), and the text of that line. */
export type OnValue = (value: unknown, line: number, text: string) => void;

/** Treats a line that is not JSON. */
type OnBadLine = (text: string, line: number, cause: unknown) => void;

/** Turns lines into JSON values. */
export class LineParser {
  readonly #onMalformed: OnBadLine;

  constructor({ onMalformed = "error" }: NdjsonDecoderOptions) {
    this.#onMalformed = (text, line, cause) => {
      const message = `Line ${line} is not JSON: ${quote(text)}`;
      const details = { line, excerpt: excerptOf(text), cause };
      handleMalformed(new PullError("malformed", message, details), onMalformed);
    };
  }

  /** Parses whole lines, each with its newline, and returns how many there were. */
  parseLines(text: string, firstLine: number, onValue: OnValue): number {
    let line = firstLine;
    for (let start = 0; start < text.length; line++) {
      const end = text.indexOf("\n", start);
      parseLine(text.slice(start, end), line, onValue, this.#onMalformed);
      start = end + 1;
    }
    return line - firstLine;
  }

  /** Parses the last line of a stream, which has no newline, and returns 1, the number of lines. */
  parseLastLine(text: string, line: number, onValue: OnValue): number {
    parseLine(text, line, onValue, failTruncated);
    return 1;
  }
}

function parseLine(text: string, line: number, onValue: OnValue, onBadLine: OnBadLine): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!BLANK.test(text)) onBadLine(text, line, cause);
    return;
  }
  onValue(value, line, text);
}

/** A last line without a newline that is not JSON was cut off. No option lets that pass. */
function failTruncated(text: string, line: number, cause: unknown): never {
  const message = `The stream ended in the middle of line ${line}: ${quote(text)}`;
  throw new PullError("truncated", message, { line, excerpt: excerptOf(text), cause });
}

/** Bytes to JSON values. */
export class NdjsonDecoder implements Step<Uint8Array, unknown> {
  /** The options, for a step that replaces this one. */
  readonly options: NdjsonDecoderOptions;
  readonly #splitter: LineSplitter;
  readonly #parser: LineParser;
  #nonObjectLines: number[] | undefined;

  constructor(options: NdjsonDecoderOptions) {
    this.options = options;
    this.#splitter = new LineSplitter(options.maxLineBytes);
    this.#parser = new LineParser(options);
  }

  /**
   * The line numbers of values that are not objects, collected from now on. The next step removes each
   * number when it gets to the value, so that its errors can name the line.
   */
  trackNonObjectLines(): number[] {
    return this.#nonObjectLines ??= [];
  }

  push(chunk: Uint8Array, emit: OnValue): void {
    const onValue = this.#emitter(emit);
    this.#splitter.push(chunk, {
      takeText: (text, line) => this.#parser.parseLines(text, line, onValue),
    });
  }

  end(emit: OnValue): void {
    const onValue = this.#emitter(emit);
    this.#splitter.end({
      takeText: (text, line) => this.#parser.parseLastLine(text, line, onValue),
    });
  }

  #emitter(emit: OnValue): OnValue {
    const lines = this.#nonObjectLines;
    if (lines === undefined) return emit;
    return (value, line, text) => {
      if (!isJsonObject(value)) lines.push(line);
      emit(value, line, text);
    };
  }
}

/** Values to bytes, one compact line each. */
export class NdjsonEncoder implements Step<unknown, Uint8Array> {
  readonly #utf8 = new TextEncoder();
  #valuesSeen = 0;

  push(value: unknown, emit: Emit<Uint8Array>): void {
    this.#valuesSeen++;
    const json = JSON.stringify(value);
    if (json === undefined) {
      throw new TypeError(`Cannot encode value ${this.#valuesSeen}: JSON has no ${typeof value}`);
    }
    emit(this.#utf8.encode(`${json}\n`));
  }

  end(): void {}
}

/**
 * Decodes a stream of bytes as newline-delimited JSON.
 *
 * Lines end in `\n` or `\r\n`; blank lines and one leading byte order mark are skipped; a last line
 * without a newline counts; bytes that are not UTF-8 become U+FFFD, as in `Response.json()`. The same
 * bytes give the same values however they are cut into chunks.
 *
 * Fails with {@link PullError} `malformed` (a line is not JSON), `line-too-long`, or `truncated` (the
 * bytes end in the middle of a line). The values before the failure are delivered first.
 *
 * ```ts
 * import { NdjsonDecoderStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n').body!;
 * const decoder = new NdjsonDecoderStream();
 * body.pipeThrough(decoder);
 *
 * const values: unknown[] = [];
 * for await (const value of decoder.readable) values.push(value);
 * assertEquals(values, [{ status: "pulling manifest" }, { status: "success" }]);
 * ```
 */
export class NdjsonDecoderStream extends StepStream<Uint8Array, unknown> {
  /**
   * Creates a decoder for one stream.
   *
   * @param options Limits, and what to do with malformed lines.
   * @throws {RangeError} If `maxLineBytes` is not above 0.
   */
  constructor(options: NdjsonDecoderOptions = {}) {
    super(new NdjsonDecoder(options));
  }
}

/**
 * Encodes each value as one compact line of JSON that ends in `\n`.
 *
 * Fails with `TypeError` for a value that JSON cannot express, such as `undefined` or a `bigint`.
 *
 * ```ts
 * import { NdjsonEncoderStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new NdjsonEncoderStream();
 * const text = new Response(encoder.readable).text();
 * const writer = encoder.writable.getWriter();
 * await writer.write({ status: "pulling manifest" });
 * await writer.write({ status: "success" });
 * await writer.close();
 * assertEquals(await text, '{"status":"pulling manifest"}\n{"status":"success"}\n');
 * ```
 */
export class NdjsonEncoderStream extends StepStream<unknown, Uint8Array> {
  /** Creates an encoder. It has no options. */
  constructor() {
    super(new NdjsonEncoder());
  }
}
