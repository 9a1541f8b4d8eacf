import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { fitWidth } from "./fit_width.ts";

describe("fitWidth", () => {
  it("leaves a line that fits as it is", () => {
    assertEquals(fitWidth("12345", 5), "12345");
  });

  it("cuts a line by the columns that it takes, not by its characters", () => {
    assertEquals(fitWidth("123456", 5), "1234…");
    assertEquals(fitWidth("日本語です", 5), "日本…");
    assertEquals(fitWidth("x", 0), "");
  });
});
