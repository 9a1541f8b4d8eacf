/**
 * Shows that the mock can be served and stopped, says what it does, and refuses what it cannot be.
 *
 * @module
 */

import { assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { describeRequest } from "./mock.ts";

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
