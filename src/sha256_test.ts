import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { sha256 } from "./sha256.ts";
import { utf8 } from "./stream_test_helpers.ts";

const hex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const hashOfPlatform = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

describe("sha256", () => {
  it("agrees with the platform for any bytes", async () => {
    const bytes = fc.uint8Array({ maxLength: 1_000, size: "max" }).map((bytes) => bytes.slice());
    await fc.assert(fc.asyncProperty(bytes, async (bytes) => {
      assertEquals(sha256(bytes), await hashOfPlatform(bytes));
    }));
  });

  it("agrees with the platform at every length around block boundaries", async () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = new Uint8Array(length).fill(length + 1);
      assertEquals(sha256(bytes), await hashOfPlatform(bytes), `${length} bytes`);
    }
  });

  it("hashes only the bytes of a view, and does not change them", async () => {
    const all = utf8("before, abc, after");
    const view = all.subarray(8, 11);
    assertEquals(sha256(view), await hashOfPlatform(utf8("abc")));
    assertEquals(all, utf8("before, abc, after"));
  });

  it("agrees with the examples in the standard", () => {
    assertEquals(
      hex(sha256(utf8("abc"))),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    assertEquals(
      hex(sha256(utf8("a".repeat(1_000_000)))),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    );
  });

  it("can hash the largest manifest", async () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).map((_, index) => index % 251);
    assert(hex(sha256(bytes)) === hex(await hashOfPlatform(bytes)));
  });
});
