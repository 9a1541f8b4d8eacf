/**
 * A request and its answer, from the moment when it arrives until it has ended, however that comes
 * about: the answer was sent whole, a fault cut it short, or the client left.
 *
 * @module
 */

import { type Clock, type ClockTask, joinClock } from "../clock/clock.ts";
import type { SentAction } from "./actions.ts";
import type { OpenRequest, RequestLog, RequestOutcome } from "./request_log.ts";

/** What an endpoint is told besides the request. */
export interface MockEnvironment {
  Bindings: {
    /** The request and its answer. */
    exchange: Exchange;
  };
}

/** The connection breaks. */
class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";

  constructor() {
    super("The mock broke the connection");
  }
}

/** A request and its answer. */
export class Exchange {
  /** Where the request is written down. */
  readonly entry: OpenRequest;
  /** How it ends with an answer that is not streamed. */
  outcome: RequestOutcome = "finished";
  readonly #log: RequestLog;
  readonly #task: ClockTask;
  readonly #signal: AbortSignal;
  readonly #leave = () => this.end("cancelled", this.#signal.reason);
  readonly #cleanups: (() => void)[] = [];
  #isStreamed = false;
  #over: { readonly reason: unknown } | undefined;

  constructor(request: Request, log: RequestLog, clock: Clock) {
    this.entry = log.begin(request);
    this.#log = log;
    this.#task = joinClock(clock);
    this.#signal = request.signal;
    this.#signal.addEventListener("abort", this.#leave, { once: true });
    if (this.#signal.aborted) this.#leave();
  }

  /** Whether the answer is still being sent when the endpoint has given it. */
  get isStreamed(): boolean {
    return this.#isStreamed;
  }

  /** Waits for a number of milliseconds. Rejects when the exchange ends. */
  sleep(milliseconds: number): Promise<void> {
    return this.#task.sleep(milliseconds);
  }

  /** Has something done when the exchange ends. */
  onEnd(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends the exchange. How it ended first is what counts. */
  end(outcome: RequestOutcome, reason?: unknown): void {
    if (this.#over) return;
    this.#over = { reason };
    this.#signal.removeEventListener("abort", this.#leave);
    this.#task.leave(reason);
    for (const cleanup of this.#cleanups) cleanup();
    this.#log.end(this.entry, outcome);
  }

  /** The body of an answer that consists of actions, each performed when it is asked for. */
  stream(actions: Iterator<SentAction, void, void>): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#isStreamed = true;
    this.onEnd(() => void actions.return?.());
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => this.#advance(actions, controller),
      cancel: (reason) => this.end("cancelled", reason),
    }, { highWaterMark: 0 });
  }

  /** Performs actions up to the next one that sends something. */
  async #advance(
    actions: Iterator<SentAction, void, void>,
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    try {
      for (;;) {
        if (this.#over) throw this.#over.reason;
        const { done, value: action } = actions.next();
        if (done) return this.#close(controller, "finished");
        switch (action.do) {
          case "wait":
            await this.sleep(action.ms);
            break;
          case "send":
            this.entry.bytesSent += action.bytes.length;
            controller.enqueue(action.bytes);
            if (action.ends) this.#close(controller, action.ends);
            return;
          case "end":
            return this.#close(controller, "faulted");
          case "reset":
            throw new ConnectionReset();
        }
      }
    } catch (error) {
      this.end("faulted");
      throw error;
    }
  }

  #close(controller: ReadableStreamDefaultController, outcome: RequestOutcome): void {
    this.end(outcome);
    controller.close();
  }
}
