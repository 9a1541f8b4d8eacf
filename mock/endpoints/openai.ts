/**
 * The list of models in OpenAI's format: `GET /v1/models` and `GET /v1/models/:model`.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { JSON_TYPE } from "../exchange/json_answer.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import { type Catalog, listedName, type PulledModel } from "../models/catalog.ts";
import { type ModelName, parseModelName, shortName } from "../models/model_name.ts";

/** The kinds of errors, by status (observed: `openai.NewError`). */
const ERROR_TYPES = { 400: "invalid_request_error", 404: "not_found_error" } as const;

/** Adds the endpoints to an app. */
export function registerOpenAi(app: Hono<MockEnvironment>, catalog: Catalog): void {
  app.get("/v1/models", () => {
    const data = catalog.pulled.map((pulled) =>
      describeModel(listedName(pulled), pulled.model.name, pulled)
    );
    // Observed: without models, the list is null, which is how Go writes a nil slice.
    return answer({ object: "list", data: data.length > 0 ? data : null });
  });
  app.get("/v1/models/:model", (context) => retrieve(context, catalog));
}

async function retrieve(context: Context<MockEnvironment>, catalog: Catalog): Promise<Response> {
  const text = context.req.param("model") ?? "";
  // Observed: an encoded slash counts as a slash, so this is another path, which does not exist.
  if (text.includes("/")) return await context.notFound();
  const name = parseModelName(text);
  if (!name) return refuse(400, "invalid model name");
  const pulled = catalog.findPulled(name);
  if (!pulled) return refuse(404, `model '${shortName(name)}' not found`);
  return answer(describeModel(text, name, pulled));
}

/** A model as OpenAI's API shows it, with the given `id`. */
function describeModel(id: string, { namespace }: ModelName, { pulledAt }: PulledModel) {
  return { id, object: "model", created: Math.floor(pulledAt / 1000), owned_by: namespace };
}

function refuse(status: keyof typeof ERROR_TYPES, message: string): Response {
  const error = { message, type: ERROR_TYPES[status], param: null, code: null };
  return answer({ error }, status);
}

/** Observed: unlike the other endpoints, these answers end with a newline and name no character set. */
function answer(value: unknown, status = 200): Response {
  const headers = { "Content-Type": JSON_TYPE };
  return new Response(`${stringifyGoJson(value)}\n`, { status, headers });
}
