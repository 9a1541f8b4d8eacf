/**
 * The plain pull of a server, which comes before all rules. A server that never pulls refuses every request,
 * so its refusals mean nothing.
 *
 * @module
 */

import { causeOfError } from "../../src/causes.ts";
import { quote } from "../../src/text.ts";
import { CannotRun, type CheckRun, Violation } from "../rule.ts";
import { withServer } from "./server_states.ts";
import type { OpenServer, ServerSetup, ServerSubject } from "./subject.ts";
import { hasSucceeded, pullAll, type Transcript } from "./transcript.ts";

/** A model of one small layer. */
export const PLAIN_SETUP: ServerSetup = { layers: [1_000] };

/** The rule that a server breaks if a plain pull does not succeed. */
const PLAIN_RULE = "S-SEQ-3";

/** For each server, whether it can pull, once known. */
const known = new WeakMap<ServerSubject, boolean>();

/** Pulls from an open server, and records whether that succeeds. */
async function pullPlainly(
  subject: ServerSubject,
  server: OpenServer,
  run: CheckRun,
): Promise<Transcript | undefined> {
  try {
    const transcript = await pullAll(server, run);
    known.set(subject, hasSucceeded(transcript));
    return transcript;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    known.set(subject, false); // there was no answer
    return undefined;
  }
}

/**
 * Makes the plain pull, before all rules.
 *
 * @throws {CannotRun} If the server cannot be reached, or its registry does not have the model.
 */
export async function plainPull(subject: ServerSubject, run: CheckRun): Promise<void> {
  await withServer(subject, PLAIN_SETUP, async (server) => {
    const last = (await pullPlainly(subject, server, run))?.statuses.at(-1);
    if (last?.kind !== "error" || causeOfError(last.message).reason !== "model-not-found") return;
    const [model, words] = [quote(server.model), quote(last.message)];
    throw new CannotRun(
      `Cannot test the server with the model ${model}: it answered ${words}. Choose a model that it can pull`,
    );
  });
}

/** Whether a server can pull at all. Tested only once. */
export async function pullsPlainly(subject: ServerSubject, run: CheckRun): Promise<boolean> {
  const isKnown = known.get(subject);
  if (isKnown !== undefined) return isKnown;
  await withServer(subject, PLAIN_SETUP, (server) => pullPlainly(subject, server, run));
  return known.get(subject) ?? false;
}

/** Throws unless a pull succeeded. If no pull does, another rule is blamed. */
export async function requireSuccess(
  subject: ServerSubject,
  transcript: Transcript,
  run: CheckRun,
): Promise<void> {
  if (hasSucceeded(transcript)) return;
  const { status, statuses, exchange } = transcript;
  const last = statuses.at(-1);
  const end = last
    ? `${JSON.stringify(last.error ?? last.status)} as the last object`
    : "no object";
  const seen = status === 200 ? end : `HTTP ${status} and ${end}`;
  throw new Violation("a pull that succeeds", seen, [exchange], await causeOfAll(subject, run));
}

/** The rule to blame for everything a server breaks, if it cannot pull. */
export async function causeOfAll(
  subject: ServerSubject,
  run: CheckRun,
): Promise<string | undefined> {
  return await pullsPlainly(subject, run) ? undefined : PLAIN_RULE;
}

/** Records an expected refusal or failure, which means something only if the server can pull. */
export async function sawRefusal(subject: ServerSubject, run: CheckRun): Promise<void> {
  if (await pullsPlainly(subject, run)) run.saw();
}

/** The evidence for rules that require a server to refuse something, or to fail. */
export const REFUSAL = "a refusal by a server that can pull the model";

/** The evidence for rules that require a pull to succeed. */
export const SUCCESS = "a pull that ends in `success`";
