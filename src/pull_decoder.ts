/**
 * Bytes to typed statuses in one step, with a fast path for progress lines.
 *
 * @module
 */

import { decodeAnswer, type Recognition, type RecognizingStep } from "./answer.ts";
import { copyStatus, KnownLines } from "./known_lines.ts";
import { type LineHandler, LineSplitter } from "./lines.ts";
import { handleMalformed, type OnMalformed } from "./malformed.ts";
import { LineParser, type NdjsonDecoderOptions, type OnValue } from "./ndjson.ts";
import { notAStatus, type PullStatus, toPullStatus } from "./status.ts";
import type { PullStream } from "./streams/pull_stream.ts";
import type { Emit } from "./streams/step.ts";

/** Options of {@link decodePull}. */
export interface DecodePullOptions extends NdjsonDecoderOptions {
  /**
   * What to do with a line that is not JSON, or not a status object.
   *
   * @default {"error"}
   */
  onMalformed?: OnMalformed | undefined;
}

/**
 * Who owns the statuses that a decoder emits: `copies` belong to the receiver; a `shared` one is
 * emitted again for later lines, which change it.
 */
export type Ownership = "copies" | "shared";

/**
 * Whether all fields are empty (`""` or `null`), as in `"digest":""` from servers that write every field.
 * Then `extra` holds no number that could be mistaken for `completed`, and a shallow copy is enough.
 */
function isEmpty(fields: Readonly<Record<string, unknown>>): boolean {
  return Object.values(fields).every((value) => value === "" || value === null);
}

/**
 * Bytes to statuses. A line that differs from a known one only in `completed` is read from the bytes; any
 * other line is parsed, and known from then on.
 */
export class PullDecoder implements RecognizingStep<PullStatus> {
  readonly recognition: Recognition = { objects: 0, isPull: false };
  readonly #splitter: LineSplitter;
  readonly #parser: LineParser;
  readonly #known: KnownLines;
  readonly #onNonObject: OnMalformed;
  readonly #isShared: boolean;
  /** Takes the statuses of the current chunk. A field, so that no chunk allocates closures. */
  #emit: Emit<PullStatus> = () => {};

  /**
   * @param lineOptions Limits, and what to do with lines that are not JSON.
   * @param valueOptions What to do with values that are not objects.
   * @param ownership Who owns the statuses.
   */
  constructor(
    lineOptions: NdjsonDecoderOptions,
    valueOptions: { onMalformed?: OnMalformed | undefined } = lineOptions,
    ownership: Ownership = "shared",
  ) {
    this.#splitter = new LineSplitter(lineOptions.maxLineBytes);
    this.#parser = new LineParser(lineOptions);
    this.#known = new KnownLines(lineOptions.maxLineBytes);
    this.#onNonObject = valueOptions.onMalformed ?? "error";
    this.#isShared = ownership === "shared";
  }

  push(chunk: Uint8Array, emit: Emit<PullStatus>): void {
    this.#emit = emit;
    this.#splitter.push(chunk, this.#lines);
  }

  end(emit: Emit<PullStatus>): void {
    this.#emit = emit;
    this.#splitter.end(this.#lastLine);
  }

  /** Takes whole lines: known ones as bytes, others as text. */
  readonly #lines: LineHandler = {
    takeBytes: (bytes, start, end) => {
      const known = this.#known;
      const next = known.match(bytes, start, end);
      if (next !== -1) this.#emit(this.#isShared ? known.status : known.copyStatus());
      return next;
    },
    takeText: (text, line) => this.#parser.parseLines(text, line, this.#takeValue),
  };

  readonly #lastLine: LineHandler = {
    takeText: (text, line) => this.#parser.parseLastLine(text, line, this.#takeValue),
  };

  /** Types a value, and remembers its line. */
  readonly #takeValue: OnValue = (value, line, text) => {
    const status = toPullStatus(value);
    if (status === undefined) {
      return handleMalformed(notAStatus(value, `Line ${line}`, line), this.#onNonObject);
    }
    const { recognition } = this;
    recognition.objects++;
    recognition.isPull ||= status.kind !== "other" || status.status !== undefined;
    if (status.extra !== undefined && !isEmpty(status.extra)) return this.#emit(status);
    this.#known.remember(text, status);
    this.#emit(this.#isShared ? status : copyStatus(status));
  };
}

/**
 * Decodes a pull as typed statuses: {@link NdjsonDecoderStream} and {@link PullStatusStream} in one step.
 *
 * Ends when the body ends, with or without `success`. Fails with {@link PullError} `malformed`,
 * `line-too-long` or `truncated` (the body ends in the middle of a line), or with the body's own error.
 * Given a response rather than its body, it also fails with `http` if the status is not 2xx, and with
 * `malformed`, reason `wrong-address`, if the answer is not a pull but, say, a login page.
 *
 * ```ts
 * import { decodePull } from "@ollama-pull/kit";
 *
 * const response = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n');
 * for await (const status of decodePull(response)) console.log(status.kind); // manifest, success
 * ```
 *
 * @param source The response, or its body.
 * @param options Limits, and what to do with malformed lines.
 * @return The statuses. Cancelling the stream cancels the body.
 * @throws {RangeError} If `maxLineBytes` is not above 0.
 * @throws {TypeError} If the body is locked or was already read.
 */
export function decodePull(
  source: ReadableStream<Uint8Array> | Response,
  options: DecodePullOptions = {},
): PullStream<PullStatus> {
  return decodeAnswer(source, new PullDecoder(options, options, "copies"), options.maxLineBytes);
}
