/**
 * The faults that strike before the answer, and so at any endpoint.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { Exchange, MockEnvironment } from "../exchange/exchange.ts";
import { answerJson } from "../exchange/json_answer.ts";
import type { ArmedFault } from "../faults/faults.ts";
import type { FaultKind } from "../faults/kinds.ts";

/**
 * Has faults strike the requests to all endpoints but that of pulls, which reads the model first.
 *
 * @param faultsFor The faults for a request to a path.
 */
export function strikeEarly(
  faultsFor: (path: string) => readonly ArmedFault[],
): MiddlewareHandler<MockEnvironment> {
  return async ({ env, req }, next) =>
    await failEarly(env.exchange, faultsFor(req.path)) ?? await next();
}

/** Applies the faults that strike before the answer: waits, or returns an HTTP error. */
export async function failEarly(
  exchange: Exchange,
  faults: readonly ArmedFault[],
): Promise<Response | undefined> {
  const strike = (kind: FaultKind) => {
    const fault = faults.find((each) => each.kind === kind && each.strike());
    if (fault) exchange.entry.faults.push(kind);
    return fault;
  };
  const slow = strike("slow-first-byte");
  if (slow) await exchange.sleep(Number(slow.parameters.ms));
  const fault = strike("http-error");
  if (!fault) return undefined;
  exchange.outcome = "faulted";
  const { status, body, message } = fault.parameters;
  const init = { status: Number(status) };
  if (body === "json") return answerJson({ error: message }, Number(status));
  if (body === "none") return new Response(null, init);
  const html = `<html><head><title>${status}</title></head><body><h1>${message}</h1></body></html>`;
  return new Response(html, { ...init, headers: { "Content-Type": "text/html" } });
}
