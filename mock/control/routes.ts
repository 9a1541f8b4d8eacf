/**
 * The routes of the control interface: their input, what they do with the mock, and their answers.
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

/** How long a request waits by default, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 10 * 60 * 1_000;

const NUMBER: Parameter<number> = { schema: count(1) };
const TIMEOUT: Parameter<number> = {
  schema: { ...count(0, MAX_TIMEOUT_MS), default: DEFAULT_TIMEOUT_MS },
  description: "The longest time to wait, in milliseconds.",
};
const PATH: Parameter<string | undefined> = {
  schema: { type: "string" },
  description: "Count only requests to this path, such as /api/pull.",
};
const MODEL: Parameter<string> = { schema: { type: "string" }, isRequired: true };

const DONE: Answer<undefined> = { status: 204, description: "Done." };
const NOT_FOUND = failure(404, "It does not exist.");
const CONFLICT = failure(409, "The mock's set-up does not allow this.");
const TOO_LATE = failure(504, "It did not happen in time.");

/** All routes. */
export const routes: readonly Route[] = [
  ...routesOfSetup(),
  ...routesOfFaults(),
  ...routesOfHolds(),
  ...routesOfRequests(),
  ...routesOfClock(),
  ...routesOfModels(),
];

/** Routes for the set-up. */
function routesOfSetup(): readonly Route[] {
  const answer = ok("The set-up.", Setup);
  const show = (mock: MockServer, { setup }: MockInsight): SetupJson =>
    fromSetup(setup(), mock.clock);
  return [
    route({
      operationId: "readSetup",
      method: "get",
      path: "/setup",
      summary: "Returns the current set-up",
      answer,
      handle: ({ mock, insight }) => show(mock, insight),
    }),
    route({
      operationId: "setUp",
      method: "put",
      path: "/setup",
      summary: "Replaces the set-up",
      description:
        "Options that are left out get their defaults. Only the models of the set-up are installed; the " +
        "request log and all holds are cleared. Running pulls keep the set-up they began with.",
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
      summary: "Restores the set-up the mock was started with",
      answer: DONE,
      handle: ({ mock }) => mock.reset(),
    }),
  ];
}

/** Routes for faults. */
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
      summary: "Lists the faults, and those that have not struck yet",
      answer,
      handle: ({ mock }) => report(mock),
    }),
    route({
      operationId: "setFaults",
      method: "put",
      path: "/faults",
      summary: "Replaces all faults, for pulls that begin from now on",
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
      summary: "Adds a fault, for pulls that begin from now on",
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
      summary: "Removes all faults. Running pulls keep theirs",
      answer: DONE,
      handle: ({ mock }) => mock.clearFaults(),
    }),
  ];
}

/** Routes for holds, at which pulls wait. */
function routesOfHolds(): readonly Route[] {
  const show = ({ holds }: MockInsight, id: number): HoldJson => {
    const [hold, options] = holds()[id - 1]!;
    return { ...options, id, isReached: hold.isReached };
  };
  const find = ({ holds }: MockInsight, id: number): PullHold => {
    const [hold] = holds()[id - 1] ?? [];
    if (hold) return hold;
    throw new HTTPException(404, {
      message: `There is no hold ${id}: the mock has ${holds().length}`,
    });
  };
  return [
    route({
      operationId: "listHolds",
      method: "get",
      path: "/holds",
      summary: "Lists the holds",
      answer: ok("The holds.", record<{ holds: HoldJson[] }>({ holds: list(Hold) }, ["holds"])),
      handle: ({ insight }) => {
        return { holds: insight.holds().map((_, index) => show(insight, index + 1)) };
      },
    }),
    route({
      operationId: "hold",
      method: "post",
      path: "/holds",
      summary: "Makes the next pull wait at a point until the hold is released",
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
      summary: "Waits until a pull has reached the hold",
      parameters: { id: NUMBER, timeoutMs: TIMEOUT },
      answer: ok("A pull is waiting there.", Hold),
      failures: [NOT_FOUND, TOO_LATE],
      handle: async ({ insight, parameters: { id, timeoutMs }, signal }) => {
        const { reached } = find(insight, id);
        await inTime(
          timeoutMs,
          signal,
          (signal) => abortable(reached, signal),
          () => `No pull reached hold ${id} within ${timeoutMs} ms`,
        );
        return show(insight, id);
      },
    }),
    route({
      operationId: "release",
      method: "post",
      path: "/holds/{id}/release",
      summary: "Releases the hold: the pull goes on, or will not wait if none is there yet",
      parameters: { id: NUMBER },
      answer: DONE,
      failures: [NOT_FOUND],
      handle: ({ insight, parameters: { id } }) => find(insight, id).release(),
    }),
  ];
}

/** Routes for the requests that have arrived. */
function routesOfRequests(): readonly Route[] {
  const ofPath = ({ requests }: MockServer, path: string | undefined) =>
    requests.filter((request) => path === undefined || request.path === path);
  return [
    route({
      operationId: "listRequests",
      method: "get",
      path: "/requests",
      summary: "Lists the requests in the order in which they arrived",
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
      summary: "Clears the request log, and counts from 1 again",
      answer: DONE,
      handle: ({ mock }) => mock.clearRequests(),
    }),
    route({
      operationId: "requestEnded",
      method: "get",
      path: "/requests/{number}",
      summary: "Waits until a request has ended",
      description:
        "Requests are counted from 1, in the order in which they arrived. The answer may " +
        "reach the client slightly before the log records its outcome.",
      parameters: { number: NUMBER, path: PATH, timeoutMs: TIMEOUT },
      answer: ok("The request and how it ended.", LoggedRequest),
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
              ? `${what} did not arrive within ${timeoutMs} ms: there are ${arrived}`
              : `${what} did not end within ${timeoutMs} ms: it is still running`;
          },
        );
        return toJson(request);
      },
    }),
  ];
}

/** Routes for the clock. */
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
      summary: "Returns the time",
      answer,
      handle: ({ mock }) => show(mock),
    }),
    route({
      operationId: "advance",
      method: "post",
      path: "/clock/advance",
      summary: 'Moves time on, if the set-up has the clock "step"',
      body: { schema: Advance, place: "advance" },
      answer,
      failures: [CONFLICT],
      handle: async ({ mock, body: { ms } }) => {
        const { clock } = mock;
        if (!(clock instanceof SteppedClock)) {
          const message =
            `The clock is ${modeOf(clock)}, which moves by itself: set the mock up with ` +
            'the clock "step"';
          throw new HTTPException(409, { message });
        }
        await clock.advance(ms);
        return show(mock);
      },
    }),
  ];
}

/** Routes for models. */
function routesOfModels(): readonly Route[] {
  const body = { schema: Model, place: "model" };
  return [
    route({
      operationId: "listModels",
      method: "get",
      path: "/models",
      summary: "Lists the names of the models in the registry",
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
      summary: "Adds a model to the registry, or replaces the one with the same name",
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
      summary: "Removes a model from the registry. If it was pulled, it stays installed",
      parameters: { model: MODEL },
      answer: DONE,
      failures: [NOT_FOUND],
      handle: ({ mock, parameters: { model } }) => {
        if (inPlace("model", () => mock.registry.withdraw(model))) return;
        throw new HTTPException(404, {
          message: `The registry does not have the model ${quote(model)}`,
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
      summary: "Returns how many callers are waiting for a download",
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

/** Waits for something to happen, for a limited time or until the client disconnects. */
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
