/**
 * Shows that the picture in README.md is up to date.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { drawPicture, PICTURE } from "./draw_picture.ts";
import { readText } from "./project.ts";

describe("the picture in README.md", () => {
  it("shows what `pull` shows now", async () => {
    assertEquals(await readText(PICTURE), await drawPicture());
  });
});
