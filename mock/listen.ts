/**
 * Serves a `fetch` function on a port, in Deno, Bun and Node.
 *
 * @module
 */

/** Where to listen. */
export interface ListenOptions {
  /**
   * The port, or 0 for one that is free.
   *
   * @default {0}
   */
  port?: number;
  /**
   * The address. Anything but a loopback address lets other machines in.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
}

/** A server that listens. */
export interface Listener {
  /** Its address, as in `http://127.0.0.1:11434`. */
  readonly url: string;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

type Handler = (request: Request) => Response | Promise<Response>;

/** A port and how to free it. */
interface Opened {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** The parts of the runtimes that are used here; their own types clash with each other. */
interface Runtimes {
  Deno?: {
    serve(
      options: { port: number; hostname: string; onListen: () => void; signal: AbortSignal },
      handler: Handler,
    ): { addr: { port: number }; finished: Promise<void> };
  };
  Bun?: {
    serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Handler }): {
      port: number;
      stop(closeConnections: boolean): Promise<void>;
    };
  };
}

/** Serves a handler. Fails with what the runtime says when the port cannot be had. */
export async function listen(handler: Handler, options: ListenOptions = {}): Promise<Listener> {
  const { port = 0, hostname = "127.0.0.1" } = options;
  const { Deno, Bun } = globalThis as Runtimes;
  const opened = Bun
    ? openInBun(Bun, handler, port, hostname)
    : Deno
    ? openInDeno(Deno, handler, port, hostname)
    : await openInNode(handler, port, hostname);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const close = opened.close;
  return { url: `http://${host}:${opened.port}`, close, [Symbol.asyncDispose]: close };
}

function openInDeno(
  deno: NonNullable<Runtimes["Deno"]>,
  handler: Handler,
  port: number,
  hostname: string,
): Opened {
  const controller = new AbortController();
  const server = deno.serve(
    { port, hostname, onListen: () => {}, signal: controller.signal },
    handler,
  );
  return {
    port: server.addr.port,
    async close() {
      controller.abort();
      await server.finished;
    },
  };
}

function openInBun(
  bun: NonNullable<Runtimes["Bun"]>,
  handler: Handler,
  port: number,
  hostname: string,
): Opened {
  // A pull may be silent for longer than Bun lets a connection be.
  const server = bun.serve({ port, hostname, idleTimeout: 0, fetch: handler });
  return { port: server.port, close: () => server.stop(true) };
}

async function openInNode(handler: Handler, port: number, hostname: string): Promise<Opened> {
  const { createAdaptorServer } = await import("@hono/node-server");
  const server = createAdaptorServer({ fetch: handler, hostname });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}
