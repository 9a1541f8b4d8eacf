import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertSpyCallArgs, assertSpyCalls, spy } from "@std/testing/mock";
import { describe, it } from "node:test";
import { PullError } from "./errors.ts";
import { handleMalformed } from "./malformed.ts";

describe("handleMalformed", () => {
  const error = new PullError("malformed", "Line 1 is not JSON");

  it("throws the error, if it is to fail the stream", () => {
    assertStrictEquals(assertThrows(() => handleMalformed(error, "error")), error);
  });

  it("does nothing, if the line is to be left out", () => {
    assertEquals(handleMalformed(error, "skip"), undefined);
  });

  it("hands the error to a callback, and lets through what that throws", () => {
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
