/**
 * The routes of the control interface: paths, parameters, bodies and answers, as OpenAPI has them.
 *
 * @module
 */

import { createRoute, z } from "@hono/zod-openapi";
import {
  Advance,
  Clock,
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

/** How long a request waits for something to happen, unless it says so itself. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 10 * 60 * 1_000;

/** A whole number as a parameter. */
function count(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return z.coerce.number().int().min(minimum).max(maximum)
    .openapi({ type: "integer", minimum, maximum });
}

const Timeout = count(0, MAX_TIMEOUT_MS).default(DEFAULT_TIMEOUT_MS)
  .openapi({ description: "How long to wait at most, in milliseconds." });
const Path = z.string().optional()
  .openapi({ description: "The path of the requests that are meant, such as /api/pull." });
const HoldId = z.object({ id: count(1) });

function content<Schema extends z.ZodType>(schema: Schema) {
  return { "application/json": { schema } };
}

function body<Schema extends z.ZodType>(schema: Schema) {
  return { body: { required: true, content: content(schema) } };
}

function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: content(schema) };
}

const DONE = { 204: { description: "It is done." } };
const BAD_REQUEST = { 400: answer("Something cannot be used. The error names it.", Failure) };
const NOT_FOUND = { 404: answer("There is no such thing.", Failure) };
const CONFLICT = { 409: answer("The mock is not set up for this.", Failure) };
const TOO_LATE = { 504: answer("It has not happened in time.", Failure) };

/** All of them. */
export const routes = {
  readSetup: createRoute({
    operationId: "readSetup",
    method: "get",
    path: "/setup",
    summary: "Tells how the mock is set up",
    responses: { 200: answer("The set-up.", Setup) },
  }),
  setUp: createRoute({
    operationId: "setUp",
    method: "put",
    path: "/setup",
    summary: "Sets the mock up anew",
    description:
      "What is left out has its default. Nothing is installed but what the set-up says, no request is " +
      "logged, and nothing is held. Running pulls go on by the set-up with which they began.",
    request: body(Setup),
    responses: { 200: answer("The set-up.", Setup), ...BAD_REQUEST },
  }),
  reset: createRoute({
    operationId: "reset",
    method: "post",
    path: "/reset",
    summary: "Sets the mock up as it was when it was started",
    responses: DONE,
  }),
  listFaults: createRoute({
    operationId: "listFaults",
    method: "get",
    path: "/faults",
    summary: "Lists the faults, and those that have not struck",
    responses: { 200: answer("The faults.", FaultReport) },
  }),
  setFaults: createRoute({
    operationId: "setFaults",
    method: "put",
    path: "/faults",
    summary: "Replaces all faults, for the pulls that begin from now on",
    request: body(Faults),
    responses: { 200: answer("The faults.", FaultReport), ...BAD_REQUEST },
  }),
  addFault: createRoute({
    operationId: "addFault",
    method: "post",
    path: "/faults",
    summary: "Adds a fault, for the pulls that begin from now on",
    request: body(Fault),
    responses: { 201: answer("The fault.", Fault), ...BAD_REQUEST },
  }),
  clearFaults: createRoute({
    operationId: "clearFaults",
    method: "delete",
    path: "/faults",
    summary: "Takes all faults away. Pulls that have begun keep theirs",
    responses: DONE,
  }),
  listHolds: createRoute({
    operationId: "listHolds",
    method: "get",
    path: "/holds",
    summary: "Lists where pulls wait",
    responses: { 200: answer("The holds.", z.object({ holds: z.array(Hold) })) },
  }),
  hold: createRoute({
    operationId: "hold",
    method: "post",
    path: "/holds",
    summary: "Has the next pull wait at a point, until it is let go on",
    request: { body: { content: content(HoldRequest) } },
    responses: { 201: answer("The hold.", Hold), ...BAD_REQUEST },
  }),
  holdReached: createRoute({
    operationId: "holdReached",
    method: "get",
    path: "/holds/{id}/reached",
    summary: "Waits until a pull has come to the point",
    request: { params: HoldId, query: z.object({ timeoutMs: Timeout }) },
    responses: {
      200: answer("A pull waits there.", Hold),
      ...BAD_REQUEST,
      ...NOT_FOUND,
      ...TOO_LATE,
    },
  }),
  release: createRoute({
    operationId: "release",
    method: "post",
    path: "/holds/{id}/release",
    summary: "Lets the pull go on. Where none has come there, none will wait",
    request: { params: HoldId },
    responses: { ...DONE, ...BAD_REQUEST, ...NOT_FOUND },
  }),
  listRequests: createRoute({
    operationId: "listRequests",
    method: "get",
    path: "/requests",
    summary: "Lists the requests that have arrived, in order",
    request: { query: z.object({ path: Path }) },
    responses: {
      200: answer("The requests.", z.object({ requests: z.array(LoggedRequest) })),
      ...BAD_REQUEST,
    },
  }),
  clearRequests: createRoute({
    operationId: "clearRequests",
    method: "delete",
    path: "/requests",
    summary: "Forgets the requests, and counts from 1 again",
    responses: DONE,
  }),
  requestEnded: createRoute({
    operationId: "requestEnded",
    method: "get",
    path: "/requests/{number}",
    summary: "Waits until a request has ended",
    description:
      "Requests are counted from 1, in the order in which they arrived. A client may have its answer a " +
      "little before the log knows how the request has ended.",
    request: {
      params: z.object({ number: count(1) }),
      query: z.object({ path: Path, timeoutMs: Timeout }),
    },
    responses: {
      200: answer("The request, which has ended.", LoggedRequest),
      ...BAD_REQUEST,
      ...TOO_LATE,
    },
  }),
  readClock: createRoute({
    operationId: "readClock",
    method: "get",
    path: "/clock",
    summary: "Tells the time",
    responses: { 200: answer("The time.", Clock) },
  }),
  advance: createRoute({
    operationId: "advance",
    method: "post",
    path: "/clock/advance",
    summary: 'Moves time on, where the set-up has the clock "step"',
    request: body(Advance),
    responses: { 200: answer("The time.", Clock), ...BAD_REQUEST, ...CONFLICT },
  }),
  listModels: createRoute({
    operationId: "listModels",
    method: "get",
    path: "/models",
    summary: "Lists the names of the models that the registry offers",
    responses: { 200: answer("The names.", z.object({ models: z.array(z.string()) })) },
  }),
  publish: createRoute({
    operationId: "publish",
    method: "post",
    path: "/models",
    summary: "Offers a model in the registry, in place of one of the same name",
    request: body(Model),
    responses: { ...DONE, ...BAD_REQUEST },
  }),
  withdraw: createRoute({
    operationId: "withdraw",
    method: "delete",
    path: "/models",
    summary: "Stops offering a model. Where it was pulled, it stays",
    request: { query: z.object({ model: z.string() }) },
    responses: { ...DONE, ...BAD_REQUEST, ...NOT_FOUND },
  }),
  install: createRoute({
    operationId: "install",
    method: "post",
    path: "/installed",
    summary: "Installs a model at once, as if it had been pulled",
    request: body(Model),
    responses: { ...DONE, ...BAD_REQUEST },
  }),
  countDownloads: createRoute({
    operationId: "countDownloads",
    method: "get",
    path: "/downloads",
    summary: "Tells how many callers wait for a download",
    responses: { 200: answer("How many.", z.object({ active: z.int().min(0) })) },
  }),
};
