/**
 * Shows that mutants are counted as they fared, and that what is mutated breaks no rule before.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { isBroken, type Report } from "../../report.ts";
import { runClientConformance } from "../../client/suite.ts";
import { runServerConformance } from "../../server/suite.ts";
import { type Equivalent, type Mutant, namedMutants, scoreOf } from "./mutants.ts";
import { smallClient } from "./small_client_subject.ts";
import { smallServer } from "./small_server_subject.ts";

const SOURCE = "first();\n  if (a > b) {\n    second();\n  }\n";

/** A mutant of the condition in the second line, or of its block. */
function mutantOf(status: Mutant["status"], replacement: string, isBlock = false): Mutant {
  const location = isBlock
    ? { start: { line: 2, column: 14 }, end: { line: 4, column: 4 } }
    : { start: { line: 2, column: 7 }, end: { line: 2, column: 12 } };
  return { mutatorName: "Any", replacement, location, status };
}

function scored(mutants: readonly Mutant[], equivalents: readonly Equivalent[] = []) {
  const report = { files: { "file.ts": { source: SOURCE, mutants } } };
  return scoreOf(namedMutants(report), equivalents);
}

describe("namedMutants", () => {
  it("has the text that is replaced, over several lines, too", () => {
    const mutants = [mutantOf("Killed", "a >= b"), mutantOf("Killed", "{}", true)];
    const report = { files: { "file.ts": { source: SOURCE, mutants } } };
    const line = "if (a > b) {";
    assertEquals(namedMutants(report), [
      { original: "a > b", replacement: "a >= b", line, place: "file.ts:2:7", status: "Killed" },
      {
        original: "{\n    second();\n  }",
        replacement: "{}",
        line,
        place: "file.ts:2:14",
        status: "Killed",
      },
    ]);
  });
});

describe("scoreOf", () => {
  const listed = {
    original: "a > b",
    replacement: "a >= b",
    line: "if (a > b) {",
    proof: "They are never equal.",
  };

  it("counts what was caught among those that are not equivalent", () => {
    const mutants = [
      mutantOf("Killed", "true"),
      mutantOf("Timeout", "a < b"),
      mutantOf("RuntimeError", "{}", true),
      mutantOf("Survived", "false"),
      mutantOf("Survived", "a >= b"),
      mutantOf("Ignored", "a <= b"),
    ];
    const { caught, survived, equivalent, stale, share } = scored(mutants, [listed]);
    assertEquals([caught, survived.length, equivalent.length, stale.length], [3, 1, 1, 0]);
    assertEquals(share, 0.75);
    assertEquals(scored(mutants).share, 0.6);
  });

  it("names mutants that are wrongly listed as equivalent, or no longer exist", () => {
    assertEquals(scored([mutantOf("Killed", "a >= b")], [listed]).stale, [listed]);
    assertEquals(scored([], [listed]).stale, [listed]);
  });
});

describe("what is mutated", () => {
  const brokenIn = ({ results }: Report) => results.filter(isBroken).map(({ id }) => id);

  it("breaks no rule before, as a server", async () => {
    assertEquals(brokenIn(await runServerConformance(smallServer, { seed: 1, runs: 20 })), []);
  });

  it("breaks no rule before, as a client", async () => {
    assertEquals(brokenIn(await runClientConformance(smallClient, { seed: 1, runs: 10 })), []);
  });

  it("has each equivalent mutant listed with a proof", async () => {
    const file = new URL("equivalents.json", import.meta.url);
    const listed: Record<string, Equivalent[]> = JSON.parse(await readFile(file, "utf8"));
    assertEquals(Object.keys(listed), ["server", "client"]);
    for (const { line, proof } of Object.values(listed).flat()) {
      if (proof.trim() === "") throw new Error(`There is no proof for ${line}`);
    }
  });
});
