/**
 * Builds the OpenAPI document of the control interface from its routes.
 *
 * @module
 */

import { CONTROL_PATH } from "./access.ts";
import { type Answer, isInPath, type Route } from "./route.ts";
import { namedSchemas, type Schema } from "./schema.ts";
import { Failure } from "./schemas.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "The control interface of a mock Ollama server",
    version: "1.0.0",
    description:
      "Controls the mock: its models, faults, holds and clock. It also lists the requests that have " +
      "arrived. Only programs on the same machine may call it.",
  },
};

/** The answer of every route that takes input, if the input cannot be used. */
const BAD_REQUEST: Answer = {
  status: 400,
  description: "The input cannot be used. The error says why.",
  schema: Failure,
};

/** The document for some routes. */
export function describeRoutes(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    (paths[CONTROL_PATH + route.path] ??= {})[route.method] = operationOf(route);
  }
  return { ...DOCUMENT, paths, components: { schemas: namedSchemas() } };
}

function operationOf(route: Route): object {
  const { operationId, summary, description, parameters, body, answer, failures = [] } = route;
  const refusals = parameters || body ? [BAD_REQUEST] : [];
  const answers = [answer, ...refusals, ...failures];
  return {
    operationId,
    summary,
    ...(description && { description }),
    ...(parameters && { parameters: parametersOf(route) }),
    ...(body && { requestBody: { required: !body.isOptional, ...contentOf(body.schema) } }),
    responses: Object.fromEntries(answers.map(({ status, description, schema }) => {
      return [status, { description, ...(schema && contentOf(schema)) }];
    })),
  };
}

function parametersOf(route: Route): readonly object[] {
  return Object.entries(route.parameters ?? {}).map(([name, { schema, ...parameter }]) => {
    const { description, isRequired = false } = parameter;
    const isPart = isInPath(route, name);
    return {
      name,
      in: isPart ? "path" : "query",
      required: isPart || isRequired,
      ...(description && { description }),
      schema,
    };
  });
}

function contentOf(schema: Schema): object {
  return { content: { "application/json": { schema } } };
}
