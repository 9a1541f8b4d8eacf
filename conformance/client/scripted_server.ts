/**
 * A server that answers each pull from a script, which says which bytes to send, in which chunks, and how the
 * body ends. Clients are tested against it, in process or on a port.
 *
 * @module
 */

import { GREETING, SERVER_VERSION } from "../../mock/endpoints/neighbours.ts";
import { listen, type Listener } from "../../mock/runtime/listen.ts";
import type { Bytes } from "../generators/bytes.ts";
import { NDJSON_TYPE } from "../../src/ndjson.ts";
import { messageOf } from "../../src/text.ts";
import { type AnswerEnding, type Exchange, showChunks } from "../exchange.ts";
import { CannotRun } from "../rule.ts";
import { within } from "./within.ts";

/** What to answer. */
export interface AnswerScript {
  /** The HTTP status. @default {200} */
  readonly status?: number | undefined;
  /** The `Content-Type`. @default {"application/x-ndjson"} */
  readonly contentType?: string | undefined;
  /** The body, chunk by chunk. */
  readonly chunks: readonly Bytes[];
  /**
   * How the client can find the end of the body: by HTTP chunks, or by a `Content-Length`, which promises
   * more than is sent if the connection breaks. @default {"chunked"}
   */
  readonly framing?: "chunked" | "length" | undefined;
  /** Where the first request is redirected, with a status that keeps method and body. @default nowhere */
  readonly redirect?: Redirect | undefined;
  /** Puts a required text into the name of the model to pull. @default the text itself */
  readonly nameModel?: ((id: string) => string) | undefined;
  /** A path to append to the server's address for the client, such as `/proxy`. @default nothing */
  readonly hostPath?: string | undefined;
  /** Whether each chunk should arrive separately, even over a network. @default {false} */
  readonly paced?: boolean | undefined;
  /** How the body ends. @default {"end"} */
  readonly ending?: AnswerEnding | undefined;
  /**
   * For an answer that repeats its last chunks: the time between two of them, in milliseconds. @default {10}
   */
  readonly repeatMs?: number | undefined;
  /** For an answer that repeats its last chunks: how many of them it repeats, in turn. @default {1} */
  readonly repeated?: number | undefined;
  /**
   * How long the server waits before chunks, in milliseconds, by chunk index. The index after the last chunk
   * is the wait before the body ends. @default none
   */
  readonly pauses?: Readonly<Record<number, number>> | undefined;
  /** The index of the chunk before which the server waits for {@link Play.release}. */
  readonly holdBefore?: number | undefined;
  /** The number of chunks after which the connection breaks at the first attempt. @default it does not */
  readonly breakFirstAfter?: number | undefined;
  /** How to compress the body, if the request allows it. @default not at all */
  readonly coding?: ContentCoding | undefined;
}

/** How a body may be compressed. */
export type ContentCoding = "gzip" | "deflate";

/** An answer that redirects a client. */
export interface Redirect {
  /** Its status. */
  readonly status: 307 | 308;
  /** Its `Location`: an address, or a path on the same server. */
  readonly location: string;
}

/** A request that arrived. */
export interface ReceivedRequest {
  /** Its method. */
  readonly method: string;
  /** Its path. */
  readonly path: string;
  /** Its body. */
  readonly body: string;
  /** Its `Accept-Encoding`, or an empty string. */
  readonly acceptEncoding: string;
}

/** One script being played for the client that pulls its model. */
export class Play {
  /** The name of the model to pull. */
  readonly model: string;
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string;
  /** The `Content-Length`, if the body has one. */
  readonly contentLength: number | undefined;
  /** Whether each chunk should arrive separately. */
  readonly isPaced: boolean;
  /** Where the first request is redirected, if it is. */
  readonly redirect: Redirect | undefined;
  /** How to compress the body, if the request allows it. */
  readonly coding: ContentCoding | undefined;
  /** Whether an answer was compressed. */
  hasCompressed = false;
  /** The requests that arrived. */
  readonly requests: ReceivedRequest[] = [];
  /** Resolves when the client closes the connection before the answer has ended. */
  readonly closedByClient: Promise<void>;
  /**
   * Resolves when the server has nothing new to send for now: it waits, has begun to repeat itself, or has
   * ended the answer.
   */
  readonly silent: Promise<void>;
  readonly #script: AnswerScript;
  readonly #released: Promise<void>;
  readonly #stopped: Promise<void>;
  #noteClosed!: () => void;
  #noteSilent!: () => void;
  #release!: () => void;
  #stop!: () => void;

  /**
   * Takes a script.
   *
   * @param model The name of the model to pull.
   * @param script What to answer.
   */
  constructor(model: string, script: AnswerScript) {
    this.model = model;
    this.status = script.status ?? 200;
    this.contentType = script.contentType ?? NDJSON_TYPE;
    this.contentLength = script.framing === "length" ? lengthOf(script) : undefined;
    this.isPaced = script.paced ?? false;
    this.redirect = script.redirect;
    this.coding = script.coding;
    this.#script = script;
    this.closedByClient = new Promise((resolve) => this.#noteClosed = resolve);
    this.silent = new Promise((resolve) => this.#noteSilent = resolve);
    this.#released = new Promise((resolve) => this.#release = resolve);
    this.#stopped = new Promise((resolve) => this.#stop = resolve);
  }

  /** Lets the server send the remaining chunks. */
  release(): void {
    this.#release();
  }

  /** Ends everything that is still open. */
  stop(): void {
    this.#release();
    this.#stop();
  }

  /** Records that the client has closed the connection. */
  close(): void {
    this.#noteClosed();
    this.stop();
  }

  /** The first request and its answer, for reports. */
  get exchange(): Exchange {
    return this.exchangeOf(this.requests[0]);
  }

  /** A request and its answer, for reports. */
  exchangeOf(request: ReceivedRequest | undefined): Exchange {
    if (!request) return { request: "none" };
    const { contentType, redirect } = this;
    const { chunks, ending = "end" } = this.#script;
    const asked = `${request.method} ${request.path} ${request.body}`;
    if (redirect && this.redirects(request)) {
      const { status } = redirect;
      return { request: asked, answer: { status, contentType: null, chunks: [], ending: "end" } };
    }
    const { status } = this;
    const breakAfter = this.#breakAfter(request);
    return {
      request: asked,
      answer: {
        status,
        contentType,
        chunks: showChunks(chunks.slice(0, breakAfter)),
        ending: breakAfter === undefined ? ending : "reset",
      },
    };
  }

  /** Whether a request is redirected, as the first one for the pull is. */
  redirects(request: ReceivedRequest): boolean {
    return this.redirect !== undefined && request === this.requests.find(isPull);
  }

  /** The number of chunks after which the connection breaks, if this is the first attempt. */
  #breakAfter(request: ReceivedRequest): number | undefined {
    return request === this.requests.find(isPull) ? this.#script.breakFirstAfter : undefined;
  }

  /** The chunks of the answer to a request, each at its time, and how its body ends. */
  async *chunks(request: ReceivedRequest): AsyncGenerator<Bytes, "end" | "reset", void> {
    const { chunks, ending = "end", holdBefore, pauses = {} } = this.#script;
    const breakAfter = this.#breakAfter(request);
    for (const [index, chunk] of chunks.entries()) {
      if (index === breakAfter) return "reset";
      if (index === holdBefore) {
        this.#noteSilent();
        await this.#released;
      }
      await this.#pause(pauses[index]);
      yield chunk.slice();
    }
    this.#noteSilent();
    await this.#pause(pauses[chunks.length]);
    if (ending === "end" || ending === "reset") return ending;
    if (ending === "repeat") yield* this.#repetitions();
    await this.#stopped;
    return "reset";
  }

  /** Waits, if there is a time to wait, unless the answer ends first. */
  async #pause(pauseMs: number | undefined): Promise<void> {
    if (pauseMs !== undefined) await within(this.#stopped, pauseMs);
  }

  /** The last chunks over and over, until the answer ends. */
  async *#repetitions(): AsyncGenerator<Bytes, void, void> {
    const { chunks, repeated = 1, repeatMs = 10 } = this.#script;
    const last = chunks.slice(-repeated);
    for (let turn = 0; last.length > 0; turn++) {
      if (await within(this.#stopped, repeatMs)) return;
      yield last[turn % last.length]!.slice();
    }
  }
}

/** How many bytes are promised but not sent, if the connection breaks. */
const MISSING_BYTES = 1_000;

/** The `Content-Length` of an answer. */
function lengthOf({ chunks, ending = "end" }: AnswerScript): number {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return ending === "end" ? length : length + MISSING_BYTES;
}

/** What clients may request before a pull, to check that the server is running. */
const NEIGHBOURS: Readonly<Record<string, string>> = {
  "/": GREETING,
  "/api/version": JSON.stringify({ version: SERVER_VERSION }),
};

/** Plays scripts, on a port or in process. */
export class ScriptedServer {
  /** The scripts, each with the text by which requests for its model are recognized. */
  readonly #plays = new Map<Play, string>();
  #count = 0;
  #latest: Play | undefined;
  #listener: Listener | undefined;

  /** The address of the server. In process, nothing listens there. */
  get host(): string {
    return this.#listener?.url ?? "http://conformance.invalid";
  }

  /**
   * Listens on a port of this machine.
   *
   * @throws {CannotRun} If this runtime cannot listen.
   */
  async listen(): Promise<void> {
    try {
      this.#listener = await listen((request) => this.#answer(request));
    } catch (error) {
      throw new CannotRun(messageOf(error));
    }
  }

  /** Frees the port. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }

  /** Adds a script, for pulls of the model that its play names. */
  play(script: AnswerScript): Play {
    const id = `subject-${++this.#count}`;
    const play = new Play(script.nameModel?.(id) ?? id, script);
    this.#plays.set(play, id);
    this.#latest = play;
    return play;
  }

  /** Forgets a script. */
  forget(play: Play): void {
    play.stop();
    this.#plays.delete(play);
  }

  /** The answer to a request: a script, or a text if the request is not a pull. */
  receive(request: ReceivedRequest): Play | string | undefined {
    const { path, body } = request;
    if (body === "" && Object.hasOwn(NEIGHBOURS, path)) return NEIGHBOURS[path];
    // Clients may add a tag or a namespace to the name.
    const named = [...this.#plays].find(([, id]) => containsWord(body, id));
    // A request with a wrong model name still gets the latest script, so that its rule sees the request.
    const play = named?.[0] ?? this.#latest;
    play?.requests.push(request);
    return play;
  }

  /** Answers a request as `fetch` does, following redirects. */
  readonly fetch = async (
    input: Request | string | URL,
    init?: RequestInit,
  ): Promise<Response> => {
    const request = new Request(input, init);
    const body = await request.clone().text();
    const response = await this.#answer(request);
    const location = response.headers.get("Location");
    if (location === null || request.redirect === "manual") return response;
    if (request.redirect === "error") throw new TypeError("The answer is a redirect");
    // Not every runtime copies the body from one request to the next.
    const { method, headers, signal } = request;
    const next = { method, headers, signal, ...(body !== "" && { body }) };
    return await this.#answer(new Request(new URL(location, request.url), next));
  };

  /** Answers one request. */
  async #answer(request: Request): Promise<Response> {
    request.signal.throwIfAborted();
    const { method, url, signal } = request;
    const received: ReceivedRequest = {
      method,
      path: new URL(url).pathname,
      body: await request.text(),
      acceptEncoding: request.headers.get("Accept-Encoding") ?? "",
    };
    const found = this.receive(received);
    if (!(found instanceof Play)) return new Response(found ?? null, { status: found ? 200 : 404 });
    const { status, contentType, contentLength, redirect } = found;
    if (redirect && found.redirects(received)) {
      return new Response(null, {
        status: redirect.status,
        headers: { Location: redirect.location },
      });
    }
    const headers = {
      "Content-Type": contentType,
      ...(contentLength !== undefined && { "Content-Length": String(contentLength) }),
    };
    const pauseMs = this.#listener && found.isPaced ? PAUSE_MS : 0;
    const body = streamOf(found, received, signal, pauseMs);
    // In process, no runtime's `fetch` would request a coding and decode it.
    const coding = this.#listener && allows(received, found.coding) ? found.coding : undefined;
    if (coding === undefined) return new Response(body, { status, headers });
    found.hasCompressed = true;
    return new Response(body.pipeThrough(new CompressionStream(coding)), {
      status,
      headers: { ...headers, "Content-Encoding": coding },
    });
  }
}

/** Whether a request is for a pull. */
export function isPull({ path }: ReceivedRequest): boolean {
  return path.endsWith("/api/pull");
}

/** Whether a request accepts a coding by name, and does not exclude it. */
function allows({ acceptEncoding }: ReceivedRequest, coding: ContentCoding | undefined): boolean {
  return acceptEncoding.toLowerCase().split(",")
    .map((entry) => entry.split(";").map((part) => part.trim()))
    .some(([name, quality = "q=1"]) => name === coding && !/^q=0(\.0*)?$/.test(quality));
}

/** Whether a text contains a name that is not followed by another digit. */
function containsWord(text: string, name: string): boolean {
  return text.split(name).slice(1).some((rest) => !/^\d/.test(rest));
}

/**
 * The pause before each chunk, in milliseconds, so that the previous one is read first and they are not
 * joined in transit.
 */
const PAUSE_MS = 1;

/** How many chunks of an answer are paced: an answer may have very many. */
const PACED_CHUNKS = 300;

/** The body of an answer, as `fetch` gives it: it fails when the request is aborted. */
function streamOf(
  play: Play,
  request: ReceivedRequest,
  signal: AbortSignal,
  pauseMs: number,
): ReadableStream<Bytes> {
  const chunks = play.chunks(request);
  let sent = 0;
  return new ReadableStream<Bytes>({
    start(controller) {
      signal.addEventListener("abort", () => {
        play.close();
        controller.error(signal.reason);
      }, { once: true });
    },
    async pull(controller) {
      if (pauseMs > 0 && sent++ < PACED_CHUNKS) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      const { done, value } = await chunks.next();
      if (signal.aborted) return;
      if (!done) return controller.enqueue(value);
      if (value === "end") return controller.close();
      controller.error(new TypeError("The connection broke"));
    },
    cancel: () => play.close(),
  }, { highWaterMark: 0 });
}
