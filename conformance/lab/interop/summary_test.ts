import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { report, result } from "../../reporters/test_helpers.ts";
import { recordOf } from "./record.ts";
import type { Outcome } from "./run.ts";
import type { Subject } from "./subject.ts";
import { renderSummary } from "./summary.ts";

/** What came of an implementation that breaks some rules. */
function outcome(name: string, ids: readonly string[], more: Partial<Subject> = {}): Outcome {
  const subject = { breaks: {}, ...more } as unknown as Subject;
  const results = ids.map((id) => result(id, { verdict: "broken" }));
  const side = name.startsWith("server") ? "server" : "client";
  return { subject, report: report(results, { side, subject: { name, version: "1" } }) };
}

const OTHERS = [
  outcome("server a", []),
  outcome("server b", ["S-FRAME-3"]),
  outcome("server c", ["S-RESUME-1"]),
  outcome("client d", ["C-END-1", "C-FRAME-2"]),
  outcome("client e", ["C-END-1"]),
  outcome("client f", ["C-FRAME-2", "C-END-1"]),
  outcome("client g", ["C-REQ-1"]),
  outcome("client h", ["C-ERR-4"]),
];

describe("the summary", () => {
  it("says which servers and how many clients break a `must`, and which one is broken most", () => {
    assertEquals(renderSummary(recordOf(OTHERS)).split("\n"), [
      "- 1 of 3 servers break a `must` rule: server c 1. Those that break no rule at all: server a 1.",
      "- 4 of 5 clients break a `must` rule, 3 of them this one: " +
      '"A stream that ends without `success` is a failure". Those that do not: client h 1.',
      "- The mock and `pull` of this package break none.",
    ]);
  });

  it("distinguishes ours", () => {
    const ours = outcome("client of ours", ["C-END-1"], { isOurs: true });
    const [servers, clients, own] = renderSummary(recordOf([...OTHERS, ours])).split("\n");
    assertEquals([servers, clients], renderSummary(recordOf(OTHERS)).split("\n").slice(0, 2));
    assertEquals(own, "- Of this package, one is broken by client of ours 1.");
  });
});
