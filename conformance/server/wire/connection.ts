/**
 * A connection to a server, for one request after another.
 *
 * @module
 */

import type { Socket } from "node:net";
import { concatBytes } from "../../../src/bytes.ts";
import type { Bytes } from "../../generators/bytes.ts";
import { AnswerParser, type ArrivedChunk } from "./answer_parser.ts";

/** A request in the form in which it is sent. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** The headers, including those about the body. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The body: whole, or in pieces, each of which is sent as a chunk. */
  readonly body: Bytes | ReadableStream<Uint8Array> | undefined;
  /** Ends the exchange when it aborts. */
  readonly signal: AbortSignal | undefined;
}

/** An answer whose head has arrived. */
export interface WireAnswer {
  /** The parser, which has everything received so far. */
  readonly parser: AnswerParser;
  /** The body, without its framing. */
  readonly body: ReadableStream<Uint8Array>;
}

/** Receives what arrives on a connection. */
interface Listener {
  /** Called when something has arrived. */
  onBytes(bytes: Bytes): void;
  /** Called when nothing more will arrive. */
  onEnd(error: Error | undefined): void;
}

/** A connection. */
export class Connection {
  readonly #socket: Socket;
  #listener: Listener | undefined;
  /** What arrived while no exchange was running, when servers must not send anything. */
  #unasked: Bytes[] = [];
  #hasEnded = false;
  /** Called when the connection ends while it is idle. */
  #onRestEnd: () => void = () => {};
  /** Whether anything arrived for the last request. */
  hasAnswered = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data: Uint8Array) => {
      this.hasAnswered = true;
      const bytes = new Uint8Array(data);
      if (this.#listener) this.#listener.onBytes(bytes);
      else this.#unasked.push(bytes);
    });
    const end = (error?: Error) => {
      this.#hasEnded = true;
      this.#listener?.onEnd(error);
      if (!this.#hasSpokenUnasked) this.#onRestEnd();
    };
    socket.on("error", end);
    socket.on("end", () => end());
    socket.on("close", () => end());
  }

  /**
   * Makes a request.
   *
   * @param request The request.
   * @param onFree Called when the answer has ended and the connection can be reused.
   */
  async ask(request: WireRequest, onFree: (connection: Connection) => void): Promise<WireAnswer> {
    const { method, signal } = request;
    const parser = new AnswerParser(method);
    this.#socket.ref();
    this.#onRestEnd = () => {};
    this.hasAnswered = false;
    const sent = this.#send(request);
    return await new Promise<WireAnswer>((resolve, reject) => {
      const chunks = new ChunkQueue(() => parser.chunks, () => {
        if (parser.isComplete) return; // the connection may already be used for another request
        forget();
        this.close();
      });
      const forget = () => {
        this.#listener = undefined;
        signal?.removeEventListener("abort", abort);
      };
      const stop = (reason: unknown) => {
        forget();
        this.close();
        if (parser.head) chunks.end(reason);
        else reject(reason);
      };
      const abort = () => stop(signal!.reason);
      const advance = () => {
        if (parser.head) resolve({ parser, body: chunks.body });
        else if (parser.isComplete) stop(new TypeError(parser.problems[0]));
        chunks.advance();
        if (!parser.head || !parser.isComplete) return;
        forget();
        chunks.end();
        if (this.#hasEnded || !isKept(parser)) this.close();
        else sent.then(() => onFree(this), () => this.close());
      };
      signal?.addEventListener("abort", abort, { once: true });
      sent.catch((error) => parser.head || this.hasAnswered ? undefined : stop(error));
      this.#listener = {
        onBytes: (bytes) => {
          parser.push(bytes, performance.now());
          advance();
        },
        onEnd: (error) => {
          parser.end();
          if (parser.isComplete) advance();
          else stop(error ?? new TypeError(parser.problems.at(-1)));
        },
      };
      if (this.#unasked.length > 0) {
        this.hasAnswered = true;
        this.#listener.onBytes(concatBytes(this.#unasked.splice(0)));
      }
      if (this.#hasEnded) this.#listener?.onEnd(undefined);
    });
  }

  /**
   * Whether the server has sent something without a request, such as a refusal of a body that it mistook for
   * a request. The next request would get it as its answer. A 408 is allowed: the server is tired of waiting.
   */
  get #hasSpokenUnasked(): boolean {
    const [first] = this.#unasked;
    return first !== undefined && !new TextDecoder().decode(first).startsWith("HTTP/1.1 408 ");
  }

  /** Lets the process exit although the connection is open. Calls back when the connection has ended. */
  rest(onEnd: () => void): void {
    this.#socket.unref();
    this.#listener = undefined;
    this.#onRestEnd = onEnd;
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy();
  }

  async #send({ method, url, fields, body }: WireRequest): Promise<void> {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`;
    const headBytes = new TextEncoder().encode(head);
    if (!(body instanceof ReadableStream)) {
      return await this.#write(concatBytes(body ? [headBytes, body] : [headBytes]));
    }
    await this.#write(headBytes);
    const encode = (text: string) => new TextEncoder().encode(text);
    for await (const piece of body) {
      if (piece.length === 0) continue; // an empty chunk would end the body
      const size = encode(`${piece.length.toString(16)}\r\n`);
      await this.#write(concatBytes([size, piece, encode("\r\n")]));
    }
    await this.#write(encode("0\r\n\r\n"));
  }

  #write(bytes: Bytes): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }
}

/** The body of an answer: all chunks that have arrived, however late they are read, and then its end. */
class ChunkQueue {
  readonly body: ReadableStream<Uint8Array>;
  readonly #chunks: () => readonly ArrivedChunk[];
  #taken = 0;
  #hasEnded = false;
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(chunks: () => readonly ArrivedChunk[], onCancel: () => void) {
    this.#chunks = chunks;
    this.body = new ReadableStream({
      pull: (controller) => this.#give(controller),
      cancel: onCancel,
    }, { highWaterMark: 0 });
  }

  /** Notes that there may be more chunks. */
  advance(): void {
    this.#wake();
  }

  /** Notes that nothing more will come, with the error if the body is incomplete. */
  end(failure?: unknown): void {
    this.#hasEnded = true;
    this.#failure = failure;
    this.#wake();
  }

  async #give(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#taken === this.#chunks().length && !this.#hasEnded) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const next = this.#chunks()[this.#taken++];
    if (next) controller.enqueue(next.bytes);
    else if (this.#failure === undefined) controller.close();
    else controller.error(this.#failure);
  }
}

/** Whether a connection stays open after an answer. */
function isKept({ head, framing, problems }: AnswerParser): boolean {
  if (!head || head.version !== "HTTP/1.1" || framing === "close" || problems.length > 0) {
    return false;
  }
  return !head.fields.some(([name, value]) =>
    name.toLowerCase() === "connection" && /\bclose\b/i.test(value)
  );
}
