/**
 * A tiny scripted server for clients, in process or on the network.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { ClientRun, ClientSubject } from "../../../client/subject.ts";
import { TIME_LIMIT_MS } from "./right_client.ts";
import { startTimeLimit } from "./time_limit.ts";

/** An answer of the scripted server. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it sends. */
  readonly chunks: Iterable<string | Uint8Array>;
  /** How it ends after the chunks. */
  readonly ending?: "end" | "break" | "open";
  /** Sends one chunk a turn of the event loop, so that timers run in between. */
  readonly isPaced?: boolean;
}

/** A pull to be made. */
export interface Situation {
  /** The answers, one a request, the last of them for all further ones. */
  readonly answers: readonly Answer[];
  readonly host?: string;
  readonly model?: string;
  /** The status on which the pull is cancelled. */
  readonly cancelOn?: string;
  /** How long a client that hangs is watched, in milliseconds. */
  readonly patienceMs?: number;
}

/** What a client made of a pull. */
export interface Outcome {
  readonly updates: readonly unknown[];
  /** Why it failed, or `still running`; `undefined` if it succeeded. */
  readonly failure: string | undefined;
  /** What it asked for, as `POST /api/pull {"model":"tiny"}`. */
  readonly requests: readonly string[];
}

/** Lets a client in process make a pull. */
export async function outcomeOf(client: ClientSubject, situation: Situation): Promise<Outcome> {
  const { answers, host = "http://tiny.test", model = "tiny", cancelOn } = situation;
  const { patienceMs = 4 * TIME_LIMIT_MS } = situation;
  const requests: string[] = [];
  const updates: unknown[] = [];
  const controller = new AbortController();
  const run: ClientRun = {
    host,
    model,
    signal: controller.signal,
    fetch: followRedirects((url, init) => {
      const body = init.body === undefined ? "" : ` ${init.body}`;
      requests.push(`${init.method ?? "GET"} ${url.pathname} ${body}`.trim());
      return respond(answers[requests.length - 1] ?? answers.at(-1)!);
    }),
    onUpdate(update) {
      updates.push(update);
      const { status } = update as { status?: unknown };
      if (cancelOn !== undefined && status === cancelOn) controller.abort(new Error("cancelled"));
    },
  };
  const patience = startTimeLimit(patienceMs);
  const hangs = new Promise<string>((resolve) =>
    patience.signal.addEventListener("abort", () => resolve("still running"))
  );
  const ends = client.pull(run).then(() => undefined, (error: Error) => error.message);
  const failure = await Promise.race([ends, hangs]);
  patience.end();
  controller.abort();
  return { updates: [...updates], failure, requests };
}

/** As the `fetch` of a runtime does, follows 307 and 308 with the same method. */
function followRedirects(answer: (url: URL, init: RequestInit) => Response): ClientRun["fetch"] {
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const response = answer(url, init);
    const location = response.headers.get("Location");
    if (init.redirect === "manual" || location === null) return response;
    return await followRedirects(answer)(new URL(location, url), init);
  };
}

function respond(
  { status = 200, headers = {}, chunks, ending = "end", isPaced }: Answer,
): Response {
  const rest = chunks[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (isPaced) await new Promise((resolve) => setTimeout(resolve));
      const { done, value } = rest.next();
      if (!done) return controller.enqueue(bytesOf(value));
      if (ending === "open") return new Promise(() => {});
      if (ending === "break") return controller.error(new Error("reset"));
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers: { ...headers } });
}

function bytesOf(chunk: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof chunk === "string" ? new TextEncoder().encode(chunk) : new Uint8Array(chunk);
}

/** Starts a server on the network, for commands. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<AsyncDisposable & { readonly host: string }> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers a command with text, compressed if it asks for that. */
export function sendText(
  text: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ headers }, response) => {
    const isGzip = String(headers["accept-encoding"] ?? "").includes("gzip");
    if (isGzip) response.setHeader("Content-Encoding", "gzip");
    response.end(isGzip ? gzipSync(text) : text);
  };
}

/** Lets a command make a pull, which may be cancelled on an update. */
export async function outcomeOfCommand(
  client: ClientSubject,
  host: string,
  onUpdate: (update: unknown, cancel: () => void) => void = () => {},
): Promise<Omit<Outcome, "requests">> {
  const updates: unknown[] = [];
  const controller = new AbortController();
  const failure = await client.pull({
    host,
    model: "tiny",
    signal: controller.signal,
    fetch: () => Promise.reject(new Error("A command makes its own requests")),
    onUpdate(update) {
      updates.push(update);
      onUpdate(update, () => controller.abort());
    },
  }).then(() => undefined, (error: Error) => error.message);
  return { updates, failure };
}
