/**
 * The control interface: everything a test can do with a mock, over HTTP, for tests in any language.
 *
 *     Request ─▶ access.ts: allowed? ─▶ schemas.ts: valid? ─▶ routes.ts ─▶ MockServer
 *                                                                        └─▶ openapi.json
 *
 * It is loaded only if it is turned on.
 *
 * @module
 */

import { type Context, Hono, type HonoRequest } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { messageOf } from "../../src/text.ts";
import { ConfigurationError } from "../configuration_error.ts";
import type { MockServer } from "../options.ts";
import { CONTROL_PATH, refusalOf } from "./access.ts";
import type { FailureJson, Problem } from "./json.ts";
import { describeRoutes } from "./openapi.ts";
import { describeProblems, MisfitError, requireFit } from "./problems.ts";
import { isInPath, type MockInsight, type Route } from "./route.ts";
import { routes } from "./routes.ts";

/** The largest body in bytes. A set-up with recordings may be long. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Answers a request to the control interface. `peer` is the client's address if it came over the network. */
export type Control = (request: Request, peer: string | undefined) => Promise<Response>;

/** Opens the control interface of a mock. */
export function openControl(mock: MockServer, insight: MockInsight): Control {
  const app = new Hono().basePath(CONTROL_PATH);
  app.use(bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => fail(413, { error: `The body is longer than ${MAX_BODY_BYTES} bytes` }),
  }));
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
    app.on(route.method.toUpperCase(), path, async ({ req }: Context) => {
      const [parameters, body] = [readParameters(route, req), await readBody(route, req)];
      const { signal } = req.raw;
      const json = await route.handle({ mock, insight, parameters, body, signal });
      const { status, schema } = route.answer;
      return schema ? Response.json(json, { status }) : new Response(null, { status });
    });
  }
  app.get("/openapi.json", () => Response.json(describeRoutes(routes)));
  app.notFound(({ req }) => answerNotFound(req));
  app.onError(answerError);
  return async (request, peer) => {
    const refusal = refusalOf(request, peer);
    return refusal === undefined
      ? await app.fetch(request)
      : fail(403, { error: `Refused: ${refusal}` });
  };
}

/**
 * Reads the parameters of a request.
 *
 * @throws {MisfitError} If one is missing or invalid.
 */
function readParameters(route: Route, req: HonoRequest): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, { schema, isRequired }] of Object.entries(route.parameters ?? {})) {
    const text = isInPath(route, name) ? req.param(name) : req.query(name);
    if (text === undefined && isRequired) {
      throw new MisfitError([{ place: name, message: "This parameter is missing" }]);
    }
    const isNumber = schema.type === "integer" && text !== undefined && /^\d+$/.test(text);
    values[name] = text === undefined
      ? schema.default
      : requireFit(isNumber ? Number(text) : text, schema, name);
  }
  return values;
}

/**
 * Reads the body of a request as JSON, whatever its `Content-Type`: by default `curl` sends another one.
 *
 * @throws {HTTPException} If it is not JSON, or is missing where the route needs it.
 * @throws {MisfitError} If it does not fit its schema.
 */
async function readBody({ body }: Route, req: HonoRequest): Promise<unknown> {
  if (!body) return undefined;
  const text = await req.raw.text();
  if (text === "") {
    if (body.isOptional) return undefined;
    throw new HTTPException(400, { message: "The body is missing: send JSON" });
  }
  return requireFit(parseJson(text), body.schema, body.place);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HTTPException(400, { message: `The body is not JSON: ${messageOf(cause)}`, cause });
  }
}

/** Answers a request for an unknown path, or with a method that the path does not take. */
function answerNotFound({ method, path }: HonoRequest): Response {
  const methods = routesAt(path).map((route) => route.method.toUpperCase());
  if (methods.length === 0) {
    return fail(404, { error: `There is no ${path}: see ${CONTROL_PATH}/openapi.json` });
  }
  const Allow = methods.join(", ");
  return fail(405, { error: `${path} takes ${Allow}, not ${method}` }, { Allow });
}

/** The routes of a path. */
function routesAt(path: string): readonly Route[] {
  const parts = path.slice(CONTROL_PATH.length).split("/");
  return routes.filter((route) => {
    const wanted = route.path.split("/");
    return wanted.length === parts.length &&
      wanted.every((part, index) => part.startsWith("{") || part === parts[index]);
  });
}

function answerError(error: unknown): Response {
  if (error instanceof MisfitError) return refuse(error.problems);
  if (error instanceof ConfigurationError) {
    const { place = "", message } = error;
    return refuse([{ place, message }]);
  }
  if (error instanceof HTTPException) return fail(error.status, { error: error.message });
  return fail(500, { error: `The mock has failed: ${messageOf(error)}` });
}

/** Answers a request that cannot be used. */
function refuse(problems: readonly Problem[]): Response {
  return fail(400, { error: describeProblems(problems), problems });
}

/** Answers with an error. */
function fail(
  status: number,
  json: FailureJson,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(json, { status, headers });
}
