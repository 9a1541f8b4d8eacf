/**
 * Records pulls as they happen: a `fetch` that writes down everything that passes through it.
 *
 * Every line is written at once. So nothing is kept in memory, and the recording survives if the program is
 * killed.
 *
 * @module
 */

import { diagnose } from "../../src/pull/diagnosis.ts";
import type { PullRequestInit } from "../../src/pull/options.ts";
import { ExchangeLines, headerLine, type RecordingHeader } from "./format.ts";
import type { RecordedEnd } from "./recording.ts";

/** The type of the `fetch` of a pull. */
export type PullFetch = (url: string, init: PullRequestInit) => Response | Promise<Response>;

/** Where a {@link Recorder} writes, and its clock. */
export interface RecorderOptions {
  /** Writes a line of the recording. */
  readonly write: (line: string) => void;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** Records pulls. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #startedAt: number;
  readonly #open = new Set<OpenExchange>();
  #count = 0;

  constructor(header: RecordingHeader, options: RecorderOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    options.write(headerLine(header));
  }

  /** Creates a `fetch` that records each request and its answer. */
  record(fetch: PullFetch): (url: string, init: PullRequestInit) => Promise<Response> {
    return async (url, init) => {
      const exchange = this.#begin(url, init);
      try {
        const response = await fetch(url, init);
        return exchange.answer(response);
      } catch (error) {
        exchange.fail(error);
        throw error;
      }
    };
  }

  /** Ends the exchanges that are still open, because nobody will read on. */
  close(): void {
    for (const exchange of this.#open) exchange.end("left");
  }

  #begin(url: string, init: PullRequestInit): OpenExchange {
    const exchange: OpenExchange = new OpenExchange(
      new ExchangeLines(++this.#count),
      init.signal,
      this.#options,
      () => this.#open.delete(exchange),
    );
    this.#open.add(exchange);
    const startedAtMs = roundTime(this.#options.now() - this.#startedAt);
    exchange.write((lines) =>
      lines.request({ startedAtMs, request: { url: addressOf(url), body: bodyOf(init.body) } })
    );
    return exchange;
  }
}

/** An exchange being recorded. */
class OpenExchange {
  readonly #lines: ExchangeLines;
  readonly #signal: AbortSignal;
  readonly #options: RecorderOptions;
  readonly #onEnd: () => void;
  readonly #startedAt: number;
  #isOver = false;

  constructor(
    lines: ExchangeLines,
    signal: AbortSignal,
    options: RecorderOptions,
    onEnd: () => void,
  ) {
    this.#lines = lines;
    this.#signal = signal;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#startedAt = options.now();
  }

  /** Writes a line, unless the exchange has ended. */
  write(lineOf: (lines: ExchangeLines, atMs: number) => string): void {
    if (this.#isOver) return;
    const atMs = roundTime(this.#options.now() - this.#startedAt);
    this.#options.write(lineOf(this.#lines, atMs));
  }

  /** Records an answer. Returns one whose body is recorded as it is read. */
  answer(response: Response): Response {
    const { status, headers, body } = response;
    const contentType = headers.get("Content-Type");
    const retryAfter = headers.get("Retry-After") ?? undefined;
    this.write((lines, atMs) => lines.answer({ atMs, status, contentType, retryAfter }));
    if (body) return new Response(this.#tap(body), response);
    this.end("whole");
    return response;
  }

  /** Records that the connection failed, or that the client closed it. */
  fail(error: unknown): void {
    if (this.#signal.aborted) return this.end("left");
    this.end("broken", withoutLogin(diagnose(error).words));
  }

  /** Records the end. Only the first call counts. */
  end(how: RecordedEnd["how"], reason?: string): void {
    this.write((lines, atMs) => lines.end({ atMs, how, reason }));
    this.#isOver = true;
    this.#onEnd();
  }

  /** The same body, recording each chunk as it arrives. */
  #tap(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = body.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            this.write((lines, atMs) => lines.chunk({ atMs, bytes: value }));
            return controller.enqueue(value);
          }
        } catch (error) {
          this.fail(error);
          throw error;
        }
        // A body that a signal aborts may look complete.
        this.end(this.#signal.aborted ? "left" : "whole");
        controller.close();
      },
      cancel: (reason) => {
        this.end("left");
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }
}

/** A time in milliseconds, without decimals beyond a clock's precision. */
function roundTime(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

/** An address without the parts that may be secret: user name, password, query and fragment. */
function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The request fields that are recorded. Others, such as `password`, may be secret. */
const RECORDED_FIELDS = ["model", "name", "insecure", "stream"];

/** The recorded part of a request's body. */
function bodyOf(body: string): unknown {
  const fields = Object.entries(JSON.parse(body));
  return Object.fromEntries(fields.filter(([name]) => RECORDED_FIELDS.includes(name)));
}

/** A runtime's message without user names and passwords, such as those of a proxy. */
function withoutLogin(words: string): string {
  return words.replaceAll(/\/\/[^\s/]*@/g, "//***@");
}
