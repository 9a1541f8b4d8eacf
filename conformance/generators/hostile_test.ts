import { assert } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { hostileLines } from "./hostile.ts";
import { occurs } from "./test_helpers.ts";

describe("hostileLines", () => {
  it("are single lines", () => {
    fc.assert(fc.property(hostileLines(), (line) => assert(!line.includes("\n"))));
  });

  it("are JSON or not, and objects or not", () => {
    const parse = (line: string): unknown[] => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    };
    const isObject = (value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value);
    assert(occurs(hostileLines(), (line) => parse(line).length === 0));
    assert(occurs(hostileLines(), (line) => parse(line).length > 0 && !isObject(parse(line)[0])));
    assert(occurs(hostileLines(), (line) => isObject(parse(line)[0])));
    assert(occurs(hostileLines(), (line) => line.includes('"__proto__":{')));
    assert(occurs(hostileLines(), (line) => line.includes("[[[[[[[[")));
  });
});
