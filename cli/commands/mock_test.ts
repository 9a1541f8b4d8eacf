/**
 * Shows that the mock can be served and stopped, says what it does, and refuses what it cannot be.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { UsageError } from "../command.ts";
import { describeRequest, parseRate } from "./mock.ts";

describe("parseRate", () => {
  it("takes bytes in decimal units, a second", () => {
    assertEquals(parseRate("100MB/s"), 100e6);
    assertEquals(parseRate("1.5 gb"), 1.5e9);
    assertEquals(parseRate("64kB/s"), 64e3);
    assertEquals(parseRate("5"), 5);
  });

  it("refuses an invalid rate, and 0", () => {
    for (const text of ["", "fast", "0", "-1MB/s", "1MiB/s", "1e9", "MB/s"]) {
      assertThrows(
        () => parseRate(text),
        UsageError,
        "it must be bytes per second, such as 100MB/s",
      );
    }
  });
});

describe("describeRequest", () => {
  it("is one line, without what would steer a terminal", () => {
    const line = describeRequest({
      id: 1,
      method: "POST",
      path: "/api/pull",
      headers: new Headers(),
      body: undefined,
      model: "a\u001b[2Jb\n",
      status: 200,
      outcome: "faulted",
      faults: ["cut"],
      bytesSent: 1_400,
      startedAt: 0,
      endedAt: 1,
    });
    assertMatch(
      line,
      /^\d\d:\d\d:\d\d {2}POST {2}\/api\/pull {2}ab {2}200 {2}faulted {2}1\.4 KB {2}faults: cut$/,
    );
  });
});
