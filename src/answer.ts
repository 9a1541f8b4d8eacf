/**
 * Decodes an answer to `POST /api/pull`, which may come from anything: Ollama, a gateway in its place, a
 * login page. Decides whether it is a pull at all.
 *
 *     Response ── AnswerSource ──▶ bytes ── AnswerDecoder ──▶ output of the decoder
 *
 * @module
 */

import { concatBytes } from "./bytes.ts";
import { PullError } from "./errors.ts";
import { titleOfPage } from "./error_words.ts";
import { describeDetour, httpError, readErrorBody } from "./http_error.ts";
import { showHost } from "./host.ts";
import { DEFAULT_MAX_LINE_BYTES } from "./lines.ts";
import { fromEvents, isEventStream } from "./server_sent_events.ts";
import { type ReadResult, type Source, SourceProducer } from "./streams/producer.ts";
import { createPullStream, type PullStream, streamFrom } from "./streams/pull_stream.ts";
import type { Emit, Step } from "./streams/step.ts";
import { quote } from "./text.ts";

/**
 * Decodes a response, or only a body, as a stream. A body alone does not say where it came from, so it is
 * not checked whether it is a pull.
 */
export function decodeAnswer<Output>(
  source: ReadableStream<Uint8Array> | Response,
  decoder: RecognizingStep<Output>,
  maxLineBytes: number | undefined,
): PullStream<Output> {
  if ("getReader" in source) return streamFrom(source, decoder);
  const answer = () => ({ response: source, url: source.url });
  const producer = new SourceProducer(
    new AnswerSource(source),
    answerDecoder(answer, decoder, maxLineBytes),
  );
  return createPullStream({ connect: () => producer });
}

/**
 * Decodes the body of an answer according to its content type: as server-sent events or, by default, as
 * lines.
 *
 * @param answer Returns the answer. Called once there are bytes.
 * @param decoder Decodes the pull.
 * @param maxLineBytes The longest object over several lines that is read, in bytes.
 */
export function answerDecoder<Output>(
  answer: () => Answer,
  decoder: RecognizingStep<Output>,
  maxLineBytes: number | undefined,
): Step<Uint8Array, Output> {
  const lines = new AnswerDecoder(answer, decoder, maxLineBytes);
  let step: Step<Uint8Array, Output> | undefined;
  const choose = () => {
    const type = answer().response.headers.get("content-type");
    return step = isEventStream(type) ? fromEvents(lines) : lines;
  };
  return {
    push: (chunk, emit) => (step ?? choose()).push(chunk, emit),
    end: (emit) => (step ?? choose()).end(emit),
  };
}

/** The bytes of an answer. The body is locked at once. */
export class AnswerSource implements Source<Uint8Array> {
  readonly #response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** @throws {TypeError} If the body was read already. */
  constructor(response: Response) {
    if (response.bodyUsed) {
      throw new TypeError("Cannot read the response: its body was read already");
    }
    this.#response = response;
    this.#reader = response.body?.getReader();
  }

  /** @throws {PullError} `http`, if the status of the answer is not 2xx. */
  async read(): Promise<ReadResult<Uint8Array>> {
    const response = this.#response;
    if (!response.ok) throw httpError(response, await readErrorBody(() => this.#readBody()));
    return this.#readBody();
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#reader?.cancel(reason) ?? Promise.resolve();
  }

  #readBody(): Promise<ReadResult<Uint8Array>> {
    return this.#reader?.read() ?? Promise.resolve({ done: true });
  }
}

/** A decoder of pulls that notices whether its input is one. */
export interface RecognizingStep<Output> extends Step<Uint8Array, Output> {
  /** How many objects have arrived, and whether one of them belongs to a pull. */
  readonly recognition: Recognition;
}

/** What a decoder has seen so far. */
export interface Recognition {
  /** How many objects have arrived. */
  objects: number;
  /** Whether one of them had a field of the protocol. */
  isPull: boolean;
}

/** An answer, and the address it came from; empty for a `Response` that was constructed. */
export interface Answer {
  readonly response: Response;
  readonly url: string;
}

/** What an answer looks like: a page, one object over several lines, or lines. */
type Shape = "unknown" | "page" | "object" | "lines";

/** How many bytes of an answer are kept, to describe it if it turns out not to be a pull. */
const MAX_KEPT_BYTES = 4_096;

/** How many characters are enough to recognize a page: `<!doctype` and a few more. */
const MIN_PAGE_LENGTH = 16;

/**
 * Decodes the body of an answer, or fails with `wrong-address` if it is not a pull.
 *
 * An object over several lines (the first line is just `{`) is rewritten as one line.
 */
class AnswerDecoder<Output> implements Step<Uint8Array, Output> {
  readonly #answer: () => Answer;
  readonly #decoder: RecognizingStep<Output>;
  readonly #maxObjectBytes: number;
  /** The start of the answer, as far as it is needed to recognize or describe it. */
  readonly #start: Uint8Array[] = [];
  #startLength = 0;
  #shape: Shape = "unknown";

  constructor(
    answer: () => Answer,
    decoder: RecognizingStep<Output>,
    maxObjectBytes: number = DEFAULT_MAX_LINE_BYTES,
  ) {
    this.#answer = answer;
    this.#decoder = decoder;
    this.#maxObjectBytes = maxObjectBytes;
  }

  push(chunk: Uint8Array, emit: Emit<Output>): void {
    const decoder = this.#decoder;
    if (this.#shape === "lines" && decoder.recognition.isPull) return decoder.push(chunk, emit);
    if (this.#shape === "lines") {
      this.#keep(chunk, MAX_KEPT_BYTES);
      return this.#attempt(() => decoder.push(chunk, emit));
    }
    this.#keep(chunk, Infinity);
    if (this.#shape === "unknown") this.#shape = shapeOf(this.#startBytes());
    if (this.#shape === "lines") return this.#attempt(() => decoder.push(this.#startBytes(), emit));
    if (this.#shape === "page" && isTold(this.#startBytes())) this.#failAsWrongAddress();
    if (this.#shape === "object" && this.#startLength > this.#maxObjectBytes) {
      const message = `The object of several lines is longer than ${this.#maxObjectBytes} bytes`;
      throw new PullError("line-too-long", message, { line: 1 });
    }
  }

  end(emit: Emit<Output>): void {
    const decoder = this.#decoder;
    if (this.#shape === "page") this.#failAsWrongAddress();
    this.#attempt(() => {
      if (this.#shape !== "lines" && this.#startLength > 0) {
        decoder.push(onOneLine(this.#startBytes()), emit);
      }
      decoder.end(emit);
    });
    const isBlank = startOf(this.#startBytes()) === "";
    if (!decoder.recognition.isPull && !isBlank) this.#failAsWrongAddress();
  }

  /** Decodes. If that fails and nothing so far looks like a pull, the address is wrong. */
  #attempt(decode: () => void): void {
    try {
      decode();
    } catch (error) {
      if (this.#mayBePull(error)) throw error;
      this.#failAsWrongAddress(error as PullError);
    }
  }

  #mayBePull(error: unknown): boolean {
    const { objects, isPull } = this.#decoder.recognition;
    const start = startOf(this.#startBytes());
    if (!(error instanceof PullError) || isPull || start === "") return true;
    if (error.code === "truncated") return start.startsWith("{") && objects === 0;
    return error.code !== "malformed" || start.startsWith("{");
  }

  #failAsWrongAddress(cause?: PullError): never {
    const { response, url } = this.#answer();
    const type = response.headers.get("content-type");
    const where = url === "" ? "The answer" : `The answer of ${showHost(new URL(url))}`;
    const what = `${describeContent(this.#startBytes())}${type ? ` (${type})` : ""}`;
    const message = `${where} is not a pull, but ${what}${describeDetour(response)}`;
    const { status } = response;
    const details = { status, reason: "wrong-address", retryable: false, cause };
    throw new PullError("malformed", message, details);
  }

  #keep(chunk: Uint8Array, maxLength: number): void {
    if (this.#startLength >= maxLength) return;
    this.#start.push(chunk.slice(0, maxLength - this.#startLength));
    this.#startLength += Math.min(chunk.length, maxLength - this.#startLength);
  }

  #startBytes(): Uint8Array {
    return concatBytes(this.#start);
  }
}

/** What an answer looks like from its first bytes; `unknown` until there are enough of them. */
function shapeOf(bytes: Uint8Array): Shape {
  const start = startOf(bytes);
  if (start === "" || /^\{[ \t\r]*$/.test(start)) {
    return bytes.length < MAX_KEPT_BYTES ? "unknown" : "lines";
  }
  if (start.startsWith("<") && start.length < MIN_PAGE_LENGTH && !start.includes("\n")) {
    return "unknown";
  }
  if (titleOfPage(start) !== undefined) return "page";
  return /^\{[ \t\r]*\n/.test(start) ? "object" : "lines";
}

/** Whether enough of a page has arrived to describe it. */
function isTold(bytes: Uint8Array): boolean {
  return bytes.length >= MAX_KEPT_BYTES || /<\/title/i.test(startOf(bytes));
}

/** The start of an answer as text, without leading white space. */
function startOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, MAX_KEPT_BYTES)).trimStart();
}

/** Describes what came instead of a pull. Depends only on the bytes, not on how they were cut. */
function describeContent(bytes: Uint8Array): string {
  const start = startOf(bytes);
  const title = titleOfPage(start);
  if (title === undefined) return quote(start.split("\n", 1)[0]!.trimEnd());
  return title === "" ? "a page without a title" : `a page titled ${quote(title)}`;
}

/** Rewrites an object over several lines as one line. Anything else is returned unchanged. */
function onOneLine(bytes: Uint8Array): Uint8Array {
  try {
    return new TextEncoder().encode(JSON.stringify(JSON.parse(new TextDecoder().decode(bytes))));
  } catch {
    return bytes;
  }
}
