/**
 * Faults that strike before the answer begins, and so can strike any endpoint.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { WaitAction } from "../exchange/actions.ts";
import type { Exchange, MockEnvironment } from "../exchange/exchange.ts";
import { answerJson } from "../exchange/json_answer.ts";
import type { OpenRequest } from "../exchange/request_log.ts";
import type { ArmedFault } from "../faults/faults.ts";
import type { EarlyKind, FilledParameters } from "../faults/kinds.ts";

/**
 * Makes faults strike requests to all endpoints except pulls, whose endpoint reads the model first.
 *
 * @param faultsFor Chooses the faults for a request to a path.
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
  if (faults.length === 0) return undefined;
  const { value } = await exchange.proceed<never, Response | undefined>(
    strikes(exchange.entry, faults),
  );
  if (value) exchange.outcome = "faulted";
  return value;
}

/** The waits before the answer, and an error answer if the fault sends one. */
type EarlyStrike = Generator<WaitAction, Response | undefined, void>;

/** The behaviour of each kind, in the order in which the kinds act. */
const behaviours: {
  readonly [Kind in EarlyKind]: (parameters: FilledParameters<Kind>) => EarlyStrike;
} = {
  *"slow-first-byte"({ ms }) {
    yield { do: "wait", ms };
    return undefined;
  },
  // deno-lint-ignore require-yield
  *"http-error"({ status, body, message }) {
    const init = { status };
    if (body === "json") return answerJson({ error: message }, status);
    if (body === "none") return new Response(null, init);
    const html =
      `<html><head><title>${status}</title></head><body><h1>${message}</h1></body></html>`;
    return new Response(html, { ...init, headers: { "Content-Type": "text/html" } });
  },
};

/** Strikes with the first applicable fault of each kind. */
function* strikes(entry: OpenRequest, faults: readonly ArmedFault[]): EarlyStrike {
  for (const kind of Object.keys(behaviours) as EarlyKind[]) {
    const fault = faults.find((each) => each.kind === kind && each.strike());
    if (!fault) continue;
    entry.faults.push(kind);
    // `armFault` has checked that these are the parameters of the kind.
    const behaviour = behaviours[kind] as (parameters: unknown) => EarlyStrike;
    const response = yield* behaviour(fault.parameters);
    if (response) return response;
  }
  return undefined;
}
