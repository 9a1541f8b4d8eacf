/**
 * Shows that what does not fit a schema is named by its place, with what is possible there, in words of a
 * reasonable length.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Problem } from "./json.ts";
import { MisfitError, requireFit } from "./problems.ts";
import { fits } from "./schema.ts";
import { Fault, Faults, Setup } from "./schemas.ts";

function problemsOf(...parameters: Parameters<typeof requireFit>): readonly Problem[] {
  return assertThrows(() => requireFit(...parameters), MisfitError).problems;
}

describe("requireFit", () => {
  it("returns what fits, and says of all else at least one thing that is wrong", () => {
    const names = ["models", "rate", "faults", "registry", "clock", "kind", "chance", "__proto__"];
    const key = fc.oneof(fc.constantFrom(...names), fc.string());
    const json = fc.oneof(fc.jsonValue(), fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })));
    fc.assert(fc.property(json, (json) => {
      if (fits(json, Setup)) assertStrictEquals(requireFit(json, Setup), json);
      else for (const { message } of problemsOf(json, Setup)) assertMatch(message, /: it /);
    }));
  });

  it("says what is possible", () => {
    const messageOf = (json: unknown) => {
      const [problem, ...others] = problemsOf(json, Setup);
      assertEquals(others, []);
      return `${problem?.place}: ${problem?.message}`;
    };
    const count = "a whole number from 0 to 9007199254740991";
    for (
      const [json, message] of [
        [{ seed: 0.5 }, `seed: Cannot use 0.5: it must be ${count}`],
        [{ tickMs: 0 }, "tickMs: Cannot use 0: it must be a number above 0"],
        [{ models: {} }, "models: Cannot use {}: it must be a list"],
        [{ models: [{}] }, "models[0].name: It is missing: it must be a string"],
        [
          { models: [{ name: "a", size: {} }] },
          `models[0].size: Cannot use {}: it must be ${count} or a string`,
        ],
        [
          { models: [{ name: "a", config: { size: 1, x: 1 } }] },
          "models[0].config.x: Unknown field: it must be one of size, digest, content, mediaType",
        ],
        [{ anyModel: "a" }, 'anyModel: Cannot use "a": it must be true or false or an object'],
        [{ clock: "fast" }, 'clock: Cannot use "fast": it must be one of real, virtual, step'],
        [
          { replaySpeed: "x" },
          'replaySpeed: Cannot use "x": it must be a number above 0 or "unlimited"',
        ],
        [{ faults: null }, "faults: Cannot use null: it must be a list or an object"],
        [{ faults: { chance: 2 } }, "faults.chance: Cannot use 2: it must be a number from 0 to 1"],
        [
          { faults: { chance: 1, kinds: [] } },
          "faults.kinds: Cannot use []: it must be a list of 1 or more",
        ],
        [
          { faults: [{ kind: "stall", ms: -1 }] },
          "faults[0].ms: Cannot use -1: it must be a number, 0 or more",
        ],
      ] as const
    ) assertStrictEquals(messageOf(json), message);
  });

  it("tells the forms of a fault apart by their kinds", () => {
    const [unknown] = problemsOf({ kind: "cat", tims: 1 }, Fault, "fault");
    assertStrictEquals(unknown?.place, "fault.kind");
    assertMatch(
      unknown?.message ?? "",
      /^Cannot use "cat": it must be one of http-error, .*, cut, /,
    );
    const [missing] = problemsOf({ tims: 1 }, Fault, "fault");
    assertMatch(missing?.message ?? "", /^It is missing: it must be one of http-error, /);
    assertEquals(problemsOf({ kind: "cut", tims: 1 }, Fault, "fault"), [
      {
        place: "fault.tims",
        message: "Unknown field: it must be one of kind, at, model, times, after, path",
      },
    ]);
  });

  it("tells only the first problems of many", () => {
    assertStrictEquals(problemsOf(Array(1_000).fill(0), Faults).length, 20);
    const fields = Array.from({ length: 1_000 }, (_, index) => [`field${index}`, 0]);
    assertStrictEquals(problemsOf(Object.fromEntries(fields), Setup).length, 20);
  });
});
