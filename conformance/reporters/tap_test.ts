import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { tapReport } from "./tap.ts";
import { HOSTILE, HOSTILE_REPORT, ONE_OF_EACH, report, result } from "./test_helpers.ts";

/** Reads the YAML blocks, which are JSON. */
function blocksOf(tap: string): Record<string, unknown>[] {
  return [...tap.matchAll(/^ {2}---\n(.*?)^ {2}\.\.\.$/gms)].map(([, json]) => JSON.parse(json!));
}

function testsOf(tap: string): string[] {
  return tap.split("\n").filter((line) => /^(not )?ok/.test(line));
}

describe("tapReport", () => {
  it("is a version, a plan, and a line for each rule", () => {
    const tap = tapReport([report(ONE_OF_EACH)]);
    assertEquals(tap.split("\n").slice(0, 2), ["TAP version 14", "1..4"]);
    assertEquals(testsOf(tap), [
      "ok 1 - S-SEQ-1 The rule S-SEQ-1 holds (must)",
      "not ok 2 - S-SEQ-2 The rule S-SEQ-2 holds (must)",
      "not ok 3 - S-RES-1 The rule S-RES-1 holds (observed)",
      "ok 4 - S-RES-2 The rule S-RES-2 holds (should) # SKIP The kit cannot see it",
    ]);
  });

  it("describes in a YAML block how a rule is broken", () => {
    const [broken, hung] = blocksOf(tapReport([report(ONE_OF_EACH)]));
    assertEquals(
      broken!.message,
      "expected a last line with `success`, saw a stream that breaks off",
    );
    assertEquals(broken!.replay, "conformance server --rule S-SEQ-2 --seed -42 --path 3:0:1");
    assertEquals((broken!.exchanges as unknown[]).length, 1);
    assertEquals(
      hung!.message,
      "expected the answer to end within 10 s, saw it had not happened by then",
    );
  });

  it("does not fail by what does not count", () => {
    const results = [
      ...ONE_OF_EACH,
      result("S-SEQ-8", { verdict: "broken", level: "observed" }),
      result("S-SEQ-9", { verdict: "not seen" }),
    ];
    const gate = { known: ["S-SEQ-2"], mayBeUnseen: ["S-SEQ-9"] };
    const tests = testsOf(tapReport([report(results)], { gate }));
    assertMatch(tests[1]!, /^not ok 2 .* # TODO it is known$/);
    assertMatch(tests[4]!, /^not ok 5 .* # TODO the level observed does not count$/);
    assertMatch(tests[5]!, /^ok 6 .* # SKIP not seen: No input showed it$/);
    assertMatch(testsOf(tapReport([report(results)]))[5]!, /^not ok 6 [^#]*$/);
  });

  it("names the subjects of several reports, in one plan", () => {
    const other = { subject: { name: "other" } };
    const tap = tapReport([report(ONE_OF_EACH), report(ONE_OF_EACH, other)]);
    assertMatch(tap, /^1\.\.8$/m);
    assertMatch(tap, /^ok 5 - other: S-SEQ-1 /m);
  });

  it("has no directive and no block but its own, whatever texts say", () => {
    const tap = tapReport([HOSTILE_REPORT]);
    for (const line of testsOf(tap)) {
      const directives = line.replace(/\\./g, "").split("#").slice(1);
      assertEquals(directives.every((directive) => directive.startsWith(" SKIP ")), true, line);
    }
    assertEquals(testsOf(tap).length, 4);
    assertEquals(blocksOf(tap)[0]!.seen as string, `first\n${HOSTILE}`);
    assertEquals(/[^\n\x20-\x7e]/.test(tap), false);
  });
});
