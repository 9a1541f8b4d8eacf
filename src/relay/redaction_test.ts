import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import { asPullError } from "../stream_test_helpers.ts";
import { redactError } from "./redaction.ts";

const SECRET = "hunter2";

describe("redactError", () => {
  it("keeps why a pull failed, and leaves out what the server sent and what led to it", () => {
    const details = {
      reason: "overloaded",
      status: 503,
      retryable: true,
      retryAfterMs: 5,
      attempts: 3,
      line: 2,
    };
    const error = new PullError("http", "HTTP 503", {
      ...details,
      body: SECRET,
      excerpt: SECRET,
      cause: new Error(SECRET),
    });
    const told = asPullError(redactError(error));
    assertEquals(told.toJSON(), {
      name: "PullError",
      code: "http",
      message: "HTTP 503",
      ...details,
    });
  });

  it("shows no login and no query of an address, wherever it is in a message", () => {
    const around = fc.constantFrom("", " ", "(", '"', "'", "at ", "é", "\n", "://", "http://a ");
    const login = fc.constantFrom(
      `me:${SECRET}@`,
      `${SECRET}@`,
      `me:a/${SECRET}@`,
      `me:?${SECRET}@`,
    );
    const rest = fc.constantFrom("gpu", "gpu:80/api?a=b", "[::1]:80/", "gpu#a");
    const scheme = fc.constantFrom("http", "https", "HTTP", "git+ssh");
    const withLogin = fc.tuple(scheme, login, rest).map(([name, user, host]) =>
      `${name}://${user}${host}`
    );
    const withQuery = fc.tuple(scheme, fc.constantFrom("?", "#", "/?a=b&key=", "/a#")).map((
      [name, mark],
    ) => `${name}://gpu${mark}${SECRET}`);
    fc.assert(
      fc.property(around, fc.oneof(withLogin, withQuery), around, (before, address, after) => {
        const message = `${before}${address}${after}`;
        for (
          const error of [
            new PullError("network", message),
            new DOMException(message, "AbortError"),
          ]
        ) {
          assert(!redactError(error).message.includes(SECRET), redactError(error).message);
        }
      }),
    );
  });

  it("changes no message in which there is nothing secret", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const message = text.replaceAll("://", "");
      assertEquals(redactError(new PullError("server", message)).message, message);
    }));
    const message = "Cannot reach http://127.0.0.1:11434: nothing listens there";
    assertEquals(redactError(new PullError("network", message)).message, message);
  });

  it("quotes nothing that is not from Ollama", () => {
    const quoting: [PullError, string][] = [
      [
        new PullError("http", `HTTP 502, not from Ollama: "${SECRET}: a"`, { body: SECRET }),
        "HTTP 502, not from Ollama",
      ],
      [
        new PullError("malformed", `Line 3 is not JSON: ${SECRET}`, { excerpt: SECRET }),
        "Line 3 is not JSON",
      ],
      [
        new PullError("malformed", `The answer of http://gpu is no pull, but a page "${SECRET}"`, {
          reason: "wrong-address",
        }),
        "The answer of http://gpu is no pull",
      ],
    ];
    for (const [error, message] of quoting) assertEquals(redactError(error).message, message);
    const words = "HTTP 500: pull model manifest: file does not exist";
    const ofOllama = new PullError("http", words, { body: { error: "…" } });
    assertEquals(redactError(ofOllama).message, words);
  });

  it("says that a pull was ended on purpose, and nothing about other errors", () => {
    for (const name of ["AbortError", "TimeoutError"]) {
      const told = redactError(new DOMException("Enough", name));
      assertEquals([told.name, told.message], [name, "Enough"]);
    }
    const others = [new TypeError(SECRET), SECRET, undefined, null, {
      name: SECRET,
      message: SECRET,
    }];
    for (const other of others) {
      const { name, message, cause } = redactError(other);
      assertEquals([name, message, cause], ["Error", "The pull failed", undefined]);
    }
  });
});
