/**
 * The routes of the control interface: what each of them takes, does with the mock, and answers.
 *
 * @module
 */

import { HTTPException } from "hono/http-exception";
import { abortable } from "../../src/abortable.ts";
import { dateBy } from "../clock/clock.ts";
import { modeOf } from "../clock/modes.ts";
import { SteppedClock } from "../clock/stepped.ts";
import { inPlace, show as quote } from "../configuration_error.ts";
import type { LoggedRequest as MockRequest } from "../exchange/request_log.ts";
import type { PullHold } from "../faults/hold.ts";
import type { MockServer } from "../options.ts";
import type { ClockJson, FaultReportJson, HoldJson, RequestJson, SetupJson } from "./json.ts";
import { type Answer, type MockInsight, type Parameter, type Route, route } from "./route.ts";
import { list, record, type Schema } from "./schema.ts";
import {
  Advance,
  Clock,
  count,
  Failure,
  Fault,
  FaultReport,
  Faults,
  Hold,
  HoldRequest,
  LoggedRequest,
  Model,
  Setup,
} from "./schemas.ts";
import { fromSetup, toFault, toFaults, toModel, toSetup } from "./setup.ts";

/** How long a request waits for something to happen, unless it says so itself. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 10 * 60 * 1_000;

const NUMBER: Parameter<number> = { schema: count(1) };
const TIMEOUT: Parameter<number> = {
  schema: { ...count(0, MAX_TIMEOUT_MS), default: DEFAULT_TIMEOUT_MS },
  description: "How long to wait at most, in milliseconds.",
};
const PATH: Parameter<string | undefined> = {
  schema: { type: "string" },
  description: "The path of the requests that are meant, such as /api/pull.",
};
const MODEL: Parameter<string> = { schema: { type: "string" }, isRequired: true };

const DONE: Answer<undefined> = { status: 204, description: "It is done." };
const NOT_FOUND = failure(404, "There is no such thing.");
const CONFLICT = failure(409, "The mock is not set up for this.");
const TOO_LATE = failure(504, "It has not happened in time.");

/** All of them. */
export const routes: readonly Route[] = [
  ...routesOfSetup(),
  ...routesOfFaults(),
  ...routesOfHolds(),
  ...routesOfRequests(),
  ...routesOfClock(),
  ...routesOfModels(),
];

/** What is about the set-up. */
function routesOfSetup(): readonly Route[] {
  const answer = ok("The set-up.", Setup);
  const show = (mock: MockServer, { setup }: MockInsight): SetupJson =>
    fromSetup(setup(), mock.clock);
  return [
    route({
      operationId: "readSetup",
      method: "get",
      path: "/setup",
      summary: "Tells how the mock is set up",
      answer,
      handle: ({ mock, insight }) => show(mock, insight),
    }),
    route({
      operationId: "setUp",
      method: "put",
      path: "/setup",
      summary: "Sets the mock up anew",
      description:
        "What is left out has its default. Nothing is installed but what the set-up says, no request " +
        "is logged, and nothing is held. Running pulls go on by the set-up with which they began.",
      body: { schema: Setup },
      answer,
      handle: ({ mock, insight, body }) => {
        mock.setUp(toSetup(body));
        return show(mock, insight);
      },
    }),
    route({
      operationId: "reset",
      method: "post",
      path: "/reset",
      summary: "Sets the mock up as it was when it was started",
      answer: DONE,
      handle: ({ mock }) => mock.reset(),
    }),
  ];
}

/** What is about faults. */
function routesOfFaults(): readonly Route[] {
  const answer = ok("The faults.", FaultReport);
  const report = (mock: MockServer): FaultReportJson => {
    return { faults: mock.faults, unstruck: mock.unstruckFaults };
  };
  return [
    route({
      operationId: "listFaults",
      method: "get",
      path: "/faults",
      summary: "Lists the faults, and those that have not struck",
      answer,
      handle: ({ mock }) => report(mock),
    }),
    route({
      operationId: "setFaults",
      method: "put",
      path: "/faults",
      summary: "Replaces all faults, for the pulls that begin from now on",
      body: { schema: Faults, place: "faults" },
      answer,
      handle: ({ mock, body }) => {
        mock.setFaults(toFaults(body));
        return report(mock);
      },
    }),
    route({
      operationId: "addFault",
      method: "post",
      path: "/faults",
      summary: "Adds a fault, for the pulls that begin from now on",
      body: { schema: Fault, place: "fault" },
      answer: created("The fault.", Fault),
      handle: ({ mock, body }) => {
        const fault = toFault(body, "fault");
        inPlace("fault", () => mock.addFault(fault));
        return fault;
      },
    }),
    route({
      operationId: "clearFaults",
      method: "delete",
      path: "/faults",
      summary: "Takes all faults away. Pulls that have begun keep theirs",
      answer: DONE,
      handle: ({ mock }) => mock.clearFaults(),
    }),
  ];
}

/** What is about pulls that wait. */
function routesOfHolds(): readonly Route[] {
  const show = ({ holds }: MockInsight, id: number): HoldJson => {
    const [hold, options] = holds()[id - 1]!;
    return { ...options, id, isReached: hold.isReached };
  };
  const find = ({ holds }: MockInsight, id: number): PullHold => {
    const [hold] = holds()[id - 1] ?? [];
    if (hold) return hold;
    throw new HTTPException(404, { message: `There is no hold ${id}: ${holds().length} were set` });
  };
  return [
    route({
      operationId: "listHolds",
      method: "get",
      path: "/holds",
      summary: "Lists where pulls wait",
      answer: ok("The holds.", record<{ holds: HoldJson[] }>({ holds: list(Hold) }, ["holds"])),
      handle: ({ insight }) => {
        return { holds: insight.holds().map((_, index) => show(insight, index + 1)) };
      },
    }),
    route({
      operationId: "hold",
      method: "post",
      path: "/holds",
      summary: "Has the next pull wait at a point, until it is let go on",
      body: { schema: HoldRequest, place: "hold", isOptional: true },
      answer: created("The hold.", Hold),
      handle: ({ mock, insight, body }) => {
        inPlace("hold", () => mock.hold(body));
        return show(insight, insight.holds().length);
      },
    }),
    route({
      operationId: "holdReached",
      method: "get",
      path: "/holds/{id}/reached",
      summary: "Waits until a pull has come to the point",
      parameters: { id: NUMBER, timeoutMs: TIMEOUT },
      answer: ok("A pull waits there.", Hold),
      failures: [NOT_FOUND, TOO_LATE],
      handle: async ({ insight, parameters: { id, timeoutMs }, signal }) => {
        const { reached } = find(insight, id);
        await inTime(
          timeoutMs,
          signal,
          (signal) => abortable(reached, signal),
          () => `No pull has come to the point of hold ${id} within ${timeoutMs} ms`,
        );
        return show(insight, id);
      },
    }),
    route({
      operationId: "release",
      method: "post",
      path: "/holds/{id}/release",
      summary: "Lets the pull go on. Where none has come there, none will wait",
      parameters: { id: NUMBER },
      answer: DONE,
      failures: [NOT_FOUND],
      handle: ({ insight, parameters: { id } }) => find(insight, id).release(),
    }),
  ];
}

/** What is about the requests that have arrived. */
function routesOfRequests(): readonly Route[] {
  const ofPath = ({ requests }: MockServer, path: string | undefined) =>
    requests.filter((request) => path === undefined || request.path === path);
  return [
    route({
      operationId: "listRequests",
      method: "get",
      path: "/requests",
      summary: "Lists the requests that have arrived, in order",
      parameters: { path: PATH },
      answer: ok(
        "The requests.",
        record<{ requests: RequestJson[] }>({ requests: list(LoggedRequest) }, ["requests"]),
      ),
      handle: ({ mock, parameters: { path } }) => {
        return { requests: ofPath(mock, path).map(toJson) };
      },
    }),
    route({
      operationId: "clearRequests",
      method: "delete",
      path: "/requests",
      summary: "Forgets the requests, and counts from 1 again",
      answer: DONE,
      handle: ({ mock }) => mock.clearRequests(),
    }),
    route({
      operationId: "requestEnded",
      method: "get",
      path: "/requests/{number}",
      summary: "Waits until a request has ended",
      description:
        "Requests are counted from 1, in the order in which they arrived. A client may have its answer " +
        "a little before the log knows how the request has ended.",
      parameters: { number: NUMBER, path: PATH, timeoutMs: TIMEOUT },
      answer: ok("The request, which has ended.", LoggedRequest),
      failures: [TOO_LATE],
      handle: async ({ mock, parameters: { number, path, timeoutMs }, signal }) => {
        const request = await inTime(
          timeoutMs,
          signal,
          (signal) => mock.requestEnded(number, { path, signal }),
          () => {
            const arrived = ofPath(mock, path).length;
            const what = `Request ${number}${path === undefined ? "" : ` of ${path}`}`;
            return arrived < number
              ? `${what} has not arrived within ${timeoutMs} ms: there are ${arrived}`
              : `${what} has not ended within ${timeoutMs} ms: it runs`;
          },
        );
        return toJson(request);
      },
    }),
  ];
}

/** What is about time. */
function routesOfClock(): readonly Route[] {
  const answer = ok("The time.", Clock);
  const show = ({ clock }: MockServer): ClockJson => {
    return { mode: modeOf(clock), now: clock.now(), date: new Date(dateBy(clock)).toISOString() };
  };
  return [
    route({
      operationId: "readClock",
      method: "get",
      path: "/clock",
      summary: "Tells the time",
      answer,
      handle: ({ mock }) => show(mock),
    }),
    route({
      operationId: "advance",
      method: "post",
      path: "/clock/advance",
      summary: 'Moves time on, where the set-up has the clock "step"',
      body: { schema: Advance, place: "advance" },
      answer,
      failures: [CONFLICT],
      handle: async ({ mock, body: { ms } }) => {
        const { clock } = mock;
        if (!(clock instanceof SteppedClock)) {
          const message =
            `The clock is ${modeOf(clock)}, and moves on by itself: set the mock up with ` +
            'the clock "step"';
          throw new HTTPException(409, { message });
        }
        await clock.advance(ms);
        return show(mock);
      },
    }),
  ];
}

/** What is about models. */
function routesOfModels(): readonly Route[] {
  const body = { schema: Model, place: "model" };
  return [
    route({
      operationId: "listModels",
      method: "get",
      path: "/models",
      summary: "Lists the names of the models that the registry offers",
      answer: ok(
        "The names.",
        record<{ models: readonly string[] }>({ models: list({ type: "string" }) }, ["models"]),
      ),
      handle: async ({ mock }) => {
        return { models: await mock.registry.models() };
      },
    }),
    route({
      operationId: "publish",
      method: "post",
      path: "/models",
      summary: "Offers a model in the registry, in place of one of the same name",
      body,
      answer: DONE,
      handle: ({ mock, body }) => {
        const model = toModel(body, "model");
        inPlace("model", () => mock.registry.publish(model));
      },
    }),
    route({
      operationId: "withdraw",
      method: "delete",
      path: "/models",
      summary: "Stops offering a model. Where it was pulled, it stays",
      parameters: { model: MODEL },
      answer: DONE,
      failures: [NOT_FOUND],
      handle: ({ mock, parameters: { model } }) => {
        if (inPlace("model", () => mock.registry.withdraw(model))) return;
        throw new HTTPException(404, {
          message: `The registry does not offer the model ${quote(model)}`,
        });
      },
    }),
    route({
      operationId: "install",
      method: "post",
      path: "/installed",
      summary: "Installs a model at once, as if it had been pulled",
      body,
      answer: DONE,
      handle: ({ mock, body }) => mock.install(toModel(body, "model")),
    }),
    route({
      operationId: "countDownloads",
      method: "get",
      path: "/downloads",
      summary: "Tells how many callers wait for a download",
      answer: ok("How many.", record<{ active: number }>({ active: count(0) }, ["active"])),
      handle: ({ mock }) => {
        return { active: mock.activeDownloads };
      },
    }),
  ];
}

function ok<Json>(description: string, schema: Schema<Json>): Answer<Json> {
  return { status: 200, description, schema };
}

function created<Json>(description: string, schema: Schema<Json>): Answer<Json> {
  return { status: 201, description, schema };
}

function failure(status: number, description: string): Answer {
  return { status, description, schema: Failure };
}

/** A request as JSON. */
function toJson({ headers, ...request }: MockRequest): RequestJson {
  return { ...request, headers: Object.fromEntries(headers) };
}

/** Waits for something until a time is over, or the client has left. */
async function inTime<Value>(
  timeoutMs: number,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<Value>,
  describe: () => string,
): Promise<Value> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await wait(AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new HTTPException(504, { message: describe() });
  }
}
