/**
 * Describes a failed pull in one line: what went wrong, and what to do.
 *
 * The first part is the message of {@link PullError}. Some of it comes from the server, or from whatever
 * answered in its place, so it is made safe for a terminal.
 *
 * @module
 */

import { PullError, type PullRetry } from "../mod.ts";
import { formatDuration } from "../src/amounts.ts";
import { adviseOn, type Attempt } from "./advice.ts";
import { describeDenial } from "./permissions.ts";
import { printable } from "./printable.ts";

/** Says why a pull failed and what to do. */
export function describeFailure(error: unknown, attempt: Attempt): string {
  const denial = describeDenial(error);
  if (denial !== undefined) return denial;
  if (!(error instanceof PullError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `Unexpected failure: ${printable(text)}; please report it`;
  }
  const problem = describeProblem(error);
  const what = error.reason === "model-not-found"
    ? `Model ${JSON.stringify(printable(attempt.model))} not found: ${problem}`
    : problem;
  return `${what}. ${adviseOn(error, attempt)}`;
}

/** Reports in one line that an attempt has failed, and when the next one follows. */
export function describeRetry({ error, delayMs, attempt }: PullRetry): string {
  return `${describeProblem(error)}; attempt ${attempt} in ${formatDuration(delayMs / 1000)}`;
}

/** Short descriptions of failures that each runtime describes at length, by reason. */
const SHORT_WORDS: Readonly<Record<string, string>> = {
  "refused": "connection refused",
  "tls-mismatch": "only one side uses TLS",
};

/** What went wrong, without advice. */
function describeProblem({ reason = "", message }: PullError): string {
  const line = printable(message).replace(/[.:]$/, "");
  const start = /^Cannot reach \S+(?=: )/.exec(line)?.[0];
  if (start !== undefined && Object.hasOwn(SHORT_WORDS, reason)) {
    return `${start}: ${SHORT_WORDS[reason]}`;
  }
  // Deno repeats the request, which is already known.
  const request = line.indexOf(": error sending request ");
  const problem = /: client error \(\w{1,20}\)(?=: )/.exec(line);
  if (request === -1 || !problem || problem.index < request) return line;
  return line.slice(0, request) + line.slice(problem.index + problem[0].length);
}
