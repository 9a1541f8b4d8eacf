/**
 * What is done with a response, one thing after another.
 *
 * @module
 */

import type { RequestOutcome } from "./request_log.ts";

/** Something to do with a response. */
export type Action =
  /** Sends bytes; `ends` is how the request has ended once they are sent, if it has. */
  | {
    readonly do: "send";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly ends?: RequestOutcome;
  }
  | { readonly do: "wait"; readonly ms: number }
  /** Reports an error as the last thing, which a fault has brought about, or the request itself. */
  | { readonly do: "fail"; readonly message: string; readonly byFault: boolean }
  /** Ends the body as if it were complete. */
  | { readonly do: "end" }
  /** Breaks the connection. */
  | { readonly do: "reset" };

/** What an answer consists of once it is under way, and a failure has become its last line. */
export type SentAction = Exclude<Action, { readonly do: "fail" }>;

/**
 * Marks the last of some actions with how the request has ended then, if it sends something: a client
 * that has read the last bytes need not wait for the end of the body.
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
