import { stripVTControlCharacters } from "node:util";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RuleResult } from "../report.ts";
import { breachesOf } from "./causes.ts";
import { prettyEnd, prettyReport } from "./pretty.ts";
import { prettyFailure } from "./pretty_failure.ts";
import { failure, HOSTILE_REPORT, ONE_OF_EACH, report, result } from "./test_helpers.ts";

describe("prettyFailure", () => {
  it("shows the rule, the sentence, the bytes with their boundaries, and how to see it again", () => {
    assertEquals(
      prettyFailure(report(ONE_OF_EACH), ONE_OF_EACH[1]!),
      `
✗ S-SEQ-2 must: The rule S-SEQ-2 holds
  broken by mock 0.1.0

  rests on  spec: "It holds."
  expected  a last line with \`success\`
  seen      a stream that breaks off

  POST /api/pull {"model":"tiny"}
  200 application/x-ndjson, 3 chunks
    1 │ {"status":"pulling manifest"}\\n
    2 │ {"status":"ver
    3 │ ifying"}\\r\\n\\xf0
      ╵ the connection breaks here

  Found after 4 inputs, shrunk 2 times. To reproduce it:
  conformance server --rule S-SEQ-2 --seed -42 --path 3:0:1
`.trim(),
    );
  });

  it("says which check came to no end", () => {
    assertEquals(
      prettyFailure(report(ONE_OF_EACH), ONE_OF_EACH[2]!),
      `
∞ S-RES-1 observed: The rule S-RES-1 holds
  no end with mock 0.1.0

  rests on  spec: "It holds."
  expected  the answer to end within 10 s
  seen      it had not happened by then

  POST /api/pull {"model":"tiny"}
  200 application/x-ndjson, 3 chunks
    1 │ {"status":"pulling manifest"}\\n
    2 │ {"status":"ver
    3 │ ifying"}\\r\\n\\xf0
      ╵ the connection breaks here

  Found after 4 inputs, shrunk 2 times. To reproduce it:
  conformance server --rule S-RES-1 --seed -42 --path 3:0:1
`.trim(),
    );
  });

  it("takes the caller's word for how to see it again", () => {
    const text = prettyFailure(report([]), ONE_OF_EACH[1]!, { replay: () => "try once more" });
    assertEquals(text.split("\n").at(-1), "  try once more");
  });

  it("wraps sentences and keeps their line breaks, but not bytes", () => {
    const words = "word ".repeat(40).trim();
    const broken = result("S-SEQ-1", {
      verdict: "broken",
      failure: failure({ expected: words, seen: `one\n${words}` }),
    });
    const lines = prettyFailure(report([]), broken, { columns: 50 }).split("\n");
    const seen = lines.findIndex((line) => line.startsWith("  seen"));
    assertEquals(lines[seen], "  seen      one");
    assertEquals(lines[seen + 1], "            word word word word word word word");
    for (const line of lines.slice(0, -2)) assert(line.length <= 50, line);
  });

  it("is the same with colours, but for the colours", () => {
    const plain = prettyReport([report(ONE_OF_EACH)]);
    const colored = prettyReport([report(ONE_OF_EACH)], { colors: true });
    assertEquals(plain.includes("\x1b"), false);
    assertEquals(stripVTControlCharacters(colored), plain);
  });

  it("tells the steps of a walk, and by which rule a breach was found", () => {
    const steps = ["curl -N $HOST/api/pull", "curl \u001b[31m$HOST/api/tags"];
    const show = (during: string) => {
      const found = failure({ during, steps, path: "" });
      const broken = result("S-SEQ-2", { verdict: "broken", failure: found });
      return prettyFailure(report([broken]), broken);
    };
    const walk = show("walk");
    assertStringIncludes(walk, "  Step by step:\n  curl -N $HOST/api/pull\n  curl ");
    assertEquals(walk.includes("\u001b"), false);
    assertStringIncludes(walk, "--rule S-SEQ-2 --seed");
    const other = show("S-ERR-1");
    assertStringIncludes(other, "Found while S-ERR-1 was tested");
    assertStringIncludes(other, "--rule S-SEQ-2 --rule S-ERR-1 --seed");
  });

  it("lets nothing through to the terminal, and nothing into the shell", () => {
    const text = prettyReport([HOSTILE_REPORT, report(ONE_OF_EACH)]) +
      prettyReport([HOSTILE_REPORT]);
    assertEquals(/[^\P{C}\n]/u.test(text), false);
    assertStringIncludes(
      text,
      "conformance server --rule S-SEQ-1 --seed -42 --path 0scriptbonloadx",
    );
  });
});

describe("prettyReport", () => {
  it("has a line for each rule, the failures, and the counts", () => {
    const lines = prettyReport([report(ONE_OF_EACH)]).split("\n");
    assertEquals(lines.slice(0, 6), [
      "server mock 0.1.0 (kit on Deno 2.9.6, up to 100 inputs by chance a rule, seed 7)",
      "",
      "✓ must     S-SEQ-1     The rule S-SEQ-1 holds (100 inputs)",
      "✗ must     S-SEQ-2     The rule S-SEQ-2 holds",
      "∞ observed S-RES-1     The rule S-RES-1 holds",
      "– should   S-RES-2     The rule S-RES-2 holds (skipped: The kit cannot see it)",
    ]);
    assertEquals(lines.slice(-6), [
      "must      1 kept, 1 broken",
      "should    1 skipped",
      "observed  1 hung",
      "skipped   S-RES-2: The kit cannot see it",
      "✗ 2 rules broken: 1 must, 1 observed",
      "",
    ]);
  });

  it("does not call a run in which nothing was tried a success", () => {
    const skipped = prettyEnd(report([result("S-SEQ-1", { verdict: "skipped" })]));
    assertStringIncludes(skipped, "– No rule was tested");
    const kept = prettyEnd(report([result("S-SEQ-1")]));
    assertStringIncludes(kept, "✓ No tested rule is broken\n");
  });

  it("says when rules could not be tested", () => {
    const end = prettyEnd(report([result("S-SEQ-1"), result("S-SEQ-2", { verdict: "skipped" })]));
    assertStringIncludes(end, "✓ No tested rule is broken; 1 rule could not be tested\n");
  });

  it("never ends in a ✓ with a rule that is broken or was not seen, whether that counts or not", () => {
    for (const verdict of ["broken", "hung", "not seen"] as const) {
      for (const level of ["must", "should", "observed"] as const) {
        const bad = result("S-SEQ-2", { verdict, level });
        const gate = { known: ["S-SEQ-2"], mayBeUnseen: ["S-SEQ-2"] };
        const end = prettyEnd(report([result("S-SEQ-1"), bad]), { gate });
        assertEquals(end.includes("✓"), false);
        assertStringIncludes(end, "not counted: S-SEQ-2 (it ");
      }
    }
  });

  it("has what breaks by way of others below the first cause, and a circle of causes by itself", () => {
    const broken = (id: string, because?: string) => result(id, { verdict: "broken", because });
    const idsOf = (...results: RuleResult[]) =>
      breachesOf(results).map((
        { root, dependents },
      ) => [root.id, ...dependents.map(({ id }) => id)]);
    assertEquals(
      idsOf(broken("S-A-3", "S-A-2"), broken("S-A-2", "S-A-1"), broken("S-A-1")),
      [["S-A-1", "S-A-3", "S-A-2"]],
    );
    assertEquals(idsOf(broken("S-A-1", "S-A-2"), broken("S-A-2", "S-A-1")), [["S-A-1"], ["S-A-2"]]);
  });

  it("has what breaks because of something else below that", () => {
    const text = prettyReport([
      report([
        result("S-REQ-1", { verdict: "broken", because: "S-SEQ-3" }),
        result("S-SEQ-3", { verdict: "broken" }),
        result("S-SEQ-4", { verdict: "broken", because: "S-NONE-1" }),
      ]),
    ]);
    const heads = text.split("\n").filter((line) => /^ *✗ S-/.test(line));
    assertEquals(heads.map((line) => line.slice(0, 9)), ["✗ S-SEQ-3", "✗ S-SEQ-4"]);
    assertStringIncludes(text, "  Broken because of it:\n    ✗ must     S-REQ-1 ");
    assertStringIncludes(text, "  because   S-NONE-1 is broken\n");
  });

  it("shows how many inputs a result rests on, and what was not seen", () => {
    const lines = prettyReport([
      report([
        result("S-SEQ-1", { conclusive: 3, runs: 5, repeated: 1 }),
        result("S-SEQ-2", { verdict: "not seen" }),
      ]),
    ]).split("\n");
    assertEquals(lines.slice(2, 4), [
      "✓ must     S-SEQ-1     The rule S-SEQ-1 holds " +
      "(3 of 5 inputs showed what it is about, 1 repeated alone after running out of time)",
      "? must     S-SEQ-2     The rule S-SEQ-2 holds (not seen: No input showed it)",
    ]);
  });

  it("puts several reports side by side", () => {
    const other = report([result("S-SEQ-2")], { subject: { name: "other" } });
    const lines = prettyReport([report(ONE_OF_EACH), other]).split("\n");
    assertEquals(lines.slice(0, 11), [
      "Servers",
      " 1  mock 0.1.0 (kit on Deno 2.9.6)",
      " 2  other (kit on Deno 2.9.6)",
      "",
      " 1 2",
      "     Sequence",
      " ✓   must     S-SEQ-1     The rule S-SEQ-1 holds",
      " ✗ ✓ must     S-SEQ-2     The rule S-SEQ-2 holds",
      "     RES",
      " ∞   observed S-RES-1     The rule S-RES-1 holds",
      " –   should   S-RES-2     The rule S-RES-2 holds",
    ]);
  });

  it("is nothing for no reports", () => {
    assertEquals(prettyReport([]), "");
  });
});
