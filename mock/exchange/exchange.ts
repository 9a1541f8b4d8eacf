/**
 * A request and its answer, from arrival to end. It ends when the answer was sent completely, a fault cut it
 * short, or the client disconnected.
 *
 * @module
 */

import { type Clock, type ClockTask, joinClock } from "../clock/clock.ts";
import type { Hold } from "../faults/hold.ts";
import { isWait, type SentAction, type Wait, type WaitAction } from "./actions.ts";
import type { OpenRequest, RequestLog, RequestOutcome } from "./request_log.ts";

/** What endpoints get besides the request. */
export interface MockEnvironment {
  Bindings: {
    /** The request and its answer. */
    exchange: Exchange;
  };
}

/** A request and its answer. */
export class Exchange {
  /** The log entry of the request. */
  readonly entry: OpenRequest;
  /** The outcome of an answer that is not streamed. */
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

  /** Whether the body is still being sent when the endpoint returns the answer. */
  get isStreamed(): boolean {
    return this.#isStreamed;
  }

  /**
   * Performs the waits up to the next other step, and returns that step, or the result at the end. Rejects
   * when the exchange ends.
   */
  async proceed<Step extends object, Result>(
    steps: Iterator<Step | WaitAction, Result, void>,
  ): Promise<IteratorResult<Step, Result>> {
    for (;;) {
      if (this.#over) throw this.#over.reason;
      const next = steps.next();
      if (next.done || !isWait(next.value)) return next as IteratorResult<Step, Result>;
      await this.wait(next.value);
    }
  }

  /** Waits for some time, or until a test releases the answer. Rejects when the exchange ends. */
  wait(wait: Wait): Promise<void> {
    return "ms" in wait ? this.#task.sleep(wait.ms) : this.#waitAt(wait.hold);
  }

  #waitAt(hold: Hold): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#over.reason);
      this.onEnd(() => reject(this.#over?.reason));
      hold.released.then(resolve);
      hold.arrive();
    });
  }

  /** Registers a function to call when the exchange ends. */
  onEnd(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends the exchange. Only the first call counts. */
  end(outcome: RequestOutcome, reason?: unknown): void {
    if (this.#over) return;
    this.#over = { reason };
    this.#signal.removeEventListener("abort", this.#leave);
    this.#task.leave(reason);
    for (const cleanup of this.#cleanups) cleanup();
    this.#log.end(this.entry, outcome);
  }

  /** The body of an answer: each action is performed when the reader asks for bytes. */
  stream(actions: Iterator<SentAction, void, void>): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#isStreamed = true;
    this.onEnd(() => void actions.return?.());
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => this.#advance(actions, controller),
      cancel: (reason) => this.end("cancelled", reason),
    }, { highWaterMark: 0 });
  }

  /** The body of an answer from elsewhere: each chunk is read when the reader asks for it. */
  relay(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    this.#isStreamed = true;
    const source = body.getReader();
    const letGo = () => void source.cancel().catch(() => {}); // it may have failed already
    if (this.#over) letGo();
    this.onEnd(letGo);
    return new ReadableStream<Uint8Array>({
      pull: (controller) => this.#forward(source, controller),
      cancel: (reason) => this.end("cancelled", reason),
    }, { highWaterMark: 0 });
  }

  async #forward(
    source: ReadableStreamDefaultReader<Uint8Array>,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    try {
      const { done, value } = await source.read();
      if (this.#over) throw this.#over.reason;
      if (done) return this.#close(controller, "finished");
      this.entry.bytesSent += value.length;
      controller.enqueue(value);
    } catch (error) {
      this.end("faulted");
      throw error;
    }
  }

  /** Performs actions up to the next one that sends bytes. */
  async #advance(
    actions: Iterator<SentAction, void, void>,
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    try {
      const { done, value: action } = await this.proceed(actions);
      if (done) return this.#close(controller, "finished");
      switch (action.do) {
        case "send":
          this.entry.bytesSent += action.bytes.length;
          controller.enqueue(action.bytes);
          if (action.ends) this.#close(controller, action.ends);
          return;
        case "end":
          return this.#close(controller, "faulted");
        case "reset":
          // The error of `fetch` and of response bodies when a connection breaks.
          throw new TypeError("The mock broke the connection");
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
