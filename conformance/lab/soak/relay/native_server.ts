/**
 * Serves a handler as users of each runtime would: with the server of the runtime.
 *
 * @module
 */

import { listen } from "../../../../mock/runtime/listen.ts";

/** A server on a port of loopback. */
export interface NativeServer {
  readonly port: number;
  /** Takes no more connections, and waits until all answers have ended. */
  close(): Promise<void>;
}

/** What is used of `Bun`. */
interface Bun {
  serve(
    options: { hostname: string; port: number; idleTimeout: number; fetch: Handle },
  ): { port: number; stop(): Promise<void> };
}

type Handle = (request: Request) => Promise<Response>;

const HOSTNAME = "127.0.0.1";

/** Serves a handler on a free port. */
export async function serveNatively(handle: Handle): Promise<NativeServer> {
  const { Bun } = globalThis as { Bun?: Bun };
  if (Bun) {
    const server = Bun.serve({ hostname: HOSTNAME, port: 0, idleTimeout: 0, fetch: handle });
    return { port: server.port, close: () => server.stop() };
  }
  if ("Deno" in globalThis) {
    const server = Deno.serve({ hostname: HOSTNAME, port: 0, onListen() {} }, handle);
    return { port: server.addr.port, close: () => server.shutdown() };
  }
  const listener = await listen(handle);
  return { port: Number(new URL(listener.url).port), close: listener.close };
}
