/**
 * HTTP/1.1 on a socket, in parts that can be replaced. A finished HTTP server, such as the one of `node:http`,
 * would mend what the strangers are to break.
 *
 *     socket ─▶ Inbox ─▶ readHead ─▶ readBody ─▶ handle ─▶ write ─▶ socket
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Inbox } from "./inbox.ts";

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  /** The path and the query. */
  readonly target: string;
  readonly version: string;
  /** By their names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
}

/** A request. */
export interface WireRequest extends RequestHead {
  readonly body: Uint8Array;
}

/** An answer. */
export interface WireAnswer {
  readonly status: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** All of the body, or its pieces as they come. */
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

/** Answers a request. The signal aborts when the caller has left. */
export type Handler = (request: WireRequest, left: AbortSignal) => Promise<WireAnswer>;

/** What cannot be read as a request. */
class MalformedRequest extends Error {}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Payload Too Large",
  417: "Expectation Failed",
  500: "Internal Server Error",
};

/** A connection, which serves one request after another. */
export class Connection {
  protected readonly socket: Socket;
  protected readonly inbox: Inbox;
  readonly #handle: Handler;

  constructor(socket: Socket, handle: Handler) {
    this.socket = socket;
    this.inbox = new Inbox(socket);
    this.#handle = handle;
    socket.setNoDelay(true);
  }

  /** Serves requests until either side closes the connection. */
  async serve(): Promise<void> {
    try {
      while (await this.#serveNext());
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      await this.send(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      );
    }
    this.socket.end();
  }

  /** Serves a request. Returns whether another one may follow. */
  async #serveNext(): Promise<boolean> {
    const head = await this.#readHead();
    if (!head) return false;
    if (head.headers.get("expect")?.toLowerCase() === "100-continue") {
      if (!await this.meetExpectation()) return false;
    }
    const body = await this.readBody(head);
    if (!body) return false;
    const answer = await this.#handle({ ...head, body }, this.inbox.left);
    if (this.inbox.left.aborted) return false;
    return await this.#write(head, answer);
  }

  async #readHead(): Promise<RequestHead | undefined> {
    const text = await this.inbox.readTo("\r\n\r\n");
    if (text === undefined) return undefined;
    const [first = "", ...lines] = text.replace(/^(\r\n)+/, "").split("\r\n");
    const [, method, target, version] = /^([A-Z]+) (\S+) HTTP\/(1\.[01])$/.exec(first) ?? [];
    if (!method || !target || !version) throw new MalformedRequest();
    const headers = new Map(lines.map((line): [string, string] => {
      const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new MalformedRequest();
      return [name.toLowerCase(), value];
    }));
    return { method, target, version, headers };
  }

  /** Answers `Expect: 100-continue`. Returns whether the request goes on. */
  protected async meetExpectation(): Promise<boolean> {
    await this.send("HTTP/1.1 100 Continue\r\n\r\n");
    return true;
  }

  /** Reads the body of a request. Returns `undefined` if the caller leaves meanwhile. */
  protected async readBody({ headers }: RequestHead): Promise<Uint8Array | undefined> {
    if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
      return await this.#readChunks();
    }
    const length = headers.get("content-length") ?? "0";
    if (!/^\d+$/.test(length)) throw new MalformedRequest();
    return await this.inbox.read(Number(length));
  }

  async #readChunks(): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const line = await this.inbox.readTo("\r\n");
      if (line === undefined) return undefined;
      const [, size] = /^([\da-f]+)[ \t]*(?:;.*)?$/i.exec(line) ?? [];
      if (size === undefined) throw new MalformedRequest();
      const length = parseInt(size, 16);
      if (length === 0) break;
      const chunk = await this.inbox.read(length + 2);
      if (!chunk) return undefined;
      chunks.push(chunk.subarray(0, length));
    }
    for (let trailer: string | undefined; (trailer = await this.inbox.readTo("\r\n")) !== "";) {
      if (trailer === undefined) return undefined;
    }
    return Buffer.concat(chunks);
  }

  /** Writes an answer. Returns whether another request may follow. */
  async #write(head: RequestHead, answer: WireAnswer): Promise<boolean> {
    const { body } = answer;
    const isWhole = typeof body === "string" || body instanceof Uint8Array;
    const isChunked = !isWhole && head.version === "1.1";
    const closes = head.version === "1.0" ||
      head.headers.get("connection")?.toLowerCase() === "close";
    const fields: Record<string, string> = {
      "Content-Type": answer.type,
      "Date": new Date().toUTCString(),
      ...answer.headers,
      ...isWhole ? { "Content-Length": `${this.lengthOf(body)}` } : {},
      ...isChunked ? { "Transfer-Encoding": "chunked" } : {},
      ...closes ? { "Connection": "close" } : {},
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const { status } = answer;
    await this.send(`HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`);
    if (head.method === "HEAD") return !closes;
    if (isWhole) await this.send(body);
    else if (!await this.writePieces(body, isChunked)) return false;
    if (isChunked && !await this.endChunks()) return false;
    return !closes;
  }

  /** The length of a body in bytes. */
  protected lengthOf(body: string | Uint8Array): number {
    return Buffer.byteLength(body);
  }

  /**
   * Writes the pieces of a body, in chunks or, for HTTP/1.0, as they are. Returns whether the caller is
   * still there.
   */
  protected async writePieces(pieces: AsyncIterable<string>, isChunked: boolean): Promise<boolean> {
    for await (const piece of pieces) {
      const size = Buffer.byteLength(piece).toString(16);
      await this.send(isChunked ? `${size}\r\n${piece}\r\n` : piece);
      if (this.inbox.left.aborted) return false;
    }
    return true;
  }

  /** Ends a body that was written in chunks. Returns whether another request may follow. */
  protected async endChunks(): Promise<boolean> {
    await this.send("0\r\n\r\n");
    return true;
  }

  /** Sends bytes, and waits until the socket takes more. */
  protected async send(bytes: string | Uint8Array): Promise<void> {
    if (this.inbox.left.aborted || bytes.length === 0 || this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.socket.once("drain", resolve);
      this.inbox.left.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
