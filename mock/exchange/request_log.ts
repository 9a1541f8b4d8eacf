/**
 * The log of requests and of how each one ended.
 *
 * @module
 */

import type { FaultKind } from "../faults/kinds.ts";

/**
 * How a request ended: `running` (not yet), `finished` (the answer was sent completely, whether a success or
 * a failure), `cancelled` (by the client), or `faulted` (cut short by a fault, by the fallback or as
 * recorded).
 */
export type RequestOutcome = "running" | "finished" | "cancelled" | "faulted";

/** A request that arrived. */
export interface LoggedRequest {
  /** Its number, counted from 1. */
  readonly id: number;
  /** Its method. */
  readonly method: string;
  /** Its path. */
  readonly path: string;
  /** The headers. */
  readonly headers: Headers;
  /** The body: parsed if it is JSON, else text. `undefined` if it is empty or long. */
  readonly body: unknown;
  /** The model named by a pull. */
  readonly model: string | undefined;
  /** The HTTP status of the answer, or `undefined` before there is one. */
  readonly status: number | undefined;
  /** How it ended. */
  readonly outcome: RequestOutcome;
  /** The error message in the answer; `undefined` if the request succeeded or has not ended. */
  readonly error: string | undefined;
  /** The faults that struck it, in order. */
  readonly faults: readonly FaultKind[];
  /** The number of bytes sent, if the answer's body is streamed. */
  readonly bytesSent: number;
  /** When it arrived, in milliseconds of the mock's clock. */
  readonly startedAt: number;
  /** When it ended, in milliseconds of the mock's clock; `undefined` while it runs. */
  readonly endedAt: number | undefined;
}

/** A request while the mock logs it. */
export type OpenRequest = {
  -readonly [Key in keyof LoggedRequest]: Key extends "faults" ? FaultKind[] : LoggedRequest[Key];
};

/** How many requests are kept, so that the log of a long-running mock does not grow. */
const MAX_ENTRIES = 10_000;

/** The request log of a mock. */
export class RequestLog {
  readonly #now: () => number;
  readonly #onEnd: (request: LoggedRequest) => void;
  #entries: OpenRequest[] = [];
  #count = 0;
  /** Called when a request has ended, or the log is cleared. */
  readonly #watchers = new Set<() => void>();

  constructor(now: () => number, onEnd: (request: LoggedRequest) => void) {
    this.#now = now;
    this.#onEnd = onEnd;
  }

  /** The requests, in the order in which they arrived. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Logs a request that arrived. */
  begin({ method, url, headers }: Request): OpenRequest {
    const request: OpenRequest = {
      id: ++this.#count,
      method,
      path: new URL(url).pathname,
      headers,
      body: undefined,
      model: undefined,
      status: undefined,
      outcome: "running",
      error: undefined,
      faults: [],
      bytesSent: 0,
      startedAt: this.#now(),
      endedAt: undefined,
    };
    this.#entries.push(request);
    if (this.#entries.length >= 2 * MAX_ENTRIES) this.#entries = this.#entries.slice(-MAX_ENTRIES);
    return request;
  }

  /** Logs how a request ended. Only the first call counts. */
  end(request: OpenRequest, outcome: RequestOutcome): void {
    if (request.outcome !== "running") return;
    request.outcome = outcome;
    request.endedAt = this.#now();
    this.#onEnd(request);
    for (const watch of this.#watchers) watch();
  }

  /**
   * Waits until a request has ended.
   *
   * @param number Which of the kept requests, counted from 1.
   * @param path Count only requests to this path.
   */
  ended(number: number, path?: string, signal?: AbortSignal): Promise<LoggedRequest> {
    const find = () => {
      const counted = this.#entries.filter((each) => path === undefined || each.path === path);
      const request = counted[number - 1];
      return request?.outcome === "running" ? undefined : request;
    };
    return new Promise((resolve, reject) => {
      const watch = () => {
        const request = find();
        if (!request && !signal?.aborted) return;
        this.#watchers.delete(watch);
        signal?.removeEventListener("abort", watch);
        if (request) resolve(request);
        else reject(signal?.reason);
      };
      this.#watchers.add(watch);
      signal?.addEventListener("abort", watch);
      watch();
    });
  }

  /** Clears the log, and counts from 1 again. */
  clear(): void {
    this.#entries = [];
    this.#count = 0;
  }
}
