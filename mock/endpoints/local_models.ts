/**
 * Endpoints for installed models: `POST /api/copy` and `GET /api/ps`.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { answerJson } from "../exchange/json_answer.ts";
import { Refusal } from "../exchange/refusal.ts";
import type { Catalog } from "../models/catalog.ts";
import { modelKey, type ModelName, parseModelName, shortName } from "../models/model_name.ts";
import { readBody } from "./request_body.ts";

const FIELDS = { source: "string", destination: "string" } as const;

/** Adds the endpoints to an app. */
export function registerLocalModels(app: Hono<MockEnvironment>, catalog: Catalog): void {
  app.post("/api/copy", (context) => copy(context, catalog));
  app.get("/api/ps", () => answerJson({ models: [] })); // nothing runs in a mock
}

async function copy(context: Context<MockEnvironment>, catalog: Catalog): Promise<Response> {
  const fields = await readBody(context, "CopyRequest", FIELDS);
  const source = requireName(fields, "source");
  const destination = requireName(fields, "destination");
  const pulled = catalog.findPulled(source);
  // Observed: a copy to itself does nothing, and succeeds even if there is no such model.
  const keyOf = pulled ? modelKey : shortName;
  if (keyOf(source) === keyOf(destination)) return context.body(null, 200);
  if (!pulled) throw new Refusal(404, `model ${JSON.stringify(fields.source)} not found`);
  catalog.copy(pulled.model, destination);
  return context.body(null, 200);
}

function requireName(fields: Record<string, unknown>, field: keyof typeof FIELDS): ModelName {
  const text = String(fields[field] ?? "");
  const name = parseModelName(text);
  if (!name) throw new Refusal(400, `${field} ${JSON.stringify(text)} is invalid`);
  return name;
}
