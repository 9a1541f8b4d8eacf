/**
 * A server that answers each pull with a script: which bytes, in which chunks, and how the body ends.
 * Clients are tested against it, in process or on a port.
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
  /** Whether each chunk should arrive by itself, even over a network. @default {false} */
  readonly paced?: boolean | undefined;
  /** How the body ends. @default {"end"} */
  readonly ending?: AnswerEnding | undefined;
  /** The time between two chunks of an answer that repeats its last one, in milliseconds. @default {10} */
  readonly repeatMs?: number | undefined;
  /** The chunk before which the server waits for {@link Play.release}, counted from 0. */
  readonly holdBefore?: number | undefined;
}

/** A request that arrived. */
export interface ReceivedRequest {
  /** Its method. */
  readonly method: string;
  /** Its path. */
  readonly path: string;
  /** Its body. */
  readonly body: string;
}

/** One script being played, to the one client that pulls its model. */
export class Play {
  /** The name of the model to pull. */
  readonly model: string;
  /** The HTTP status. */
  readonly status: number;
  /** The `Content-Type`. */
  readonly contentType: string;
  /** Whether each chunk should arrive by itself. */
  readonly isPaced: boolean;
  /** The requests that arrived. */
  readonly requests: ReceivedRequest[] = [];
  /** Resolves when the client closes the connection before the answer has ended. */
  readonly closedByClient: Promise<void>;
  /** Resolves when the server sends nothing for now: it waits, or has ended the answer. */
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
    this.isPaced = script.paced ?? false;
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

  /** Ends what is still open. */
  stop(): void {
    this.#release();
    this.#stop();
  }

  /** Notes that the client has closed the connection. */
  close(): void {
    this.#noteClosed();
    this.stop();
  }

  /** The request and the answer, for reports. */
  get exchange(): Exchange {
    const { status, contentType } = this;
    const { chunks, ending = "end" } = this.#script;
    const [request] = this.requests;
    if (!request) return { request: "none" };
    return {
      request: `${request.method} ${request.path} ${request.body}`,
      answer: { status, contentType, chunks: showChunks(chunks), ending },
    };
  }

  /** The chunks of the answer, each when it is due, and then how its body ends. */
  async *chunks(): AsyncGenerator<Bytes, "end" | "reset", void> {
    const { chunks, ending = "end", repeatMs = 10, holdBefore } = this.#script;
    for (const [index, chunk] of chunks.entries()) {
      if (index === holdBefore) {
        this.#noteSilent();
        await this.#released;
      }
      yield chunk.slice();
    }
    this.#noteSilent();
    if (ending === "end" || ending === "reset") return ending;
    const last = chunks.at(-1);
    while (ending === "repeat" && last && !await within(this.#stopped, repeatMs)) {
      yield last.slice();
    }
    await this.#stopped;
    return "reset";
  }
}

/** What clients may request before a pull, to see whether the server runs. */
const NEIGHBOURS: Readonly<Record<string, string>> = {
  "/": GREETING,
  "/api/version": JSON.stringify({ version: SERVER_VERSION }),
};

/** Plays scripts, on a port or in process. */
export class ScriptedServer {
  readonly #plays = new Map<string, Play>();
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
      this.#listener = await listen((request) => this.fetch(request));
    } catch (error) {
      throw new CannotRun(messageOf(error));
    }
  }

  /** Frees the port. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }

  /** Adds a script, which answers pulls of the model that its play names. */
  play(script: AnswerScript): Play {
    const play = new Play(`subject-${++this.#count}`, script);
    this.#plays.set(play.model, play);
    this.#latest = play;
    return play;
  }

  /** Forgets a script. */
  forget(play: Play): void {
    play.stop();
    this.#plays.delete(play.model);
  }

  /** The answer to a request: a script, or a text if the request is not for a pull. */
  receive(request: ReceivedRequest): Play | string | undefined {
    const { path, body } = request;
    if (body === "" && Object.hasOwn(NEIGHBOURS, path)) return NEIGHBOURS[path];
    // Clients may add a tag or a namespace to the name.
    const named = [...this.#plays.values()].find(({ model }) => containsWord(body, model));
    // A request that names the model wrongly still gets the latest script, whose rule then sees it.
    const play = named ?? this.#latest;
    play?.requests.push(request);
    return play;
  }

  /** Answers a request. */
  readonly fetch = async (
    input: Request | string | URL,
    init?: RequestInit,
  ): Promise<Response> => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const { method, url, signal } = request;
    const body = await request.text();
    const found = this.receive({ method, path: new URL(url).pathname, body });
    if (!(found instanceof Play)) return new Response(found ?? null, { status: found ? 200 : 404 });
    const { status, contentType } = found;
    const headers = { "Content-Type": contentType };
    const pauseMs = this.#listener && found.isPaced ? PAUSE_MS : 0;
    return new Response(streamOf(found, signal, pauseMs), { status, headers });
  };
}

/** Whether a text contains a name that is not followed by another digit. */
function containsWord(text: string, name: string): boolean {
  return text.split(name).slice(1).some((rest) => !/^\d/.test(rest));
}

/**
 * The pause before each chunk, in milliseconds, so that the previous one is read and they are not joined
 * on the way.
 */
const PAUSE_MS = 1;

/** How many chunks of an answer are paced, since an answer may have very many. */
const PACED_CHUNKS = 100;

/** The body of an answer, as `fetch` gives it: it fails when the request is aborted. */
function streamOf(play: Play, signal: AbortSignal, pauseMs: number): ReadableStream<Uint8Array> {
  const chunks = play.chunks();
  let sent = 0;
  return new ReadableStream<Uint8Array>({
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
