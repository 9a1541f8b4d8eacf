import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertSpyCallArgs, assertSpyCalls, spy } from "@std/testing/mock";
import { describe, it } from "node:test";
import { PullError } from "./errors.ts";
import { handleMalformed } from "./malformed.ts";

describe("handleMalformed", () => {
  const error = new PullError("malformed", "Line 1 is not JSON");

  it('throws the error for "error"', () => {
    assertStrictEquals(assertThrows(() => handleMalformed(error, "error")), error);
  });

  it('does nothing for "skip"', () => {
    assertEquals(handleMalformed(error, "skip"), undefined);
  });

  it("calls a callback with the error, and rethrows what it throws", () => {
    const callback = spy();
    handleMalformed(error, callback);
    assertSpyCalls(callback, 1);
    assertSpyCallArgs(callback, 0, [error]);

    const thrown = new Error("enough");
    const thrower = () => {
      throw thrown;
    };
    assertStrictEquals(assertThrows(() => handleMalformed(error, thrower)), thrown);
  });
});
