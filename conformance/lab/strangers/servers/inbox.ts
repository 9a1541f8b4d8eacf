/**
 * What a socket has received and nobody has read yet.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** The bytes of a socket, to be read by length or up to a mark. */
export class Inbox {
  readonly #left = new AbortController();
  #chunks: Buffer[] = [];
  #length = 0;
  #wake: () => void = () => {};

  /** @param socket The socket. What it receives from now on is kept until it is read. */
  constructor(socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    const leave = () => {
      this.#left.abort();
      this.#wake();
    };
    // As in Go: a caller that closes its side has left, and does not wait for an answer.
    for (const event of ["end", "close", "error"]) socket.on(event, leave);
  }

  /** Aborts when the other side has left. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Reads up to a mark, and drops the mark. Returns `undefined` if the other side leaves before. */
  async readTo(mark: string): Promise<string | undefined> {
    for (;;) {
      const bytes = this.#join();
      const end = bytes.indexOf(mark);
      if (end >= 0) {
        const text = bytes.subarray(0, end).toString("latin1");
        this.#keep(bytes.subarray(end + mark.length));
        return text;
      }
      if (!await this.#more()) return undefined;
    }
  }

  /** Reads a number of bytes. Returns `undefined` if the other side leaves before. */
  async read(count: number): Promise<Uint8Array | undefined> {
    while (this.#length < count) if (!await this.#more()) return undefined;
    return this.#take(count);
  }

  /** Reads what is there, or what comes next: 1 byte or more, and at most a number of them. */
  async readSome(most: number): Promise<Uint8Array | undefined> {
    while (this.#length === 0) if (!await this.#more()) return undefined;
    return this.#take(Math.min(most, this.#length));
  }

  #take(count: number): Uint8Array {
    const bytes = this.#join();
    this.#keep(bytes.subarray(count));
    return bytes.subarray(0, count);
  }

  #join(): Buffer {
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#keep(bytes);
    return bytes;
  }

  #keep(bytes: Buffer): void {
    this.#chunks = [bytes];
    this.#length = bytes.length;
  }

  /** Waits for more bytes. Returns whether any can come. */
  async #more(): Promise<boolean> {
    if (this.left.aborted) return false;
    const { length } = this.#chunks;
    await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#chunks.length > length;
  }
}
