/**
 * Shows that the package can be published, and that users get what they need and nothing else.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { intendedFiles, publishedFiles, tryPublishing } from "./publish.ts";

describe("publishing", () => {
  const attempt = tryPublishing();

  it("would succeed", async () => {
    const { ok, stderr } = await attempt;
    assert(ok, stderr);
  });

  it("includes every document and every module that an export needs", async () => {
    const published = new Set(publishedFiles(await attempt));
    assertEquals((await intendedFiles()).filter((file) => !published.has(file)), []);
  });

  it("includes nothing else", async () => {
    const intended = new Set(await intendedFiles());
    assertEquals(publishedFiles(await attempt).filter((file) => !intended.has(file)), []);
  });
});
