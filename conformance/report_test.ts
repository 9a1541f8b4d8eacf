import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { excuseOf, type Gate, isFailure, parseReport, passes, type RuleResult } from "./report.ts";
import { report, result } from "./reporters/test_helpers.ts";

const broken = (level: RuleResult["level"], more: Partial<RuleResult> = {}) =>
  result("S-SEQ-1", { verdict: "broken", level, ...more });

describe("a gate", () => {
  const fails = (result: RuleResult, gate?: Gate) => isFailure(result, gate);

  it("counts what is broken down to a level, which is `should` by default", () => {
    assertEquals((["must", "should", "observed"] as const).map((level) => fails(broken(level))), [
      true,
      true,
      false,
    ]);
    assertEquals(fails(broken("should"), { failOn: "must" }), false);
    assertEquals(fails(broken("observed"), { failOn: "observed" }), true);
  });

  it("counts what is hung at every level", () => {
    const hung = result("S-SEQ-1", { verdict: "hung", level: "observed" });
    assertEquals(fails(hung, { failOn: "must" }), true);
    assertEquals(fails(hung, { known: ["S-SEQ-1"] }), false);
  });

  it("counts what was not seen of must and should, unless it may be unseen", () => {
    const unseen = (level: RuleResult["level"]) =>
      result("S-SEQ-1", { verdict: "not seen", level });
    assertEquals(fails(unseen("must")), true);
    assertEquals(fails(unseen("should")), true);
    assertEquals(fails(unseen("should"), { failOn: "must" }), false);
    assertEquals(fails(unseen("observed"), { failOn: "observed" }), false);
    assertEquals(fails(unseen("must"), { mayBeUnseen: ["S-SEQ-1"] }), false);
    assertEquals(fails(unseen("must"), { known: ["S-SEQ-1"] }), true);
  });

  it("does not count what is known, nor what breaks because of that", () => {
    const gate = { known: ["S-SEQ-3"] };
    assertEquals(fails(broken("must"), gate), true);
    assertEquals(fails(broken("must", { because: "S-SEQ-3" }), gate), false);
    assertEquals(excuseOf(broken("must", { because: "S-SEQ-3" }), gate), "S-SEQ-3 is known");
    assertEquals(fails(broken("must", { id: "S-SEQ-3" }), gate), false);
  });

  it("lets pass what is kept or skipped", () => {
    const good = [result("S-SEQ-1"), result("S-SEQ-2", { verdict: "skipped" })];
    assertEquals(passes(report(good)), true);
    assertEquals(passes(report([...good, broken("should")])), false);
  });
});

describe("parseReport", () => {
  it("reads format 1, in which what was not seen was skipped after some runs", () => {
    const results = [
      result("S-SEQ-1"),
      result("S-SEQ-2", { verdict: "skipped", runs: 5 }),
      result("S-SEQ-3", { verdict: "skipped", runs: 0 }),
    ];
    const { format, results: read } = parseReport(
      JSON.stringify({ ...report(results), format: 1 }),
    );
    assertEquals(format, 2);
    assertEquals(read.map(({ verdict }) => verdict), ["kept", "not seen", "skipped"]);
  });

  it("says which formats it reads", () => {
    const future = JSON.stringify({ ...report([]), format: 3 });
    assertThrows(() => parseReport(future), TypeError, "must be 1 or 2, not 3");
  });
});
