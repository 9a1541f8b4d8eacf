import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { shortDigest } from "./digest.ts";

describe("shortDigest", () => {
  it("is the first twelve digits, whatever the hash is called", () => {
    assertEquals(shortDigest(`sha256:${"0123456789abcdef".repeat(4)}`), "0123456789ab");
    assertEquals(shortDigest(`sha512:${"0123456789abcdef".repeat(8)}`), "0123456789ab");
  });

  it("is the whole text if a digest has another form", () => {
    assertEquals(shortDigest("sha256:model"), "model");
    assertEquals(shortDigest("abc"), "abc");
    assertEquals(shortDigest(""), "");
  });
});
