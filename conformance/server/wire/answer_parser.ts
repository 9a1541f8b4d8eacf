/**
 * Parses an HTTP/1.1 answer from the bytes of a connection, and keeps what `fetch` hides: when each chunk
 * arrived, how the body was framed, whether it ended as its framing requires, and violations of HTTP.
 *
 *     bytes ── head: status and fields ──▶ framing ──▶ body, chunk by chunk ──▶ end
 *
 * @module
 */

import { concatBytes } from "../../../src/bytes.ts";
import type { Bytes } from "../../generators/bytes.ts";

/** The start of an answer. */
export interface AnswerHead {
  /** The HTTP version, such as `HTTP/1.1`. */
  readonly version: string;
  /** The status. */
  readonly status: number;
  /** The headers: names as they were sent, and values. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Bytes of a body that arrived together. */
export interface ArrivedChunk {
  /** When they arrived, by the reader's clock. */
  readonly atMs: number;
  /** The bytes, without the framing. */
  readonly bytes: Bytes;
}

/**
 * How the end of a body is found (RFC 9112, section 6.3): there is no body, or the body ends at its length,
 * at its last chunk, or with the connection.
 */
export type BodyFraming = "none" | "length" | "chunked" | "close";

/** The current stage. */
type Stage = "head" | "body" | "chunk size" | "chunk" | "chunk end" | "trailers" | "complete";

const LF = "\n".charCodeAt(0);

/**
 * The longest line of a head, in bytes, so that a server that sends no line breaks cannot fill the memory.
 */
const MAX_LINE_BYTES = 64 * 1024;

const STATUS_LINE = /^(HTTP\/\d\.\d) (\d{3})(?: .*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):(.*)$/;
const CHUNK_SIZE = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i;

/** Parses one answer. */
export class AnswerParser {
  readonly #isHead: boolean;
  #stage: Stage = "head";
  #head: AnswerHead | undefined;
  #framing: BodyFraming = "none";
  readonly #chunks: ArrivedChunk[] = [];
  readonly #problems: string[] = [];
  /** The bytes of an incomplete line. */
  #rest: Bytes = new Uint8Array();
  /** The lines of the head so far. */
  #lines: string[] = [];
  /** How many bytes of the body, or of the chunk, are still missing. */
  #bytesLeft = 0;

  /** @param method The method of the request: an answer to HEAD has no body. */
  constructor(method: string) {
    this.#isHead = method === "HEAD";
  }

  /** The start of the answer, once it has arrived. */
  get head(): AnswerHead | undefined {
    return this.#head;
  }

  /** How the end of the body is found. */
  get framing(): BodyFraming {
    return this.#framing;
  }

  /** The body so far. */
  get chunks(): readonly ArrivedChunk[] {
    return this.#chunks;
  }

  /** The violations of HTTP. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Whether the answer has ended as its framing requires. */
  get isComplete(): boolean {
    return this.#stage === "complete";
  }

  /** Takes bytes that have arrived. */
  push(bytes: Bytes, atMs: number): void {
    let rest = bytes;
    while (rest.length > 0) rest = this.#take(rest, atMs);
  }

  /** Notes that the connection has ended. */
  end(): void {
    if (this.#stage === "body" && this.#framing === "close") this.#stage = "complete";
    if (this.#stage === "complete") return;
    this.#problems.push(`The connection ended ${this.#place()}`);
  }

  #place(): string {
    if (this.#stage === "head") {
      return this.#lines.length > 0 ? "within the head" : "before an answer";
    }
    if (this.#stage === "body") return `${this.#bytesLeft} bytes before the end of the body`;
    return "before the last chunk";
  }

  /** Takes some of the bytes. Returns the rest. */
  #take(bytes: Bytes, atMs: number): Bytes {
    switch (this.#stage) {
      case "body":
      case "chunk":
        return this.#takeBody(bytes, atMs);
      case "complete":
        this.#problems.push(`${bytes.length} bytes came after the end of the answer`);
        return new Uint8Array();
      default:
        return this.#takeLine(bytes);
    }
  }

  #takeBody(bytes: Bytes, atMs: number): Bytes {
    const length = Math.min(bytes.length, this.#bytesLeft);
    this.#chunks.push({ atMs, bytes: bytes.slice(0, length) });
    this.#bytesLeft -= length;
    if (this.#bytesLeft === 0) this.#stage = this.#stage === "chunk" ? "chunk end" : "complete";
    return bytes.subarray(length);
  }

  #takeLine(bytes: Bytes): Bytes {
    const newline = bytes.indexOf(LF);
    const end = newline === -1 ? bytes.length : newline + 1;
    this.#rest = concatBytes([this.#rest, bytes.subarray(0, end)]);
    if (this.#rest.length > MAX_LINE_BYTES) return this.#giveUp("A line of the head is too long");
    if (newline === -1) return new Uint8Array();
    const line = new TextDecoder("latin1").decode(this.#rest);
    this.#rest = new Uint8Array();
    if (!line.endsWith("\r\n")) this.#problems.push("A line of the head ends without a CR");
    this.#readLine(line.replace(/\r?\n$/, ""));
    return bytes.subarray(end);
  }

  #readLine(line: string): void {
    switch (this.#stage) {
      case "head":
        if (line !== "" || this.#lines.length === 0) this.#lines.push(line);
        else this.#readHead();
        return;
      case "chunk size":
        return this.#readChunkSize(line);
      case "chunk end":
        if (line !== "") this.#problems.push("A chunk is longer than its size says");
        this.#stage = "chunk size";
        return;
      default: // trailers
        if (line === "") this.#stage = "complete";
        else if (!FIELD.test(line)) this.#problems.push(`A trailer is malformed: ${line}`);
    }
  }

  #readHead(): void {
    const [first = "", ...lines] = this.#lines;
    this.#lines = [];
    const [, version, status] = STATUS_LINE.exec(first) ?? [];
    if (version === undefined) return void this.#giveUp(`The status line is malformed: ${first}`);
    const fields = lines.flatMap((line) => {
      const [, name, value] = FIELD.exec(line) ?? [];
      if (name !== undefined) return [[name, value!.trim()] as const];
      this.#problems.push(`A field is malformed: ${line}`);
      return [];
    });
    if (Number(status) < 200) return; // an interim answer: the final one follows
    this.#head = { version, status: Number(status), fields };
    this.#begin(this.#head);
  }

  /** Determines how the body is framed. */
  #begin({ status, fields }: AnswerHead): void {
    const valuesOf = (wanted: string) =>
      fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
    const lengths = valuesOf("content-length");
    const codings = valuesOf("transfer-encoding");
    if (codings.length > 0 && lengths.length > 0) {
      this.#problems.push("The answer has both a Content-Length and a Transfer-Encoding");
    }
    if (new Set(lengths).size > 1 || lengths.some((length) => !/^\d{1,15}$/.test(length))) {
      return void this.#giveUp(`The Content-Length is malformed: ${lengths.join(", ")}`);
    }
    if (this.#isHead || status === 204 || status === 304) {
      this.#stage = "complete";
    } else if (codings.length > 0) {
      this.#framing = "chunked";
      this.#stage = "chunk size";
      if (codings.join(", ").toLowerCase() !== "chunked") {
        this.#giveUp(`The Transfer-Encoding is ${codings.join(", ")}, which was not requested`);
      }
    } else {
      this.#framing = lengths.length > 0 ? "length" : "close";
      this.#bytesLeft = lengths.length > 0 ? Number(lengths[0]) : Infinity;
      this.#stage = this.#bytesLeft > 0 ? "body" : "complete";
    }
  }

  #readChunkSize(line: string): void {
    const [, size] = CHUNK_SIZE.exec(line) ?? [];
    if (size === undefined) return void this.#giveUp(`The size of a chunk is malformed: ${line}`);
    this.#bytesLeft = Number.parseInt(size, 16);
    this.#stage = this.#bytesLeft > 0 ? "chunk" : "trailers";
  }

  /**
   * Treats the rest as a body without framing, because its end cannot be determined. Without a head, there is
   * no answer.
   */
  #giveUp(problem: string): Bytes {
    this.#problems.push(problem);
    this.#rest = new Uint8Array();
    this.#framing = "close";
    this.#bytesLeft = Infinity;
    this.#stage = this.#head ? "body" : "complete";
    return new Uint8Array();
  }
}
