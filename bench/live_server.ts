/**
 * The server that live measurements pull from. Its lines report the time: `completed` is when the line was
 * written, in milliseconds, by the clock that all processes of a machine share.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";

/** The time between two lines, in milliseconds, which is that of Ollama. */
export const TICK_MS = 60;

/** A server that sends a line every 60 ms to each of its callers, and then `success`. */
export class LiveServer implements Disposable {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #ticks: number;
  /** How many lines it has sent. */
  sent = 0;

  /**
   * Makes a server that does not listen yet.
   *
   * @param ticks How many lines each caller gets between the first and the last one.
   */
  constructor(ticks: number) {
    this.#ticks = ticks;
  }

  /** Listens at a port of its own, and returns the address. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address() as { port: number };
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Takes no more callers. */
  [Symbol.dispose](): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
      this.#send(socket, '{"status":"pulling manifest"}\n');
      let ticks = 0;
      const timer = setInterval(() => {
        if (ticks++ === this.#ticks) {
          clearInterval(timer);
          this.#send(socket, '{"status":"success"}\n');
          socket.end("0\r\n\r\n");
          return;
        }
        this.sent++;
        // `completed` contains the time when the line was sent, by the clock that the Worker also has.
        const completed = Date.now();
        const digest = `sha256:${"5c3b7d79864ab13f".repeat(4)}`;
        const object = { status: "pulling 5c3b7d79864a", digest, total: 4e12, completed };
        this.#send(socket, `${JSON.stringify(object)}\n`);
      }, TICK_MS);
      socket.once("close", () => clearInterval(timer));
    });
  }

  #send(socket: Socket, line: string): void {
    socket.write(`${line.length.toString(16)}\r\n${line}\r\n`);
  }
}
