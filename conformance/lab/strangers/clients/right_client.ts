/**
 * A correct client, as the control, made of parts. A stranger replaces some of them.
 *
 *     address, body ─▶ send ─▶ accept ─▶ receive ─▶ decode ─▶ split ─▶ parse ─▶ judge ─▶ report ─▶ end
 *                                           ▲                            │
 *                                         limit ◀──────── watch ─────────┘
 *
 * @module
 */

import type { ClientRun, ClientSubject } from "../../../client/subject.ts";
import { bodyOf } from "../../body.ts";
import { messageOf, reasonOf } from "./messages.ts";
import { startTimeLimit, type TimeLimit } from "./time_limit.ts";

/** The value of a line. */
export interface PullObject {
  readonly status?: unknown;
  readonly digest?: unknown;
  readonly total?: unknown;
  readonly completed?: unknown;
  readonly error?: unknown;
}

/** Where an object was found. */
export interface Context {
  /** The line that holds it. */
  readonly line: string;
  /** The latest status before it; empty before the first. */
  readonly statusBefore: string;
}

/** Reports an object. */
export type Report = (object: PullObject, context: Context) => void;

/** The parts of a client. */
export interface ClientParts {
  /** The address of the request. */
  readonly address: (host: string) => URL;
  /** The body of the request. */
  readonly body: (model: string) => Readonly<Record<string, unknown>>;
  /** Makes the request. */
  readonly send: (run: ClientRun, url: URL, init: RequestInit) => Promise<Response>;
  /** Throws unless the answer is a pull. */
  readonly accept: (response: Response) => Promise<void>;
  /** Decodes bytes as text, however they are cut. */
  readonly decode: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<string>;
  /** Splits text into lines, without the newline. */
  readonly split: (texts: AsyncIterable<string>) => AsyncIterable<string>;
  /** Starts to watch: renews a time limit whenever an object has news, and holds it otherwise. */
  readonly watch: (limit: TimeLimit) => (object: PullObject) => void;
  /** Throws if an object reports an error. */
  readonly judge: (object: PullObject, context: Context) => void;
  /** Starts to report a pull. */
  readonly startReport: (onUpdate: ClientRun["onUpdate"]) => Report;
  /** Whether an object ends the pull in success. */
  readonly isSuccess: (object: PullObject, context: Context) => boolean;
  /** Handles the lines after success. */
  readonly afterSuccess: (lines: AsyncIterable<string>) => Promise<void>;
  /** Ends a pull that has no success after its last status. */
  readonly atEnd: (lastStatus: string) => void;
}

/** The longest time without news, in milliseconds. */
export const TIME_LIMIT_MS = 100;

/** The connection broke before the answer was complete. */
export class ConnectionLost extends Error {}

/** Statuses that come after all downloads. */
export const FINAL_STATUSES: readonly unknown[] = [
  "verifying sha256 digest",
  "writing manifest",
  "removing any unused layers",
  "removing unused layers",
  "success",
];

/** The parts of a correct client that passes on the server's statuses. */
export const RIGHT_PARTS: ClientParts = {
  address(host) {
    const url = new URL(host);
    url.pathname = `${
      url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname
    }/api/pull`;
    return url;
  },

  body: (model) => ({ model }),

  send: (run, url, init) => run.fetch(url, init),

  async accept(response) {
    if (!response.ok) {
      const reason = reasonOf(await response.text());
      throw new Error(`HTTP ${response.status} ${response.statusText}: ${reason}`);
    }
    const type = response.headers.get("Content-Type") ?? "";
    if (type.startsWith("text/html")) throw new Error("A web page (text/html) came, not a pull");
  },

  async *decode(chunks) {
    const decoder = new TextDecoder();
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  },

  split: splitLines,

  watch: watchFor(() => {
    const seen = new Map<unknown, number>();
    return ({ status, digest, completed }) => {
      const key = digest ?? status;
      const bytes = Number(completed ?? 0);
      const isNew = bytes > (seen.get(key) ?? -1);
      if (isNew) seen.set(key, bytes);
      return isNew;
    };
  }),

  judge({ error }) {
    if (typeof error !== "string" && typeof error !== "object" || error === null) return;
    throw new Error(messageOf(error));
  },

  startReport: (onUpdate) => onUpdate,

  isSuccess: ({ status }) => status === "success",

  afterSuccess: () => Promise.resolve(),

  atEnd(lastStatus) {
    throw new Error(`The pull ended without success, after ${JSON.stringify(lastStatus)}`);
  },
};

/** How many consecutive lines without news are still normal for a running download. */
const REPEATS = 2;

/**
 * Watches for new objects.
 *
 * @param startNews Starts to tell whether an object has something new, from one to the next.
 */
export function watchFor(startNews: () => (object: PullObject) => boolean): ClientParts["watch"] {
  return (limit) => {
    const isNew = startNews();
    let repeats = 0;
    return (object) => {
      repeats = isNew(object) ? 0 : repeats + 1;
      if (repeats === 0) limit.renew();
      if (repeats > REPEATS) limit.hold();
    };
  };
}

/** Text as lines, of which the last may lack its newline. */
export async function* splitLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}

/** Pulls with the given parts, and the correct ones for the rest. */
export function pullWith(replaced: Partial<ClientParts> = {}): ClientSubject["pull"] {
  const parts = { ...RIGHT_PARTS, ...replaced };
  return async (run) => {
    const limit = startTimeLimit(TIME_LIMIT_MS);
    const signal = AbortSignal.any([run.signal, limit.signal]);
    try {
      const response = await ask(parts, run, signal);
      await parts.accept(response);
      const chunks = receive(bodyOf(response), signal, limit);
      await follow(parts, parts.split(parts.decode(chunks)), limit, run.onUpdate);
    } finally {
      limit.end();
    }
  };
}

async function ask(parts: ClientParts, run: ClientRun, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted();
  const init: RequestInit = {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept": "application/x-ndjson" },
    body: JSON.stringify(parts.body(run.model)),
    signal,
  };
  // Some in-process `fetch` functions ignore the signal.
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([parts.send(run, parts.address(run.host), init), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The chunks of a body until it ends. Closes the connection when the caller stops early. */
async function* receive(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  limit: TimeLimit,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        signal.throwIfAborted();
        throw new ConnectionLost(`The connection broke: ${error?.message ?? error}`);
      });
      signal.throwIfAborted();
      if (done) return;
      limit.touch();
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

async function follow(
  parts: ClientParts,
  lines: AsyncIterable<string>,
  limit: TimeLimit,
  onUpdate: ClientRun["onUpdate"],
): Promise<void> {
  const watch = parts.watch(limit);
  const report = parts.startReport(onUpdate);
  let statusBefore = "";
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const object = parse(line);
    const context = { line, statusBefore };
    watch(object);
    parts.judge(object, context);
    report(object, context);
    if (parts.isSuccess(object, context)) return await parts.afterSuccess(lines);
    statusBefore = String(object.status ?? statusBefore);
  }
  parts.atEnd(statusBefore);
}

function parse(line: string): PullObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A message of its own, below.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Error(`A line is not a JSON object: ${JSON.stringify(line.slice(0, 60))}`);
}

/** The control: it breaks nothing, and passes on the server's statuses. */
export const rightClient: ClientSubject = {
  name: "a right client",
  reports: "statuses",
  transport: "in-process",
  timeLimitMs: TIME_LIMIT_MS,
  pull: pullWith(),
};
