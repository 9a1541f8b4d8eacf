/**
 * Serves a `fetch` function on a port. It uses `node:http`, which Deno, Bun and Node all have, because only
 * there can a server notice at any time that a client has disconnected, and break a connection.
 *
 * @module
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AsyncDisposableIfKnown } from "./async_dispose.ts";
import { messageOf } from "../../src/text.ts";
import { builtinModule } from "./builtin.ts";

/** Where to listen. */
export interface ListenOptions {
  /**
   * The port, or 0 for a free one.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The address. Other machines can connect unless it is a loopback address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
}

/** A server that listens. `await using` closes it. */
export interface Listener extends AsyncDisposableIfKnown {
  /** Its address, such as `http://127.0.0.1:11434`. */
  readonly url: string;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

/** Answers a request that came from a peer address. If it fails, the connection breaks. */
export type Handler = (request: Request, peer: string | undefined) => Promise<Response>;

/** Serves a handler on a port. If the address cannot be used, the error names it. */
export async function listen(handler: Handler, options: ListenOptions = {}): Promise<Listener> {
  const { port = 0, hostname = "127.0.0.1" } = options;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const running = new Set<Promise<void>>();
  const server = createServer((incoming, outgoing) => {
    const work = serve(handler, incoming, outgoing).finally(() => running.delete(work));
    running.add(work);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, hostname, resolve);
    });
  } catch (cause) {
    throw new Error(`Cannot listen on http://${host}:${port}: ${messageOf(cause)}`, { cause });
  }
  const close = async () => {
    await closeServer(server);
    await Promise.all(running);
  };
  const url = `http://${host}:${portOf(server)}`;
  return { url, close, [Symbol.asyncDispose]: close };
}

function createServer(
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Server {
  const http = builtinModule("node:http");
  if (!http) throw new Error("Cannot listen on a port in this runtime: use Deno, Bun or Node");
  return http.createServer(onRequest);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Answers one request of a `node:http` server. */
export async function serve(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once(
    "close",
    () => gone.abort(new DOMException("The client closed the connection", "AbortError")),
  );
  const request = toRequest(incoming, gone.signal);
  try {
    const peer = incoming.socket.remoteAddress;
    const response = request && await handler(request, peer);
    await send(response ?? new Response(null, { status: 400 }), outgoing);
  } catch {
    outgoing.destroy();
  }
}

/** The request that arrived, or `undefined` if it is malformed. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "/", rawHeaders, headers: { host = "localhost" } } = incoming;
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const headers = new Headers();
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
    }
    const body = hasBody ? bodyOf(incoming) : null;
    const init = { method, headers, body, signal, duplex: "half" };
    return new Request(`http://${host}${url}`, init as RequestInit);
  } catch {
    return undefined;
  }
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let isLeft = false;
  return new ReadableStream({
    start(controller) {
      incoming.pause();
      incoming.on("data", (chunk: Uint8Array) => {
        if (isLeft) return;
        incoming.pause();
        controller.enqueue(new Uint8Array(chunk));
      });
      incoming.once("end", () => {
        if (!isLeft) controller.close();
      });
      incoming.once("error", (error) => controller.error(error));
    },
    pull: () => void incoming.resume(),
    cancel() {
      isLeft = true;
      incoming.resume(); // read the rest, before the connection's next request
    },
  }, { highWaterMark: 0 });
}

/** Headers for `node:http`. Only `Set-Cookie` may occur more than once. */
function toNodeHeaders(headers: Headers): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  const fields = Object.fromEntries(headers);
  return cookies.length > 0 ? { ...fields, "set-cookie": cookies } : fields;
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  const reader = response.body?.getReader();
  let proceed = () => {};
  outgoing.once("close", () => {
    // Some runtimes do not call back for a write on a broken connection.
    proceed();
    // Do not wait for a body that sends nothing more. (It may already have failed.)
    reader?.cancel().catch(() => {});
  });
  /** Waits until the operating system has the bytes, so that they arrive even if a fault follows. */
  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve) => {
      proceed = resolve;
      outgoing.write(chunk, () => resolve());
    });

  outgoing.writeHead(response.status, toNodeHeaders(response.headers));
  outgoing.flushHeaders();
  while (reader && !outgoing.destroyed) {
    const { done, value } = await reader.read();
    if (done) break;
    await write(value);
  }
  outgoing.end();
}
