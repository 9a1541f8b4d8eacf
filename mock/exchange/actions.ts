/**
 * The actions that make up an answer: send bytes, wait, fail, end, break the connection.
 *
 * @module
 */

import type { Hold } from "../faults/hold.ts";
import type { RequestOutcome } from "./request_log.ts";

/** What an answer waits for: some time, or a test that releases it. */
export type Wait = { readonly ms: number } | { readonly hold: Hold };

/** A step of an answer that waits. */
export type WaitAction = { readonly do: "wait" } & Wait;

/** Whether a step of an answer waits. */
export function isWait(step: object): step is WaitAction {
  return "do" in step && step.do === "wait";
}

/** One step of an answer. */
export type Action =
  /** Sends bytes. `ends` is set on the last ones: the outcome of the request. */
  | {
    readonly do: "send";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly ends?: RequestOutcome;
  }
  | WaitAction
  /** Ends the answer with an error, caused by a fault or by the request itself. */
  | { readonly do: "fail"; readonly message: string; readonly byFault: boolean }
  /** Ends the body as if it were complete. */
  | { readonly do: "end" }
  /** Breaks the connection. */
  | { readonly do: "reset" };

/** The actions of a streamed body, in which a failure has already become a line. */
export type SentAction = Exclude<Action, { readonly do: "fail" }>;

/**
 * Marks the last action with the outcome of the request, if it sends bytes: a client that has read the last
 * bytes need not wait for the end of the body.
 */
export function* markLast<Each extends Action>(
  actions: Iterable<Each>,
  outcome: RequestOutcome,
): Generator<Each, void, void> {
  const all = [...actions];
  const last = all.pop();
  yield* all;
  if (last) yield last.do === "send" ? { ...last, ends: outcome } : last;
}
