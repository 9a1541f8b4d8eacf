/**
 * `POST /api/pull`: reads the request, runs the pull, and writes what comes of it.
 *
 * @module
 */

import type { Context } from "hono";
import type { Catalog } from "./catalog.ts";
import { type Clock, type ClockTask, joinClock } from "./clock.ts";
import type { Dialect } from "./dialects.ts";
import type { BlobStore } from "./downloads.ts";
import { type Action, FaultInjector } from "./fault_injector.ts";
import type { ArmedFault, FaultKind } from "./faults.ts";
import { BodyError, parseBody } from "./go_json.ts";
import { type ModelName, parseModelName } from "./model_name.ts";
import type { Model } from "./models.ts";
import { PullFailure, PullJob } from "./pull_job.ts";
import type { MockEnvironment, OpenRequest, RequestLog, RequestOutcome } from "./request_log.ts";

/** What the endpoint works with. */
export interface PullEndpointOptions {
  readonly catalog: Catalog;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  readonly tickMs: number;
  readonly clock: () => Clock;
  readonly log: RequestLog;
  /** Picks the faults for a pull. */
  readonly faultsFor: (name: ModelName) => readonly ArmedFault[];
}

const FIELDS = {
  model: "string",
  name: "string",
  insecure: "bool",
  stream: "bool",
  username: "string",
  password: "string",
} as const;

/** Bytes to send, and how the pull ends with them, if it does. */
interface Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends?: RequestOutcome;
}

type ActionOrLast = Action & Pick<Chunk, "ends">;

/** The connection breaks. */
class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

/** Answers a pull. */
export async function answerPull(
  context: Context<MockEnvironment>,
  options: PullEndpointOptions,
): Promise<Response> {
  const { entry, signal } = context.env;
  const { log, catalog, faultsFor } = options;
  const answer = (status: number, body: unknown) => {
    log.end(entry, "finished");
    return Response.json(body, { status });
  };

  const text = await context.req.text();
  let fields: Record<string, unknown>;
  try {
    fields = parseBody(text, "PullRequest", FIELDS);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    entry.body = text;
    return answer(400, { error: error.message });
  }
  entry.body = fields;
  // Observed: `name` counts when `model` is absent or empty.
  entry.model = String(fields.model || fields.name || "");
  const name = parseModelName(entry.model);
  if (!name) return answer(400, { error: "invalid model name" });

  const model = await catalog.find(name);
  const pull = new Pull(model, faultsFor(name), signal, entry, options);
  const failure = await pull.failEarly();
  if (failure) return failure;
  if (name.scheme === "http" && fields.insecure !== true) {
    return pull.answer(500, { error: "insecure protocol http" });
  }
  return fields.stream === false ? await pull.answerAtEnd() : pull.answerWithStream();
}

/** One pull for one caller. */
class Pull {
  readonly #faults: readonly ArmedFault[];
  readonly #entry: OpenRequest;
  readonly #log: RequestLog;
  readonly #task: ClockTask;
  readonly #stop = new AbortController();
  readonly #job: PullJob;
  readonly #injector: FaultInjector;

  constructor(
    model: Model | undefined,
    faults: readonly ArmedFault[],
    signal: AbortSignal,
    entry: OpenRequest,
    options: PullEndpointOptions,
  ) {
    const { catalog, store, dialect, tickMs, log } = options;
    const clock = options.clock();
    this.#faults = faults;
    this.#entry = entry;
    this.#log = log;
    this.#task = joinClock(clock);
    this.#job = new PullJob({
      model,
      store,
      dialect,
      tickMs,
      now: () => clock.now(),
      task: this.#task,
      signal: this.#stop.signal,
      install: (pulled) => catalog.install(pulled),
    });
    const onStrike = (kind: FaultKind) => void entry.faults.push(kind);
    this.#injector = new FaultInjector(faults, this.#job, model, onStrike);
    const leave = () => this.#cancel(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
  }

  /** Fails, or only waits, before there is an answer, if a fault says so. */
  async failEarly(): Promise<Response | undefined> {
    const slow = this.#takeFault("slow-first-byte");
    if (slow) await this.#sleep(Number(slow.parameters.ms));
    const fault = this.#takeFault("http-error");
    if (!fault) return undefined;
    const { status, body, message } = fault.parameters;
    this.#end("faulted");
    const init = { status: Number(status) };
    if (body === "html") {
      const html =
        `<html><head><title>${status}</title></head><body><h1>${message}</h1></body></html>`;
      return new Response(html, { ...init, headers: { "Content-Type": "text/html" } });
    }
    return body === "json" ? Response.json({ error: message }, init) : new Response(null, init);
  }

  answer(status: number, body: unknown): Response {
    this.#end("finished");
    return Response.json(body, { status });
  }

  /** Spec: "if false the response will be returned as a single response object". */
  async answerAtEnd(): Promise<Response> {
    for await (const action of this.#actions()) {
      if (action.do === "wait") await this.#sleep(action.ms);
      if (action.do === "end" || action.do === "reset") return this.#brokenAnswer(action.do);
      if (action.do !== "fail") continue;
      this.#end(action.byFault ? "faulted" : "finished");
      return Response.json({ error: action.message }, { status: 500 });
    }
    return this.answer(200, { status: "success" });
  }

  /** A single object that does not arrive whole. */
  #brokenAnswer(how: "end" | "reset"): Response {
    this.#end("faulted");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"status":"succ'));
      },
      pull(controller) {
        if (how === "end") controller.close();
        else controller.error(new ConnectionReset("The mock broke the connection"));
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "Content-Type": "application/json" } });
  }

  /** Spec: "a stream of JSON objects is returned". */
  answerWithStream(): Response {
    const chunks = this.#chunks();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        this.#stop.signal.throwIfAborted();
        const { done, value } = await chunks.next();
        if (done) return controller.close();
        const { bytes, ends } = value;
        this.#entry.bytesSent += bytes.length;
        if (ends) this.#end(ends); // a client need not wait for the end after the last chunk
        controller.enqueue(bytes);
        if (!ends) return;
        controller.close();
        await chunks.return();
      },
      cancel: (reason) => this.#cancel(reason),
    }, { highWaterMark: 0 });
    this.#stop.signal.addEventListener("abort", () => void chunks.return());
    return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
  }

  /** The chunks of the stream, each when it is due. */
  async *#chunks(): AsyncGenerator<Chunk, void, void> {
    for await (const action of this.#actions()) {
      switch (action.do) {
        case "send":
          yield action;
          break;
        case "wait":
          await this.#sleep(action.ms);
          break;
        case "fail": {
          const outcome = action.byFault ? "faulted" : "finished";
          for (const last of markLast(this.#injector.errorLine(action.message), outcome)) {
            if (last.do === "send") yield last;
          }
          return;
        }
        case "end":
          return this.#end("faulted");
        case "reset":
          this.#end("faulted");
          throw new ConnectionReset("The mock broke the connection");
      }
    }
  }

  /** What to do, one thing after another. */
  async *#actions(): AsyncGenerator<ActionOrLast, void, void> {
    try {
      for await (const event of this.#job.run()) {
        const actions = this.#injector.event(event);
        yield* event.phase === "success" ? markLast(actions, "finished") : actions;
      }
    } catch (error) {
      if (!(error instanceof PullFailure)) throw error;
      yield { do: "fail", message: error.message, byFault: false };
    }
  }

  #takeFault(kind: FaultKind): ArmedFault | undefined {
    const fault = this.#faults.find((each) => each.kind === kind);
    if (fault) this.#entry.faults.push(kind);
    return fault;
  }

  async #sleep(milliseconds: number): Promise<void> {
    await this.#task.sleep(milliseconds, this.#stop.signal);
  }

  #cancel(reason: unknown): void {
    this.#end("cancelled");
    this.#stop.abort(reason);
  }

  #end(outcome: RequestOutcome): void {
    this.#task.leave();
    this.#log.end(this.#entry, outcome);
  }
}

/** Marks the last chunk among the last actions of a pull with how the pull ends. */
function* markLast(
  actions: Iterable<Action>,
  outcome: RequestOutcome,
): Generator<ActionOrLast, void, void> {
  const all = [...actions];
  const last = all.findLastIndex((action) => action.do === "send");
  for (const [index, action] of all.entries()) {
    yield index === last ? { ...action, ends: outcome } : action;
  }
}
