import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import type { PullError } from "../errors.ts";
import { asPullError, rejectionOf, settle, VirtualClock } from "../stream_test_helpers.ts";
import { modelState } from "./model_state.ts";
import type { ModelStateOptions } from "./model_state_options.ts";

type Fetch = NonNullable<ModelStateOptions["fetch"]>;

const json = (value: unknown) =>
  new Response(JSON.stringify(value), { headers: { "Content-Type": "application/json" } });

describe("what is asked for the state of a model", () => {
  it("goes to paths next to the pull endpoint", async () => {
    const paths: [host: string, path: string | undefined, asked: string][] = [
      ["h:1", undefined, "http://h:1/api/tags"],
      ["http://h/ollama/", undefined, "http://h/ollama/api/tags"],
      ["http://h/ollama", "/api/pull/0", "http://h/ollama/api/tags/0"],
      ["http://h", "ai/api/pull", "http://h/ai/api/tags"],
      ["http://h", "/models/get", "http://h/api/tags"],
      ["http://h", "/api/pullers", "http://h/api/tags"],
    ];
    for (const [host, path, asked] of paths) {
      const urls: string[] = [];
      const fetch: Fetch = (url) => (urls.push(url), json({ models: [] }));
      await modelState("m", { host, path, fetch });
      assertEquals(urls, [asked]);
    }
  });

  it("is read from lists of other servers", async () => {
    const lists: [body: unknown, expected: string][] = [
      [{ models: null }, "missing"],
      [{ models: [] }, "missing"],
      [{ models: [{ name: "m" }] }, "present"],
      [{ models: [{ model: "m:latest", name: "My model" }] }, "present"],
      [{ models: [null, 5, {}, { name: 5 }, { name: "not a name!", details: 5 }] }, "missing"],
      [{ models: [{ name: "m", digest: 5, size: "big" }] }, "present"],
    ];
    for (const [body, expected] of lists) {
      assertEquals(await modelState("m", { fetch: () => json(body) }), expected);
    }
  });

  it("fails as a pull does", async () => {
    const failures: [Fetch, Partial<PullError>, message: string][] = [
      [() => Promise.reject(new TypeError("x")), { code: "network", retryable: true }, "http://h"],
      [
        () => new Response("<html><title>Log in</title>"),
        { code: "malformed", reason: "wrong-address", retryable: false },
        'http://h:11434/api/tags is not a list of models, but a page titled "Log in"',
      ],
      [() => json([]), { code: "malformed", reason: "wrong-address" }, 'but "[]"'],
      [
        () => json({ data: [] }),
        { code: "malformed", reason: "wrong-address" },
        "not a list of models",
      ],
      [
        () => new Response('{"error":"no key"}', { status: 401 }),
        { code: "http", status: 401, reason: "unauthorized" },
        'Cannot get the list of models from http://h:11434/api/tags: HTTP 401: "no key"',
      ],
      [
        () => new Response("", { status: 503, headers: { "Retry-After": "2" } }),
        { code: "http", status: 503, retryable: true, retryAfterMs: 2_000 },
        "HTTP 503",
      ],
      [
        () => new Response(null, { status: 302, headers: { Location: "ftp://x" } }),
        { code: "http", status: 302 },
        "redirects to an address that cannot be used",
      ],
    ];
    for (const [fetch, expected, message] of failures) {
      const error = asPullError(await rejectionOf(modelState("m", { host: "h", fetch })));
      const { code, status, reason, retryable, retryAfterMs } = error;
      const seen = { code, status, reason, retryable, retryAfterMs };
      assertEquals({ ...seen, ...expected }, seen);
      assertStringIncludes(error.message, message);
    }
  });

  it("ends when the time is over, and when the signal aborts", async () => {
    const silent: Fetch = () => new Promise(() => {});
    const clock = new VirtualClock();
    const late = rejectionOf(
      modelState("m", { fetch: silent, timeoutMs: 5_000, sleep: clock.sleep }),
    );
    await settle();
    await clock.advance(5_000);
    assertEquals(asPullError(await late).code, "stalled");

    const controller = new AbortController();
    const { signal } = controller;
    const aborted = rejectionOf(modelState("m", { fetch: silent, signal }));
    await settle();
    controller.abort(new Error("enough"));
    assertEquals(String(await aborted), "Error: enough");
    assertEquals(
      String(await rejectionOf(modelState("m", { fetch: silent, signal }))),
      "Error: enough",
    );
  });

  it("rejects invalid options", async () => {
    await assertRejects(() => modelState("a b"), TypeError, "Cannot use the model name");
    await assertRejects(() => modelState("m", { host: "ftp://h" }), TypeError, "ftp://h");
    await assertRejects(() => modelState("m", { timeoutMs: 0 }), RangeError, "timeoutMs");
  });
});
