import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { createMockServer, type MockServer } from "../../mock/mod.ts";
import { outcomeOf, pullErrorOf, settle } from "../stream_test_helpers.ts";
import { ensureModel } from "./ensure.ts";
import { modelState } from "./model_state.ts";
import type { EnsureModelOptions } from "./model_state_options.ts";
import { pull } from "./pull.ts";

type Fetch = NonNullable<EnsureModelOptions["fetch"]>;

const OLD = { name: "m", size: 5_000_000 };
const NEW = { name: "m", size: 3_000_000 };

const newest = (server: MockServer) => server.registry.manifest("m");
const pathsOf = ({ requests }: MockServer) => requests.map(({ path }) => path);
const isRegistry = (url: string) => url.includes("/v2/");

/** A `fetch` that gives one answer after another, and then none. */
function answering(...answers: (() => Response | Promise<Response>)[]): Fetch {
  return () => answers.shift()?.() ?? Promise.reject(new Error("There is no further answer"));
}

const json = (value: unknown) => () => new Response(JSON.stringify(value));
const unreachable = () => Promise.reject(new TypeError("refused"));

describe("a model that is made sure of", () => {
  it("is there in the end, and is pulled only where that is needed", async () => {
    const worlds = fc.record({
      installed: fc.constantFrom(undefined, OLD, NEW),
      update: fc.boolean(),
      isRegistryDown: fc.boolean(),
    });
    await fc.assert(fc.asyncProperty(worlds, async ({ installed, update, isRegistryDown }) => {
      const server = createMockServer({ models: [NEW], installed: installed ? [installed] : [] });
      const fetch: Fetch = (url, init) =>
        isRegistry(url) && isRegistryDown ? unreachable() : server.fetch(url, init);
      const { values, failure } = await outcomeOf(
        ensureModel("m", { ...server.client, fetch, update }),
      );
      assertEquals(failure, undefined);
      const { phase, fraction, completed, total } = values.at(-1)!;
      assertEquals([phase, fraction, completed], ["success", 1, total]);

      const isNeeded = !installed || (update && (installed === OLD || isRegistryDown));
      assertStrictEquals(pathsOf(server).includes("/api/pull"), isNeeded);
      if (!isNeeded) assertStrictEquals(values.length, 1);
      const state = await modelState("m", { fetch: server.fetch, checkRegistry: true });
      assertStrictEquals(state, installed === OLD && !update ? "outdated" : "current");
    }));
  });

  it("is pulled as `pull` pulls it", async () => {
    const [one, other] = [createMockServer({ models: [NEW] }), createMockServer({ models: [NEW] })];
    const ensured = await outcomeOf(ensureModel("m", one.client));
    assertEquals(ensured, await outcomeOf(pull("m", other.client)));
  });

  it("has the size that the server lists, and the layers that the registry lists", async () => {
    const server = createMockServer({ models: [NEW], installed: [NEW] });
    const { config, layers } = await newest(server);
    const size = [...layers, config].reduce((sum, layer) => sum + layer.size, 0);
    const success = {
      phase: "success",
      status: "success",
      completed: size,
      total: size,
      totalIsKnown: true,
      fraction: 1,
    };
    const { values } = await outcomeOf(ensureModel("m", server.client));
    assertEquals(values, [{ ...success, layers: [] }]);
    const updated = await outcomeOf(ensureModel("m", { ...server.client, update: true }));
    const whole = [...layers, config].map(({ digest, size }) => {
      return { digest, total: size, completed: size, done: true };
    });
    assertEquals(updated.values, [{ ...success, layers: whole }]);
  });

  it("has a right total from the first snapshot on where it is updated", async () => {
    const server = createMockServer({ models: [NEW], installed: [OLD] });
    const { values } = await outcomeOf(ensureModel("m", { ...server.client, update: true }));
    const totals = new Set(values.map(({ total, totalIsKnown }) => `${total} ${totalIsKnown}`));
    assertEquals(totals.size, 1);
    assertEquals(values.at(-1)?.totalIsKnown, true);
  });

  it("may be on a server that tells no size", async () => {
    const fetch = answering(json({ models: [{ name: "m" }] }));
    const { values } = await outcomeOf(ensureModel("m", { fetch }));
    const { completed, total, totalIsKnown, fraction } = values[0]!;
    assertEquals([completed, total, totalIsKnown, fraction], [0, 0, false, 1]);
  });
});

describe("a stream that makes sure of a model", () => {
  it("asks for nothing before it is read", async () => {
    const server = createMockServer({ models: [NEW] });
    const stream = ensureModel("m", server.client);
    await settle();
    assertEquals(server.requests, []);
    await stream.cancel();
    assertEquals(server.requests, []);
  });

  it("ends whatever is asked when it is cancelled, or when the signal aborts", async () => {
    const server = createMockServer({ models: [NEW], installed: [OLD] });
    for (const path of ["/api/tags", "/v2/", "/api/show", "/api/blobs/", "/api/pull"]) {
      for (const how of ["cancel", "signal"]) {
        let asked: AbortSignal | undefined;
        const fetch: Fetch = (url, init) => {
          if (path === "/api/blobs/" && url.includes("/api/show")) return new Response("{}");
          if (!url.includes(path)) return server.fetch(url, init);
          asked = init.signal;
          return new Promise(() => {}); // whatever the signal says
        };
        const controller = new AbortController();
        const { signal } = controller;
        const stream = ensureModel("m", { ...server.client, fetch, signal, update: true });
        const reader = stream.getReader();
        const read = reader.read();
        read.catch(() => {});
        while (!asked) await settle();
        const reason = new Error("enough");
        if (how === "cancel") {
          await reader.cancel(reason);
          assertEquals((await read).done, true);
        } else {
          controller.abort(reason);
          assertStrictEquals(await read.catch((error) => error), reason);
        }
        assertEquals([asked.aborted, asked.reason], [true, reason], `${path} ${how}`);
      }
    }
  });

  it("fails as the question does, and retries that as a pull", async () => {
    const unavailable = () => new Response("", { status: 503 });
    const options = { now: () => 0, sleep: () => Promise.resolve(), timeoutMs: Infinity };
    const retried: number[] = [];
    const { values, failure } = await outcomeOf(ensureModel("m", {
      ...options,
      retries: 3,
      onRetry: ({ attempt }) => void retried.push(attempt),
      fetch: answering(
        unavailable,
        unreachable,
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
    const refused = () => Promise.reject(new TypeError("connect ECONNREFUSED"));
    const options = { retries: 5, fetch: answering(refused), sleep: () => Promise.resolve() };
    const error = await pullErrorOf(ensureModel("m", { ...options, timeoutMs: Infinity }));
    assertEquals([error.code, error.reason], ["network", "refused"]);
  });

  it("fails as the pull where the registry lacks what the server has", async () => {
    const server = createMockServer({ installed: ["tiny"] });
    server.registry.withdraw("tiny");
    const error = await pullErrorOf(ensureModel("tiny", { ...server.client, update: true }));
    assertEquals(error.reason, "model-not-found");
    assertEquals(pathsOf(server).at(-1), "/api/pull");
  });

  it("must be possible, which is told at once", () => {
    assertThrows(() => ensureModel("a b"), TypeError, "Cannot use the model name");
    assertThrows(() => ensureModel("m", { host: "ftp://h" }), TypeError, "ftp://h");
    assertThrows(() => ensureModel("m", { headers: { "a b": "" } }), TypeError, "header");
    assertThrows(() => ensureModel("m", { maxLineBytes: 0 }), RangeError, "maxLineBytes");
    assertThrows(() => ensureModel("m", { timeoutMs: 0 }), RangeError, "timeoutMs");
  });
});
