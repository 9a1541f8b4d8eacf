/**
 * Shows that everything exported is documented.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { lintDocs } from "./docs.ts";

describe("the documentation", () => {
  it("covers all exports", async () => {
    assertEquals(await lintDocs(), []);
  });
});
