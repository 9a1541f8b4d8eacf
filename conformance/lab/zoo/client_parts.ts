/**
 * A small, correct client, made of parts. A specimen has one of them replaced.
 *
 *     request ─▶ fetch ─▶ accept ─▶ decode ─▶ lines ─▶ parse ─▶ watch ─▶ follow ─▶ updates, and an end
 *
 * @module
 */

import type { ClientRun } from "../../client/subject.ts";
import type { StatusObject } from "../../generators/mod.ts";
import { bodyOf } from "../body.ts";

type Chunks = AsyncIterable<Uint8Array>;
type OnUpdate = (update: unknown) => void;

/**
 * Splits text into lines.
 *
 * @param flush Handles the text after the last newline, which may be empty.
 */
export async function* splitLines(
  texts: AsyncIterable<string>,
  flush: (rest: string) => readonly string[],
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  yield* flush(rest);
}

/** The parts of a client. */
export interface ClientParts {
  /** Builds the request. */
  readonly request: (run: ClientRun) => Request;
  /** Throws unless an answer is a stream to follow. */
  readonly accept: (response: Response) => Promise<void>;
  /** The chunks of a body. */
  readonly read: (body: ReadableStream<Uint8Array>, signal: AbortSignal) => Chunks;
  /** Decodes bytes to text. */
  readonly decode: (chunks: Chunks) => AsyncIterable<string>;
  /** Splits text into lines, without their line endings. */
  readonly split: (texts: AsyncIterable<string>) => AsyncIterable<string>;
  /** Parses a line as an object; `undefined` if it is meaningless. */
  readonly parse: (line: string) => StatusObject | undefined;
  /** Throws if objects arrive, but nothing new in them, for too long. */
  readonly watch: (objects: AsyncIterable<StatusObject>) => AsyncIterable<StatusObject>;
  /** Creates updates from objects. Ends on success, and throws otherwise. */
  readonly follow: (objects: AsyncIterable<StatusObject>, onUpdate: OnUpdate) => Promise<void>;
}

/** The parts of a correct client. */
export const correct: ClientParts = {
  request: ({ host, model, signal }) => requestOf(host, { model }, signal),

  async accept(response) {
    const type = response.headers.get("Content-Type") ?? "";
    if (response.ok && type.startsWith("text/html")) throw new Error("A page (text/html) came");
    await failOnStatus(response);
  },

  async *read(body, signal) {
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await withTimeLimit(reader.read());
        signal.throwIfAborted();
        if (done) return;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  },

  async *decode(chunks) {
    const decoder = new TextDecoder();
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  },

  split: (texts) => splitLines(texts, (rest) => [rest]),

  parse: (line) => line.trim() === "" ? undefined : JSON.parse(line),

  watch: watchFor(() => {
    const most = new Map<unknown, number>();
    return ({ digest, status, completed }) => {
      const layer = digest || status;
      const bytes = Number(completed ?? 0);
      const isNew = bytes > (most.get(layer) ?? -1);
      if (isNew) most.set(layer, bytes);
      return isNew;
    };
  }),

  async follow(objects, onUpdate) {
    for await (const object of objects) {
      failOnError(object);
      onUpdate(object);
      if (object.status === "success") return;
    }
    failOnEnd();
  },
};

/** How long the server may be silent, in milliseconds. */
export const TIME_LIMIT_MS = 40;

/** The error if it was silent for longer, or has repeated itself for as long. */
const TOO_LONG = "Nothing new has come for too long";

/** The number of parts of the limit. */
const PARTS = 8;

/**
 * Calls back after the limit, unless it is stopped. The limit elapses in parts, at most one per turn of the
 * event loop, so that a client does not give up just because a busy machine paused the whole process.
 */
function afterLimit(callback: () => void): () => void {
  let parts = 0;
  const timer = setInterval(() => {
    if (++parts < PARTS) return;
    clearInterval(timer);
    callback();
  }, TIME_LIMIT_MS / PARTS);
  return () => clearInterval(timer);
}

/**
 * Throws if objects arrive, but nothing new in them, for too long.
 *
 * @param startNews Creates a function that tells whether an object contains something new.
 */
export function watchFor(startNews: () => (object: StatusObject) => boolean): ClientParts["watch"] {
  return async function* (objects) {
    const isNew = startNews();
    let isTooLong = false;
    let stop = () => {};
    try {
      for await (const object of objects) {
        if (isNew(object)) {
          stop();
          isTooLong = false;
          stop = afterLimit(() => isTooLong = true);
        }
        if (isTooLong) throw new Error(TOO_LONG);
        yield object;
      }
    } finally {
      stop();
    }
  };
}

/** Waits for some work, and throws if it takes longer than the limit. */
export async function withTimeLimit<Value>(work: Promise<Value>): Promise<Value> {
  let stop = () => {};
  const limit = new Promise<never>((_, reject) => {
    stop = afterLimit(() => reject(new Error(TOO_LONG)));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    stop();
  }
}

/** A request for a pull. */
export function requestOf(host: string, fields: unknown, signal?: AbortSignal): Request {
  const body = JSON.stringify(fields);
  const path = host.endsWith("/") ? "api/pull" : "/api/pull";
  return new Request(host + path, { method: "POST", body, signal: signal ?? null });
}

/** Throws if an answer has an error status. */
export async function failOnStatus(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
}

/** Throws if an object contains an error in any form. */
export function failOnError({ error }: StatusObject): void {
  if (error === undefined || error === null) return;
  const { message = error } = Object(error);
  throw new Error(String(message));
}

/** Throws because there was no `success`. */
export function failOnEnd(): never {
  throw new Error("The stream has ended without success");
}

/** Pulls with these parts, and with the correct ones for the rest. */
export function pullWith(parts: Partial<ClientParts>): (run: ClientRun) => Promise<void> {
  const { request, accept, read, decode, split, parse, watch, follow } = { ...correct, ...parts };
  return async (run) => {
    const response = await run.fetch(request(run));
    await accept(response);
    const lines = split(decode(read(bodyOf(response), run.signal)));
    await follow(watch(parseAll(lines, parse)), run.onUpdate);
  };
}

async function* parseAll(
  lines: AsyncIterable<string>,
  parse: ClientParts["parse"],
): AsyncGenerator<StatusObject, void, void> {
  for await (const line of lines) {
    const object = parse(line);
    if (object) yield object;
  }
}
