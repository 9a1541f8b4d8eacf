/**
 * Describes a failed pull in one line: what went wrong, and what to do.
 *
 * The first part is the message of {@link PullError}. Some of it comes from the server, or from whatever
 * answered in its place, so it is made safe for a terminal.
 *
 * @module
 */

import { PullError } from "../mod.ts";
import { adviseOn, type Attempt } from "./advice.ts";
import { printable } from "./format.ts";

/** Says why a pull failed and what to do. */
export function describeFailure(error: unknown, attempt: Attempt): string {
  if (!(error instanceof PullError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `Unexpected failure: ${printable(text)}; please report it`;
  }
  return `${describeProblem(error, attempt.model)}. ${adviseOn(error, attempt)}`;
}

/** What went wrong, without what to do. */
export function describeProblem({ reason, message }: PullError, model: string): string {
  const line = printable(message).replace(/\.$/, "");
  if (reason === "model-not-found") {
    return `Model ${JSON.stringify(printable(model))} not found: ${line}`;
  }
  // Each runtime describes a refused connection in its own long words.
  const start = reason === "refused" ? /^Cannot reach \S+(?=: )/.exec(line)?.[0] : undefined;
  if (start !== undefined) return `${start}: connection refused`;
  // Deno says which request it was, which is known.
  return line.replace(/: error sending request .*?: client error \(\w+\): /, ": ");
}
