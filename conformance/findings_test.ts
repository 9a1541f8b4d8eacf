import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Findings } from "./findings.ts";
import { Violation } from "./rule.ts";

const violation = new Violation("one", "two", [{
  request: "POST /api/pull",
  answer: { status: 200, contentType: null, chunks: ["a line"], ending: "end" },
}]);

describe("What is found beside what rules look for", () => {
  it("is told by what is shortest to read, and a walk with its steps", () => {
    const findings = new Findings();
    const unrepeatable = { violation, during: "walk" };
    const long = { violation, during: "walk", steps: ["pull", "leave", "pull"] };
    const short = { violation, during: "walk", steps: ["pull"] };
    for (const each of [unrepeatable, long, short, long, unrepeatable]) {
      findings.add("S-TEST-1", each);
    }
    assertStrictEquals(findings.of("S-TEST-1"), short);
  });

  it("counts the states that were entered, by name", () => {
    const findings = new Findings();
    for (const state of ["part", "all", "part"]) findings.enter(state);
    assertEquals(findings.states, [{ state: "all", times: 1 }, { state: "part", times: 2 }]);
  });
});
