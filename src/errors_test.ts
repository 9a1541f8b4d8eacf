import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError, type PullErrorDetails } from "./errors.ts";

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

  it("has exactly the given details", () => {
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

  it("is retryable by default if a connection or a server may be at fault", () => {
    const passing = ["network", "truncated", "stalled"] as const;
    const final = ["http", "server", "malformed", "line-too-long"] as const;
    for (const code of passing) assert(new PullError(code, "").retryable, code);
    for (const code of final) assert(!new PullError(code, "").retryable, code);
    assert(!new PullError("network", "", { retryable: false }).retryable);
    assert(new PullError("http", "", { retryable: true }).retryable);
  });

  it("always has the same fields, and no detail overrides them", () => {
    const details = { name: "Evil", message: "other", code: "server", status: 500 };
    const error = new PullError("http", "HTTP 500", details as PullErrorDetails);
    assertEquals(Object.keys(error), Object.keys(new PullError("stalled", "")));
    assertEquals([error.name, error.message, error.code], ["PullError", "HTTP 500", "http"]);
  });

  it("distinguishes an undefined cause from no cause", () => {
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
    reason: fc.string(),
    retryable: fc.boolean(),
    retryAfterMs: fc.nat(),
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
    it(`restores an error from toJSON, after ${name}`, () => {
      fc.assert(fc.property(pullErrors(), (error) => {
        const read = PullError.from(cross(error.toJSON()));
        assert(read instanceof PullError);
        assertEquals(JSON.stringify(read), JSON.stringify(error));
      }));
    });
  }

  it("returns a PullError unchanged, and undefined for anything else", () => {
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
    const odd = { ...json, retryable: "yes", reason: 5, retryAfterMs: "soon" };
    assertEquals(PullError.from(odd)?.toJSON(), {
      name: "PullError",
      code: "http",
      message: "HTTP 502",
      retryable: false,
    });
  });
});

describe("PullError.toJSON", () => {
  it("names the causes, even if they form a cycle", () => {
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
    assertEquals(error.toJSON(), {
      name: "PullError",
      code: "network",
      message: "broke",
      retryable: true,
    });
  });
});
