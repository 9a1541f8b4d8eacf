/**
 * Pulls from a server under test, and records what it sends.
 *
 * @module
 */

import type { PullStatus } from "../../mod.ts";
import { concatBytes } from "../../src/bytes.ts";
import { toPullStatus } from "../../src/status.ts";
import type { Bytes } from "../generators/bytes.ts";
import { type AnswerEnding, type Exchange, showChunks } from "../exchange.ts";
import { type CheckRun, Inconclusive, Violation } from "../rule.ts";
import type { OpenServer } from "./subject.ts";

/** A request for a pull, or a similar one. */
export interface PullRequest {
  /** The body: an object to encode as JSON, a text or bytes to send unchanged, or `undefined` for none. */
  readonly body: unknown;
  /** The headers. @default {{ "Content-Type": "application/json" }} */
  readonly headers?: Readonly<Record<string, string>>;
  /** The method. @default {"POST"} */
  readonly method?: string;
  /** The path. @default {"/api/pull"} */
  readonly path?: string;
  /** The pieces in which to send the body, without its length. @default whole, with its length */
  readonly pieces?: Pieces;
}

/** The pieces of a body. */
export interface Pieces {
  /** The size of each, in bytes. */
  readonly bytes: number;
  /** The wait before each, in milliseconds. */
  readonly pauseMs: number;
}

/** An answer of a server. */
export interface Transcript {
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string | null;
  /** The `Content-Encoding`, if the runtime shows it. */
  readonly contentEncoding: string | null;
  /** The body as it arrived, chunk by chunk. */
  readonly chunks: readonly Bytes[];
  /** Milliseconds from the request to each of the chunks. */
  readonly arrivedAfterMs: readonly number[];
  /** Milliseconds from the request to the first chunk, or `elapsedMs` if there is none. */
  readonly firstAfterMs: number;
  /** Milliseconds from the request to the end of the answer, or to now if it has not ended. */
  readonly elapsedMs: number;
  /** The body as text. */
  readonly text: string;
  /** The objects in the body, up to the first that cannot be read. */
  readonly statuses: readonly PullStatus[];
  /** The request and the answer, for reports. */
  readonly exchange: Exchange;
}

/** Converts the received chunks. */
export function transcriptOf(
  received: Omit<Transcript, "firstAfterMs" | "text" | "statuses">,
): Transcript {
  const { chunks, arrivedAfterMs, elapsedMs } = received;
  return {
    ...received,
    firstAfterMs: arrivedAfterMs[0] ?? elapsedMs,
    text: new TextDecoder().decode(concatBytes(chunks)),
    statuses: decode(chunks),
  };
}

/** A pull that is being answered. */
export class ActivePull {
  readonly #response: Response;
  readonly #request: string;
  /** The milliseconds since the request. */
  readonly #elapsed: () => number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #run: CheckRun;
  readonly #chunks: Bytes[] = [];
  readonly #arrivedAfterMs: number[] = [];
  readonly #lines = new StatusLines();
  /** How the body ended. `hang` means that it is still open. */
  #ending: AnswerEnding = "hang";

  constructor(response: Response, request: string, elapsed: () => number, run: CheckRun) {
    this.#run = run;
    this.#response = response;
    this.#request = request;
    this.#elapsed = elapsed;
    this.#reader = response.body?.getReader();
    if (!this.#reader) this.#ending = "end";
  }

  /** Reads until the statuses so far are enough, or to the end. */
  async readUntil(isEnough: (statuses: readonly PullStatus[]) => boolean): Promise<void> {
    while (this.#ending === "hang" && !isEnough(this.#lines.statuses)) await this.#readChunk();
  }

  /** Reads to the end. */
  async readToEnd(): Promise<void> {
    while (this.#ending === "hang") await this.#readChunk();
  }

  /** Reads to the end, and returns everything that was sent. */
  async readAll(): Promise<Transcript> {
    await this.readToEnd();
    return this.transcript();
  }

  /** Closes the connection without reading the rest. */
  async leave(): Promise<void> {
    if (this.#ending === "hang") await this.#reader?.cancel();
  }

  /** What was sent so far. */
  transcript(): Transcript {
    return transcriptOf({
      ...this.#head,
      contentEncoding: this.#response.headers.get("Content-Encoding"),
      chunks: this.#chunks,
      arrivedAfterMs: this.#arrivedAfterMs,
      elapsedMs: this.#elapsed(),
      exchange: this.#exchange,
    });
  }

  get #head(): { status: number; contentType: string | null } {
    const { status, headers } = this.#response;
    return { status, contentType: headers.get("Content-Type") };
  }

  /** The request, and the answer so far. */
  get #exchange(): Exchange {
    const answer = { ...this.#head, chunks: showChunks(this.#chunks), ending: this.#ending };
    return { request: this.#request, answer };
  }

  async #readChunk(): Promise<void> {
    this.#run.awaits("the answer to continue or to end", () => [this.#exchange]);
    try {
      const { done, value } = await this.#reader!.read();
      const elapsedMs = this.#elapsed();
      if (done) {
        this.#ending = "end";
        return;
      }
      this.#chunks.push(new Uint8Array(value));
      this.#lines.push(value);
      this.#arrivedAfterMs.push(elapsedMs);
    } catch {
      this.#ending = "reset";
    }
  }
}

/** The objects in some chunks, up to the first invalid one. Framing rules check the bytes. */
export function decode(chunks: readonly Bytes[]): readonly PullStatus[] {
  const lines = new StatusLines();
  for (const chunk of chunks) lines.push(chunk);
  return lines.end();
}

/** Reads objects from chunks. */
class StatusLines {
  /** The objects of all complete lines. */
  readonly statuses: PullStatus[] = [];
  readonly #decoder = new TextDecoder();
  #rest = "";
  #hasEnded = false;

  /** Takes a chunk. */
  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#read(line);
  }

  /** Treats the rest after the last line break as a line, too. Returns all objects. */
  end(): readonly PullStatus[] {
    this.#read(this.#rest + this.#decoder.decode());
    return this.statuses;
  }

  #read(line: string): void {
    const value = this.#hasEnded ? undefined : parseJson(line);
    if (value === undefined) return;
    const status = toPullStatus(value);
    if (status) this.statuses.push(status);
    else this.#hasEnded = true;
  }
}

/** The value of a text, or `undefined` if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a layer is reported as incomplete. Without `completed`, the server has not said yet how much of the
 * layer it has.
 */
export function isPartial({ total, completed }: PullStatus): boolean {
  return total !== undefined && completed !== undefined && completed < total;
}

/** Requests a pull from a server. */
export async function ask(
  server: OpenServer,
  pull: PullRequest,
  run: CheckRun,
): Promise<ActivePull> {
  const { signal } = run;
  const { method = "POST", path = "/api/pull", headers = JSON_HEADERS } = pull;
  const bytes = bytesOf(pull.body);
  const request = describe(pull, bytes);
  const start = server.now();
  const init = { method, headers, signal, ...toBody(bytes, pull.pieces) };
  run.awaits("the head of the answer", () => [{ request }]);
  try {
    const response = await server.fetch(path, init);
    return new ActivePull(response, request, () => server.now() - start, run);
  } catch (error) {
    signal.throwIfAborted();
    if (isUnsupported(error)) throw new Inconclusive("The runtime cannot send such a request");
    throw new Violation("an answer", String(error), [{ request }]);
  }
}

const JSON_HEADERS = { "Content-Type": "application/json" };

function bytesOf(body: unknown): Bytes | undefined {
  if (body === undefined || body instanceof Uint8Array) return body as Bytes | undefined;
  return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
}

/** The body of a request is cut to this many characters in reports. */
const MAX_SHOWN_CHARACTERS = 600;

/** The body of a request for reports. */
function showBody(text: string): string {
  if (text.length <= MAX_SHOWN_CHARACTERS) return text;
  return `${text.slice(0, MAX_SHOWN_CHARACTERS)}… (${text.length} characters)`;
}

/** A request for reports, with the headers and the pieces of the body if a check sets them. */
function describe(
  { method = "POST", path = "/api/pull", headers, pieces }: PullRequest,
  bytes: Bytes = new Uint8Array(),
): string {
  const body = showBody(new TextDecoder().decode(bytes));
  const notes = [
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(pieces ? [`in pieces of ${pieces.bytes} bytes`] : []),
  ];
  const request = `${method} ${path} ${body}`.trimEnd();
  return notes.length > 0 ? `${request} (${notes.join("; ")})` : request;
}

/** The body part of a `RequestInit`. Only a stream is sent without its length. */
function toBody(bytes: Bytes | undefined, pieces: Pieces | undefined): RequestInit {
  if (!bytes || !pieces) return bytes ? { body: bytes } : {};
  if (!sendsStreams()) throw new Inconclusive("The runtime cannot send a body in pieces");
  const init = { body: streamOf(bytes, pieces), duplex: "half" };
  return init as RequestInit; // the type does not have `duplex` yet
}

/**
 * Whether the body of a request can be a stream: some runtimes convert it to a text with the name of its
 * type.
 */
function sendsStreams(): boolean {
  const init = { method: "POST", body: new ReadableStream(), duplex: "half" };
  return !new Request("http://localhost/", init).headers.has("Content-Type");
}

function streamOf(bytes: Bytes, { bytes: size, pauseMs }: Pieces): ReadableStream<Bytes> {
  let sent = 0;
  return new ReadableStream<Bytes>({
    async pull(controller) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (sent < bytes.length) controller.enqueue(bytes.slice(sent, sent += size));
      if (sent >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** Whether `fetch` refused to make the request at all: in Node.js, it does not send `Expect`. */
function isUnsupported(error: unknown): boolean {
  const { cause } = Object(error);
  return Object(cause).code === "UND_ERR_NOT_SUPPORTED";
}

/**
 * Pulls the model to the end. It always sets `stream`, because a separate rule checks the default.
 */
export async function pullAll(server: OpenServer, run: CheckRun): Promise<Transcript> {
  return await (await beginPull(server, run)).readAll();
}

/** Starts to pull the model. */
export async function beginPull(server: OpenServer, run: CheckRun): Promise<ActivePull> {
  return await ask(server, { body: pullBody(server, { stream: true }) }, run);
}

/** The request body that pulls the model, or another one, with additional fields. */
export function pullBody(
  { model, fieldsFor = (model) => ({ model }) }: Pick<OpenServer, "model" | "fieldsFor">,
  more: Readonly<Record<string, unknown>> = {},
  asked = model,
): Record<string, unknown> {
  return { ...fieldsFor(asked), ...more };
}

/** The name of a model that does not exist, in the same registry as the server's model. */
export function absentModel({ model }: Pick<OpenServer, "model">, tag = ""): string {
  return `${model.replace(/:[^/:]*$/, "")}-which-no-registry-has${tag}`;
}

/** Whether a pull succeeded. */
export function hasSucceeded({ statuses }: Transcript): boolean {
  return statuses.some(({ kind }) => kind === "success");
}

/** Whether a text is the answer to a successful pull without a stream. */
export function isSingleSuccess(text: string): boolean {
  return Object(parseJson(text)).status === "success";
}

/** Whether a pull was answered with a single object although a stream was requested. */
export function isSingleObject(transcript: Transcript): boolean {
  return hasSucceeded(transcript) && transcript.statuses.length === 1;
}
