import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { formatGoTime } from "./time.ts";

describe("A date as Go writes it", () => {
  it("has the zone, and as many digits of a second as it needs", () => {
    const second = Date.UTC(2025, 4, 5, 0, 37, 44);
    const dates = [
      [second, 0, "2025-05-05T00:37:44Z"],
      [second + 250, 0, "2025-05-05T00:37:44.25Z"],
      [second + 0.5, 0, "2025-05-05T00:37:44.0005Z"],
      [second, -420, "2025-05-04T17:37:44-07:00"],
      [second + 1, 345, "2025-05-05T06:22:44.001+05:45"],
    ] as const;
    for (const [milliseconds, zone, text] of dates) {
      assertStrictEquals(formatGoTime(milliseconds, zone), text);
    }
  });

  it("is the same moment in every zone", () => {
    const moments = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
    fc.assert(fc.property(moments, fc.integer({ min: -720, max: 840 }), (date, zone) => {
      const text = formatGoTime(date.getTime(), zone);
      assertMatch(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?(Z|[+-]\d\d:\d\d)$/);
      assertEquals(new Date(text), date);
    }));
  });
});
