import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { mergeReports } from "./matrix.ts";
import { report, result } from "./test_helpers.ts";

describe("mergeReports", () => {
  it("has a matrix for each side, servers first", () => {
    const matrices = mergeReports([report([result("C-REQ-1")]), report([result("S-REQ-1")])]);
    assertEquals(matrices.map(({ side }) => side), ["server", "client"]);
  });

  it("distinguishes names, versions and runtimes", () => {
    const results = [result("S-SEQ-1")];
    const [matrix] = mergeReports([
      report(results),
      report(results, { runtime: "Bun 1.4.5" }),
      report(results, { subject: { name: "mock", version: "0.2.0" } }),
      report(results, { subject: { name: "mock" } }),
      report(results, { seed: 8 }),
    ]);
    assertEquals(
      matrix!.implementations.map(({ subject, runtime }) => [subject.version, runtime]),
      [
        ["0.1.0", "Deno 2.9.6"],
        ["0.1.0", "Bun 1.4.5"],
        ["0.2.0", "Deno 2.9.6"],
        [undefined, "Deno 2.9.6"],
      ],
    );
  });

  it("merges the results of several jobs, in any order", () => {
    const reports = [
      report([result("S-SEQ-1"), result("S-SEQ-2", { verdict: "skipped" })], { seed: 1 }),
      report([result("S-SEQ-1", { verdict: "broken" }), result("S-SEQ-2")], { seed: 2 }),
      report([result("S-SEQ-1", { verdict: "hung" }), result("S-SEQ-3")], { seed: 3 }),
    ];
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
      const [matrix] = mergeReports(order.map((index) => reports[index]!));
      const found = ["S-SEQ-1", "S-SEQ-2", "S-SEQ-3"].map((id) =>
        matrix!.implementations[0]!.findings.get(id)!
      );
      assertEquals(found.map(({ result }) => result.verdict), ["broken", "kept", "kept"]);
      assertEquals(found.map(({ report }) => report.seed), [2, 2, 3]);
    }
  });

  it("orders rules by section, as the longest report does, and by number", () => {
    const [matrix] = mergeReports([
      report([result("S-DOWN-1")]),
      report(["S-REQ-1", "S-SEQ-10", "S-SEQ-9", "S-NEW-1"].map((id) => result(id))),
      report([result("S-REQ-2")]),
    ]);
    assertEquals(
      matrix!.sections.map(({ title, rules }) => [title, ...rules.map(({ id }) => id)]),
      [
        ["Requests", "S-REQ-1", "S-REQ-2"],
        ["Sequence", "S-SEQ-9", "S-SEQ-10"],
        ["NEW", "S-NEW-1"],
        ["Downloads", "S-DOWN-1"],
      ],
    );
  });
});
