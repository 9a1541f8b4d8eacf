import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertSpyCallArgs, assertSpyCalls, spy } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError, type PullErrorDetails } from "./errors.ts";
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

  it("has the same fields whatever it was given, and no detail overrides them", () => {
    const details = { name: "Evil", message: "other", code: "server", status: 500 };
    const error = new PullError("http", "HTTP 500", details as PullErrorDetails);
    assertEquals(Object.keys(error), Object.keys(new PullError("stalled", "")));
    assertEquals([error.name, error.message, error.code], ["PullError", "HTTP 500", "http"]);
  });

  it("keeps a cause that is undefined apart from none", () => {
    assert("cause" in new PullError("network", "", { cause: undefined }));
  });
});

/** Errors with any details, whose cause may have causes of its own. */
const pullErrors = () => {
  const causes = fc.letrec<{ cause: Error }>((tie) => ({
    cause: fc.tuple(fc.string(), fc.option(tie("cause"), { nil: undefined })).map(
      ([message, cause]) => new TypeError(message, { cause }),
    ),
  }));
  const details = fc.record({
    status: fc.integer(),
    body: fc.jsonValue(),
    line: fc.nat(),
    excerpt: fc.string(),
    attempts: fc.nat(),
    cause: causes.cause,
  }, { requiredKeys: [] });
  const codes = fc.constantFrom("http" as const, "server" as const, "network" as const);
  return fc.tuple(codes, fc.string(), details)
    .map(([code, message, details]) => new PullError(code, message, details));
};

describe("PullError.from", () => {
  const borders: Readonly<Record<string, (json: unknown) => unknown>> = {
    "JSON": (json) => JSON.parse(JSON.stringify(json)),
    "a structured clone": structuredClone,
  };
  for (const [name, cross] of Object.entries(borders)) {
    it(`reads what toJSON gives, after ${name}`, () => {
      fc.assert(fc.property(pullErrors(), (error) => {
        const read = PullError.from(cross(error.toJSON()));
        assert(read instanceof PullError);
        assertEquals(JSON.stringify(read), JSON.stringify(error));
      }));
    });
  }

  it("gives back an error as it is, and undefined for anything else", () => {
    const error = new PullError("truncated", "The stream ended");
    assertStrictEquals(PullError.from(error), error);
    const others = [
      undefined,
      null,
      5,
      "PullError",
      {},
      new Error("another"),
      { name: "PullError", code: "http" },
      { name: "PullError", code: "unheard-of", message: "" },
      { name: "PullError", code: 5, message: "" },
      { name: "Error", code: "http", message: "" },
    ];
    for (const other of others) assertEquals(PullError.from(other), undefined);
    fc.assert(
      fc.property(fc.anything(), (value) => assertEquals(PullError.from(value), undefined)),
    );
  });

  it("leaves out details of a wrong type", () => {
    const json = { name: "PullError", code: "http", message: "HTTP 502", status: "502", line: {} };
    assertEquals(PullError.from(json)?.toJSON(), {
      name: "PullError",
      code: "http",
      message: "HTTP 502",
    });
  });
});

describe("PullError.toJSON", () => {
  it("names the causes, also where they lead back to themselves", () => {
    const inner = new Error("inner");
    const outer = new TypeError("outer", { cause: inner });
    const { cause } = new PullError("network", "", { cause: outer }).toJSON();
    assertEquals(cause, {
      name: "TypeError",
      message: "outer",
      cause: { name: "Error", message: "inner" },
    });
    inner.cause = outer;
    const looped = JSON.stringify(new PullError("network", "", { cause: outer }));
    assert(looped.length < 1_000, looped);
  });

  it("leaves out a cause that is not an error", () => {
    const error = new PullError("network", "broke", { cause: () => {} });
    assertEquals(error.toJSON(), { name: "PullError", code: "network", message: "broke" });
  });
});

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
