/**
 * Made-up reports for the tests of reporters. Not part of any package.
 *
 * @module
 */

import type { Exchange } from "../exchange.ts";
import type { Failure, Report, RuleResult } from "../report.ts";

/** Characters that no reporter may output unescaped. */
export const HOSTILE =
  "</script><b onload='x'>\x1b[2J\0\x85\ud800\ufffe\u202e & \"quotes\" # \\ ]]>";

/** An answer in three chunks that ends too early. */
export const EXCHANGE: Exchange = {
  request: 'POST /api/pull {"model":"tiny"}',
  answer: {
    status: 200,
    contentType: "application/x-ndjson",
    chunks: ['{"status":"pulling manifest"}\\n', '{"status":"ver', 'ifying"}\\r\\n\\xf0'],
    ending: "reset",
  },
};

/** A broken rule's details. */
export function failure(more: Partial<Failure> = {}): Failure {
  return {
    expected: "a last line with `success`",
    seen: "a stream that breaks off",
    exchanges: [EXCHANGE],
    seed: -42,
    path: "3:0:1",
    foundAfter: 4,
    shrinks: 2,
    ...more,
  };
}

/** Details of a rule that ran out of time. */
const LATE: Partial<Failure> = {
  expected: "the answer to end within 10 s",
  seen: "it had not happened by then",
};

/** A result for a rule. */
export function result(id: string, more: Partial<RuleResult> = {}): RuleResult {
  const { verdict = "kept" } = more;
  return {
    id,
    side: id.startsWith("C") ? "client" : "server",
    level: "must",
    title: `The rule ${id} holds`,
    cites: 'spec: "It holds."',
    verdict,
    evidence: "what it is about",
    runs: 100,
    conclusive: 100,
    ...(verdict === "broken" && { failure: failure() }),
    ...(verdict === "hung" && { failure: failure(LATE) }),
    ...(verdict === "not seen" && { reason: "No input showed it", conclusive: 0 }),
    ...(verdict === "skipped" && { reason: "The kit cannot see it", runs: 0, conclusive: 0 }),
    ...more,
  };
}

/** A report with some results. */
export function report(results: readonly RuleResult[], more: Partial<Report> = {}): Report {
  return {
    format: 2,
    side: results[0]?.side ?? "server",
    subject: { name: "mock", version: "0.1.0" },
    runtime: "Deno 2.9.6",
    runs: 100,
    seed: 7,
    results,
    ...more,
  };
}

/** A rule with each verdict except `not seen`. */
export const ONE_OF_EACH: readonly RuleResult[] = [
  result("S-SEQ-1"),
  result("S-SEQ-2", { verdict: "broken" }),
  result("S-RES-1", { verdict: "hung", level: "observed" }),
  result("S-RES-2", { verdict: "skipped", level: "should" }),
];

/** A report in which every text is hostile. */
export const HOSTILE_REPORT: Report = report([
  result("S-SEQ-1", {
    title: HOSTILE,
    cites: HOSTILE,
    verdict: "broken",
    failure: failure({
      expected: HOSTILE,
      seen: `first\n${HOSTILE}`,
      path: `0; ${HOSTILE}`,
      exchanges: [
        {
          request: HOSTILE,
          answer: { status: 200, contentType: HOSTILE, chunks: [HOSTILE], ending: "hang" },
        },
        { request: HOSTILE },
      ],
    }),
  }),
  result("S-SEQ-2", { verdict: "skipped", reason: HOSTILE }),
  result("S-SEQ-3", { verdict: "hung", reason: HOSTILE }),
  result(HOSTILE, { title: HOSTILE }),
], { subject: { name: HOSTILE, version: HOSTILE }, runtime: HOSTILE });
