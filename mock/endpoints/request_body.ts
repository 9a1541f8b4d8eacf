/**
 * Reads the bodies of requests.
 *
 * @module
 */

import type { Context } from "hono";
import type { MockEnvironment } from "../exchange/exchange.ts";
import { Refusal } from "../exchange/refusal.ts";
import { type FieldTypes, GoJsonError, parseGoJson, readFields } from "../go_json/decode.ts";

/** Longer bodies are not logged. */
const MAX_LOGGED_CHARACTERS = 16 * 1024;

/** Keeps a byte order mark, which Go rejects. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads the body of a request as a struct, and logs it.
 *
 * @throws {Refusal} If it is missing, not JSON, or a field has the wrong type.
 */
export async function readBody(
  context: Context<MockEnvironment>,
  struct: string,
  types: FieldTypes,
): Promise<Record<string, unknown>> {
  const { entry } = context.env.exchange;
  const text = decoder.decode(await context.req.arrayBuffer());
  const isLogged = text !== "" && text.length <= MAX_LOGGED_CHARACTERS;
  if (isLogged) entry.body = text;
  try {
    const value = parseGoJson(text);
    if (value === undefined) throw new Refusal(400, "missing request body");
    if (isLogged) entry.body = value;
    return readFields(value, struct, types);
  } catch (error) {
    if (error instanceof GoJsonError) throw new Refusal(400, error.message);
    throw error;
  }
}

/** The model that a request names. Observed: `name` is used if `model` is absent or empty. */
export function modelOf({ model, name }: Record<string, unknown>): string {
  return String(model || name || "");
}
