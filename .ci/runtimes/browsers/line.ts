/**
 * A connection to a server on this machine that a test can cut.
 *
 *     browser ◀── socket ──▶ line ◀── socket ──▶ site
 *
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What stands between browsers and a site. */
export interface Line {
  /** The port at which browsers reach the site. */
  readonly port: number;
  /** Breaks all connections, and whichever is made until it is mended. */
  cut(): void;
  /** Lets connections through again. */
  mend(): void;
}

/** Starts a line to a port of this machine, which lasts until the tests end. */
export async function startLine(target: number): Promise<Line> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = keep(connect(target, "127.0.0.1"));
    keep(near).pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => void (isCut = false),
  };
}
