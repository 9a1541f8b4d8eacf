import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { outcomeOf, pullErrorOf } from "../stream_test_helpers.ts";
import { ensureModel } from "./ensure.ts";
import type { EnsureModelOptions } from "./model_state_options.ts";

type Fetch = NonNullable<EnsureModelOptions["fetch"]>;

/** A `fetch` that gives one answer after another, and then none. */
function answering(...answers: (() => Response | Promise<Response>)[]): Fetch {
  return () => answers.shift()?.() ?? Promise.reject(new Error("There is no further answer"));
}

const json = (value: unknown) => () => new Response(JSON.stringify(value));
const refused = () => Promise.reject(new TypeError("connect ECONNREFUSED"));

describe("a stream that makes sure of a model", () => {
  it("may be on a server that reports no size", async () => {
    const fetch = answering(json({ models: [{ name: "m" }] }));
    const { values } = await outcomeOf(ensureModel("m", { fetch }));
    const { completed, total, totalIsKnown, fraction } = values[0]!;
    assertEquals([completed, total, totalIsKnown, fraction], [0, 0, false, 1]);
  });

  it("fails as the check does, and retries it as a pull", async () => {
    const unavailable = () => new Response("", { status: 503 });
    const options = { now: () => 0, sleep: () => Promise.resolve(), timeoutMs: Infinity };
    const retried: number[] = [];
    const { values, failure } = await outcomeOf(ensureModel("m", {
      ...options,
      retries: 3,
      onRetry: ({ attempt }) => void retried.push(attempt),
      fetch: answering(
        unavailable,
        refused, // after an answer, it may only be about to start again
        json({ models: [] }),
        unavailable,
        json({ status: "success" }),
      ),
    }));
    assertEquals([failure, values.length, retried], [undefined, 1, [2, 3, 4]]);

    const once = await pullErrorOf(ensureModel("m", { ...options, fetch: answering(unavailable) }));
    assertEquals([once.code, once.status, once.attempts], ["http", 503, undefined]);
    const page = answering(() => new Response("<html>"));
    const wrong = await pullErrorOf(ensureModel("m", { ...options, retries: 5, fetch: page }));
    assertEquals([wrong.code, wrong.reason], ["malformed", "wrong-address"]);
  });

  it("gives up at once where nothing listens", async () => {
    const options = { retries: 5, fetch: answering(refused), sleep: () => Promise.resolve() };
    const error = await pullErrorOf(ensureModel("m", { ...options, timeoutMs: Infinity }));
    assertEquals([error.code, error.reason], ["network", "refused"]);
  });

  it("rejects invalid options at once", () => {
    assertThrows(() => ensureModel("a b"), TypeError, "Cannot use the model name");
    assertThrows(() => ensureModel("m", { host: "ftp://h" }), TypeError, "ftp://h");
    assertThrows(() => ensureModel("m", { headers: { "a b": "" } }), TypeError, "header");
    assertThrows(() => ensureModel("m", { maxLineBytes: 0 }), RangeError, "maxLineBytes");
    assertThrows(() => ensureModel("m", { timeoutMs: 0 }), RangeError, "timeoutMs");
  });
});
