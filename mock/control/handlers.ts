/**
 * What each route of the control interface does with the mock.
 *
 * @module
 */

import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { abortable } from "../../src/abortable.ts";
import { dateBy } from "../clock/clock.ts";
import { modeOf } from "../clock/modes.ts";
import { SteppedClock } from "../clock/stepped.ts";
import { inPlace, show as quote } from "../configuration_error.ts";
import type { LoggedRequest } from "../exchange/request_log.ts";
import type { HoldOptions } from "../faults/fault_set.ts";
import type { PullHold } from "../faults/hold.ts";
import type { MockServer, MockSetup } from "../options.ts";
import { describeProblems, problemsOf } from "./problems.ts";
import { routes } from "./routes.ts";
import type * as schemas from "./schemas.ts";
import { fromSetup, toFault, toFaults, toModel, toSetup } from "./setup.ts";

/** What the control interface knows of a mock besides what everybody does. */
export interface MockInsight {
  /** The set-up that it has now. */
  readonly setup: () => MockSetup;
  /** Where pulls wait. The number of a hold is its place, counted from 1. */
  readonly holds: () => readonly (readonly [PullHold, HoldOptions])[];
}

type FaultJson = z.infer<typeof schemas.Fault>;
type FaultReport = z.infer<typeof schemas.FaultReport>;
type HoldJson = z.infer<typeof schemas.Hold>;
type ClockJson = z.infer<typeof schemas.Clock>;
type RequestJson = z.infer<typeof schemas.LoggedRequest>;

/** Adds what is about the set-up. */
export function registerSetup(app: OpenAPIHono, mock: MockServer, insight: MockInsight): void {
  const describe = () => fromSetup(insight.setup(), mock.clock);
  app.openapi(routes.readSetup, (context) => context.json(describe(), 200));
  app.openapi(routes.setUp, (context) => {
    mock.setUp(toSetup(context.req.valid("json")));
    return context.json(describe(), 200);
  });
  app.openapi(routes.reset, (context) => {
    mock.reset();
    return context.body(null, 204);
  });
}

/** Adds what is about faults. */
export function registerFaults(app: OpenAPIHono, mock: MockServer): void {
  const report = () =>
    ({ faults: mock.faults, unstruck: mock.unstruckFaults }) as unknown as FaultReport;
  app.openapi(routes.listFaults, (context) => context.json(report(), 200));
  app.openapi(routes.setFaults, (context) => {
    mock.setFaults(toFaults(context.req.valid("json")));
    return context.json(report(), 200);
  }, refuseInvalidAs("faults"));
  app.openapi(routes.addFault, (context) => {
    const fault = toFault(context.req.valid("json"), "fault");
    inPlace("fault", () => mock.addFault(fault));
    return context.json(fault as unknown as FaultJson, 201);
  }, refuseInvalidAs("fault"));
  app.openapi(routes.clearFaults, (context) => {
    mock.clearFaults();
    return context.body(null, 204);
  });
}

/** Adds what is about pulls that wait. */
export function registerHolds(app: OpenAPIHono, mock: MockServer, { holds }: MockInsight): void {
  const show = (id: number): HoldJson => {
    const [hold, options] = holds()[id - 1]!;
    return { ...options, id, isReached: hold.isReached };
  };
  const find = (id: number): PullHold => {
    const [hold] = holds()[id - 1] ?? [];
    if (hold) return hold;
    throw new HTTPException(404, { message: `There is no hold ${id}: ${holds().length} were set` });
  };
  app.openapi(routes.listHolds, (context) => {
    return context.json({ holds: holds().map((_, index) => show(index + 1)) }, 200);
  });
  app.openapi(routes.hold, (context) => {
    inPlace("hold", () => mock.hold(context.req.valid("json")));
    return context.json(show(holds().length), 201);
  }, refuseInvalidAs("hold"));
  app.openapi(routes.holdReached, async (context) => {
    const { id } = context.req.valid("param");
    const { timeoutMs } = context.req.valid("query");
    const { reached } = find(id);
    await inTime(
      context,
      timeoutMs,
      (signal) => abortable(reached, signal),
      () => `No pull has come to the point of hold ${id} within ${timeoutMs} ms`,
    );
    return context.json(show(id), 200);
  });
  app.openapi(routes.release, (context) => {
    find(context.req.valid("param").id).release();
    return context.body(null, 204);
  });
}

/** Adds what is about the requests that have arrived. */
export function registerRequests(app: OpenAPIHono, mock: MockServer): void {
  const ofPath = (path: string | undefined) =>
    mock.requests.filter((request) => path === undefined || request.path === path);
  app.openapi(routes.listRequests, (context) => {
    const { path } = context.req.valid("query");
    return context.json({ requests: ofPath(path).map(toJson) }, 200);
  });
  app.openapi(routes.clearRequests, (context) => {
    mock.clearRequests();
    return context.body(null, 204);
  });
  app.openapi(routes.requestEnded, async (context) => {
    const { number } = context.req.valid("param");
    const { path, timeoutMs } = context.req.valid("query");
    const request = await inTime(
      context,
      timeoutMs,
      (signal) => mock.requestEnded(number, { path, signal }),
      () => {
        const arrived = ofPath(path).length;
        const what = `Request ${number}${path === undefined ? "" : ` of ${path}`}`;
        return arrived < number
          ? `${what} has not arrived within ${timeoutMs} ms: there are ${arrived}`
          : `${what} has not ended within ${timeoutMs} ms: it runs`;
      },
    );
    return context.json(toJson(request), 200);
  });
}

/** Adds what is about time. */
export function registerClock(app: OpenAPIHono, mock: MockServer): void {
  const show = (): ClockJson => {
    const { clock } = mock;
    return { mode: modeOf(clock), now: clock.now(), date: new Date(dateBy(clock)).toISOString() };
  };
  app.openapi(routes.readClock, (context) => context.json(show(), 200));
  app.openapi(routes.advance, async (context) => {
    const { clock } = mock;
    if (!(clock instanceof SteppedClock)) {
      const message =
        `The clock is ${modeOf(clock)}, and moves on by itself: set the mock up with ` +
        'the clock "step"';
      throw new HTTPException(409, { message });
    }
    await clock.advance(context.req.valid("json").ms);
    return context.json(show(), 200);
  }, refuseInvalidAs("advance"));
}

/** Adds what is about models. */
export function registerModels(app: OpenAPIHono, mock: MockServer): void {
  app.openapi(routes.listModels, async (context) => {
    return context.json({ models: [...await mock.registry.models()] }, 200);
  });
  app.openapi(routes.publish, (context) => {
    const model = toModel(context.req.valid("json"), "model");
    inPlace("model", () => mock.registry.publish(model));
    return context.body(null, 204);
  }, refuseInvalidAs("model"));
  app.openapi(routes.withdraw, (context) => {
    const { model } = context.req.valid("query");
    if (inPlace("model", () => mock.registry.withdraw(model))) return context.body(null, 204);
    throw new HTTPException(404, {
      message: `The registry does not offer the model ${quote(model)}`,
    });
  });
  app.openapi(routes.install, async (context) => {
    await mock.install(toModel(context.req.valid("json"), "model"));
    return context.body(null, 204);
  }, refuseInvalidAs("model"));
  app.openapi(routes.countDownloads, (context) => {
    return context.json({ active: mock.activeDownloads }, 200);
  });
}

/** A request as JSON. */
function toJson({ headers, faults, ...request }: LoggedRequest): RequestJson {
  return { ...request, headers: Object.fromEntries(headers), faults: [...faults] };
}

/** Waits for something until a time is over, or the client has left. */
async function inTime<Value>(
  { req }: Context,
  timeoutMs: number,
  wait: (signal: AbortSignal) => Promise<Value>,
  describe: () => string,
): Promise<Value> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await wait(AbortSignal.any([timeout, req.raw.signal]));
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new HTTPException(504, { message: describe() });
  }
}

/** Refuses a body that does not fit its schema. Places in it begin with its name. */
function refuseInvalidAs(name: string) {
  return (
    { target, error }: { readonly target: string; readonly error?: z.ZodError },
    context: Context,
  ) => {
    if (!error) return undefined;
    const problems = problemsOf(error.issues, target === "json" ? name : "");
    return context.json({ error: describeProblems(problems), problems: [...problems] }, 400);
  };
}
