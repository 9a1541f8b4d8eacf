import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertSpyCallArgs, assertSpyCalls, spy } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError } from "./errors.ts";
import { handleMalformed } from "./malformed.ts";
import { excerptOf, quote } from "./text.ts";

describe("PullError", () => {
  it("is an Error with a code, a message and a name", () => {
    const error = new PullError("stalled", "The server sent nothing for 30 s");
    assert(error instanceof Error);
    assertEquals(
      [error.name, error.code, error.message],
      ["PullError", "stalled", "The server sent nothing for 30 s"],
    );
    assertEquals(String(error), "PullError: The server sent nothing for 30 s");
  });

  it("has the details that it is given, and no others", () => {
    const cause = new TypeError("why");
    const full = { status: 502, line: 3, excerpt: "<html>", attempts: 2 };
    const error = new PullError("http", "HTTP 502", { ...full, cause });
    const { status, line, excerpt, attempts } = error;
    assertEquals({ status, line, excerpt, attempts }, full);
    assertStrictEquals(error.cause, cause);

    const plain = new PullError("truncated", "The stream ended");
    assertEquals(
      [plain.status, plain.line, plain.excerpt, plain.attempts, "cause" in plain],
      [undefined, undefined, undefined, undefined, false],
    );
  });

  it("keeps a cause that is undefined apart from none", () => {
    assert("cause" in new PullError("network", "", { cause: undefined }));
  });
});

describe("handleMalformed", () => {
  const error = new PullError("malformed", "Line 1 is not JSON");

  it("throws the error, unless told otherwise", () => {
    assertStrictEquals(assertThrows(() => handleMalformed(error, "error")), error);
    assertStrictEquals(assertThrows(() => handleMalformed(error, "error")), error);
  });

  it("passes over the error, if told to", () => {
    handleMalformed(error, "skip");
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

describe("excerptOf", () => {
  it("is the text, or its first 80 characters and an ellipsis", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, size: "max" }), (text) => {
      const excerpt = excerptOf(text);
      if (text.length <= 80) assertEquals(excerpt, text);
      else assertEquals(excerpt, `${text.slice(0, 80)}…`);
    }));
  });

  it("has no half of a character at its end", () => {
    for (const text of ["😀".repeat(100), `x${"😀".repeat(100)}`]) {
      assert(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(excerptOf(text)));
    }
  });
});

describe("quote", () => {
  it("is one line without control characters, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f]/.test(quote(text)));
    }));
  });

  it("leaves no character by which a text could steer a terminal", () => {
    for (const control of ["\u001b", "\u0007", "\u007f", "\u009b", "\u0085"]) {
      assert(!quote(`a${control}b`).includes(control), `U+${control.charCodeAt(0).toString(16)}`);
    }
  });
});
