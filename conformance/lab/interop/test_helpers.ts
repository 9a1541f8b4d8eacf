/**
 * Made-up outcomes for the tests of the record. Part of no package.
 *
 * @module
 */

import type { Exchange } from "../../exchange.ts";
import { failure, report, result } from "../../reporters/test_helpers.ts";
import type { Outcome } from "./run.ts";
import type { Subject } from "./subject.ts";

/** An answer that breaks off. */
export const CUT: Exchange = {
  request: "POST /api/pull {}",
  answer: { status: 200, contentType: null, chunks: ['{"a`b":1}\\n', "{"], ending: "reset" },
};

/** A client that keeps one rule, breaks another by some exchanges, and skips a third one. */
export function outcomeOf(...exchanges: Exchange[]): Outcome {
  const broken = result("C-END-1", {
    verdict: "broken",
    level: "must",
    because: "C-REQ-1",
    failure: failure({ exchanges }),
  });
  const results = [result("C-REQ-1"), broken, result("C-SUM-1", { verdict: "skipped" })];
  const subject = { breaks: { "C-END-1": "it does | not `look`" } } as unknown as Subject;
  return { subject, report: report(results, { subject: { name: "a|b", version: "1.2" } }) };
}
