/**
 * A wire between clients and a server, at which one can pull:
 *
 *     client ── connection ──▶ Wire ── connection ──▶ server
 *                               ├ cut: both connections break
 *                               ├ stall: no byte passes, either way, until it is over
 *                               └ lead elsewhere: the server was replaced, at the same address
 *
 * It knows nothing of HTTP, so both sides see what a bad network shows them.
 *
 * @module
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { pipeline, Transform, type TransformCallback } from "node:stream";

const LOOPBACK = "127.0.0.1";

/** How many clients may wait to be let in: a flood of them. */
const BACKLOG = 4_096;

/** A wire that clients connect to in place of the server. */
export class Wire {
  readonly #server: Server;
  /** The client's side of each connection. With it breaks the other side. */
  readonly #clients = new Set<Socket>();
  #port: number | undefined;
  /** Resolves once bytes may pass. */
  #passing: Promise<void> = Promise.resolve();
  #connections = 0;

  constructor() {
    this.#server = createServer((client) => this.#lead(client));
  }

  /** Begins to listen, on a port of its own. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, LOOPBACK, BACKLOG, resolve));
  }

  /** The address, in place of that of the server. */
  get url(): string {
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#clients.size;
  }

  /** How many connections there were. */
  get connections(): number {
    return this.#connections;
  }

  /** Leads new connections to another port, or nowhere: then they break. */
  leadTo(port: number | undefined): void {
    this.#port = port;
  }

  /** Breaks the connections that chance picks. */
  cut(isCut: () => boolean = () => true): void {
    for (const client of this.#clients) if (isCut()) client.destroy();
  }

  /** Lets no byte pass for some time. */
  async stall(time: Promise<void>): Promise<void> {
    this.#passing = time;
    await time;
  }

  /** Breaks all connections and frees the port. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #lead(client: Socket): void {
    this.#connections++;
    client.on("error", () => {}); // it was cut
    if (this.#port === undefined) return void client.destroy();
    const server = connect(this.#port, LOOPBACK);
    this.#clients.add(client);
    client.once("close", () => {
      this.#clients.delete(client);
      server.destroy();
    });
    const breakClient = (error: unknown) => void (error && client.destroy());
    pipeline(client, this.#gate(), server, breakClient);
    pipeline(server, this.#gate(), client, breakClient);
  }

  /** What bytes go through, unless the wire is stalled. */
  #gate(): Transform {
    return new Transform({
      transform: (chunk: Uint8Array, _encoding: string, done: TransformCallback) => {
        void this.#passing.then(() => done(null, chunk));
      },
    });
  }
}
