/**
 * `POST /api/pull`: reads the request, runs the pull, and streams its status lines.
 *
 * @module
 */

import type { Context } from "hono";
import type { Dialect, WireError } from "../../src/dialects.ts";
import { type Action, markLast, type SentAction } from "../exchange/actions.ts";
import type { Exchange, MockEnvironment } from "../exchange/exchange.ts";
import { answerJson, JSON_TYPE } from "../exchange/json_answer.ts";
import type { RequestOutcome } from "../exchange/request_log.ts";
import type { ArmedFault } from "../faults/faults.ts";
import { milestonesOf } from "../pull/milestones.ts";
import type { Catalog } from "../models/catalog.ts";
import type { ModelName } from "../models/model_name.ts";
import type { Model } from "../models/models.ts";
import type { BlobStore } from "../pull/downloads.ts";
import { FaultInjector } from "../pull/fault_injector.ts";
import { beginTime, type Obstacle, PullFailure, PullJob } from "../pull/job.ts";
import { obstacleTo } from "../pull/obstacles.ts";
import type { RecordedModels } from "../recordings/recorded_models.ts";
import { failEarly } from "./early_faults.ts";
import { replayPull } from "./replay.ts";
import { modelOf, readBody } from "./request_body.ts";
import { INVALID_NAME, requireName } from "./requested_name.ts";

/** Options of the endpoint. */
export interface PullEndpointOptions {
  readonly catalog: Catalog;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  readonly tickMs: number;
  /** The downloads' clock, in milliseconds. */
  readonly now: () => number;
  /** Whether the clock is exact, as a virtual one is. */
  readonly isNeverLate: boolean;
  /** The models with recorded pulls. */
  readonly recorded: RecordedModels;
  /** How fast to play recorded pulls, as a multiple of the recorded speed. */
  readonly replaySpeed: number;
  /** Chooses the faults for a pull. */
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

/** Answers a pull. */
export async function answerPull(
  context: Context<MockEnvironment>,
  options: PullEndpointOptions,
): Promise<Response> {
  const { exchange } = context.env;
  const fields = await readBody(context, "PullRequest", FIELDS);
  exchange.entry.model = modelOf(fields);
  const words = { missing: INVALID_NAME, invalid: INVALID_NAME };
  const name = requireName(exchange.entry.model, options.dialect, words);

  const faults = options.faultsFor(name);
  const failure = await failEarly(exchange, faults);
  if (failure) return failure;
  const recorded = options.recorded.next(name, fields.stream === false ? "single" : "stream");
  if (recorded) return await replayPull(exchange, recorded, { ...options, faults });
  const found = await options.catalog.find(name);
  const connection = fields.insecure === true ? "insecure" : "secure";
  const obstacle = obstacleTo({ name, model: found, connection, dialect: options.dialect });
  const model = obstacle ? undefined : found;
  const lines = fields.stream === false ? "last" : "all";
  const pull = new Pull(exchange, { ...options, model, obstacle, faults, lines });
  return lines === "all" ? pull.answerWithStream() : await pull.answerOnce();
}

/** Options of {@link Pull}. */
interface PullOptions extends PullEndpointOptions {
  readonly model: Model | undefined;
  readonly obstacle: Obstacle | undefined;
  readonly faults: readonly ArmedFault[];
  /** Which lines are sent: all of them, or only the last. */
  readonly lines: "all" | "last";
}

/** One pull for one caller. */
class Pull {
  readonly #exchange: Exchange;
  readonly #dialect: Dialect;
  readonly #job: PullJob;
  readonly #injector: FaultInjector;

  constructor(exchange: Exchange, options: PullOptions) {
    const { catalog, now, isNeverLate, store, dialect, tickMs, model, obstacle, faults, lines } =
      options;
    this.#exchange = exchange;
    this.#dialect = dialect;
    this.#job = new PullJob({
      model,
      obstacle,
      store,
      dialect,
      tickMs,
      ...beginTime(now, isNeverLate),
      milestones: model ? milestonesOf(faults, model) : [],
      install: (pulled) => pulled.installs && catalog.install(pulled),
    });
    this.#injector = new FaultInjector({
      faults,
      job: this.#job,
      model,
      lines,
      onStrike: (kind) => void exchange.entry.faults.push(kind),
    });
  }

  /** Spec: "a stream of JSON objects is returned". */
  answerWithStream(): Response {
    const body = this.#exchange.stream(this.#sentActions());
    return new Response(body, { headers: { "Content-Type": this.#dialect.contentType } });
  }

  /** Spec: "if false the response will be returned as a single response object". */
  async answerOnce(): Promise<Response> {
    const init = { headers: { "Content-Type": JSON_TYPE } };
    const actions = this.#actions();
    this.#exchange.onEnd(() => void actions.return());
    const { done, value: action } = await this.#exchange.proceed(actions);
    if (done) return new Response(null, init);
    if (action.do === "fail") {
      this.#exchange.outcome = outcomeOf(action);
      this.#exchange.entry.error = action.message;
      return answerJson(this.#errorOf(action.message), 500, JSON_TYPE);
    }
    const headers = { ...init.headers, ...lengthOf(action) };
    return new Response(this.#exchange.stream(resume(action, actions)), { headers });
  }

  /** The actions, in which a failure has become the last line. */
  *#sentActions(): Generator<SentAction, void, void> {
    for (const action of this.#actions()) {
      if (action.do !== "fail") {
        yield action;
        continue;
      }
      const error = this.#errorOf(action.message);
      this.#exchange.entry.error = action.message;
      const line = this.#injector.errorLine(error, this.#dialect.endsFailures);
      return yield* markLast(withoutFailures(line), outcomeOf(action));
    }
  }

  #errorOf(message: string): WireError {
    return this.#dialect.failure(message, this.#exchange.entry.model ?? "");
  }

  /** The actions, in order. */
  *#actions(): Generator<Action, void, void> {
    try {
      for (const step of this.#job.run()) {
        if (step.phase === "waiting") {
          yield { do: "wait", ms: step.ms };
        } else if (step.phase === "point") {
          yield* this.#injector.point(step.reports);
        } else {
          const actions = this.#injector.event(step);
          yield* step.phase === "success" ? markLast(actions, "finished") : actions;
        }
      }
    } catch (error) {
      if (!(error instanceof PullFailure)) throw error;
      yield { do: "fail", message: error.message, byFault: false };
    }
  }
}

function outcomeOf({ byFault }: { readonly byFault: boolean }): RequestOutcome {
  return byFault ? "faulted" : "finished";
}

/** The length of the body, if an action sends all of it. */
function lengthOf(action: SentAction): { "Content-Length"?: string } {
  const isWhole = action.do === "send" && action.ends !== undefined;
  return isWhole ? { "Content-Length": String(action.bytes.length) } : {};
}

/** An action followed by the remaining ones. */
function* resume(first: SentAction, rest: Iterable<Action>): Generator<SentAction, void, void> {
  yield first;
  yield* withoutFailures(rest);
}

/** The same actions, for the type checker: none of them is a failure. */
function* withoutFailures(actions: Iterable<Action>): Generator<SentAction, void, void> {
  for (const action of actions) if (action.do !== "fail") yield action;
}
