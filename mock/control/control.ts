/**
 * The control interface: what a test does with a mock, over HTTP, for tests in any language.
 *
 *     Request ─▶ access.ts: who may ─▶ routes.ts: what it may say ─▶ handlers.ts ─▶ MockServer
 *                                        └── schemas.ts ─▶ openapi.json
 *
 * It is loaded only where it is asked for.
 *
 * @module
 */

import { type Hook, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { Context, Env, HonoRequest } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { messageOf } from "../../src/text.ts";
import { ConfigurationError } from "../configuration_error.ts";
import type { MockServer } from "../options.ts";
import { CONTROL_PATH, refusalOf } from "./access.ts";
import {
  type MockInsight,
  registerClock,
  registerFaults,
  registerHolds,
  registerModels,
  registerRequests,
  registerSetup,
} from "./handlers.ts";
import { answerFailure, answerProblems, problemOf, problemsOf } from "./problems.ts";
import { routes } from "./routes.ts";

/** The largest body: a set-up may be long. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "The control interface of a mock of Ollama's server",
    version: "1.0.0",
    description:
      "Steers the mock: what it offers, what goes wrong, where pulls wait, which time it lives by; and " +
      "tells which requests have arrived. Only programs of the same machine may call it.",
  },
};

/** Answers a request to the control interface, from a `peer` if it came over the network. */
export type Control = (request: Request, peer: string | undefined) => Promise<Response>;

/** Opens the control interface of a mock. */
export function openControl(mock: MockServer, insight: MockInsight): Control {
  const app = new OpenAPIHono({ defaultHook: refuseInvalid }).basePath(CONTROL_PATH);
  app.use(bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => answerFailure(`The body is longer than ${MAX_BODY_BYTES} bytes`, 413),
  }));
  app.use(async (context, next) => {
    await readJson(context);
    await next();
  });
  registerSetup(app, mock, insight);
  registerFaults(app, mock);
  registerHolds(app, mock, insight);
  registerRequests(app, mock);
  registerClock(app, mock);
  registerModels(app, mock);
  app.doc31("/openapi.json", DOCUMENT);
  app.notFound(({ req }) => answerNotFound(req));
  app.onError(answerError);
  return async (request, peer) => {
    const refusal = refusalOf(request, peer);
    return refusal === undefined
      ? await app.fetch(request)
      : answerFailure(`Refused: ${refusal}`, 403);
  };
}

/**
 * Takes a body for JSON, whatever the request says of it: `curl` does not say so by itself.
 *
 * @throws {HTTPException} If it is not JSON, or there is none where there must be.
 */
async function readJson({ req }: Context): Promise<void> {
  const { method, url, signal } = req.raw;
  const headers = new Headers(req.raw.headers);
  headers.delete("Content-Type");
  headers.delete("Content-Length");
  const body = await req.raw.text();
  if (body === "") {
    const route = routesAt(req.path).find((each) => each.method === method.toLowerCase());
    if (route?.request?.body?.required) {
      throw new HTTPException(400, { message: "There is no body: it must be JSON" });
    }
    req.raw = new Request(url, { method, headers, signal });
    return;
  }
  try {
    JSON.parse(body);
  } catch (cause) {
    throw new HTTPException(400, { message: `The body is not JSON: ${messageOf(cause)}`, cause });
  }
  headers.set("Content-Type", "application/json");
  req.raw = new Request(url, { method, headers, signal, body });
}

/** Refuses what does not fit its schema. */
const refuseInvalid: Hook<unknown, Env, string, Response | undefined> = (result) =>
  result.success ? undefined : answerProblems(problemsOf(result.error.issues));

/** Answers a request to a path, or by a method, that there is not. */
function answerNotFound({ method, path }: HonoRequest): Response {
  const methods = routesAt(path).map((route) => route.method.toUpperCase());
  if (methods.length === 0) {
    return answerFailure(`There is no ${path}: see ${CONTROL_PATH}/openapi.json`, 404);
  }
  const Allow = methods.join(", ");
  return answerFailure(`${path} takes ${Allow}, not ${method}`, 405, { Allow });
}

/** The routes of a path. */
function routesAt(path: string): readonly RouteConfig[] {
  const parts = path.slice(CONTROL_PATH.length).split("/");
  return Object.values<RouteConfig>(routes).filter((route) => {
    const wanted = route.path.split("/");
    return wanted.length === parts.length &&
      wanted.every((part, index) => part.startsWith("{") || part === parts[index]);
  });
}

function answerError(error: unknown): Response {
  if (error instanceof ConfigurationError) return answerProblems([problemOf(error)]);
  if (error instanceof HTTPException) return answerFailure(error.message, error.status);
  return answerFailure(`The mock has failed: ${messageOf(error)}`, 500);
}
