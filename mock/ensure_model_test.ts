/**
 * Shows that `ensureModel` pulls what is needed, and nothing else.
 *
 * @module
 */

import {
  ensureModel,
  type EnsureModelOptions,
  modelState,
  pull,
  PullManager,
} from "@ollama-pull/kit";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { outcomeOf, pullErrorOf, settle } from "../src/stream_test_helpers.ts";
import type { MockServer } from "./options.ts";
import { createMockServer } from "./server.ts";

type Fetch = NonNullable<EnsureModelOptions["fetch"]>;

const OLD = { name: "m", size: 5_000_000 };
const NEW = { name: "m", size: 3_000_000 };

const newest = (server: MockServer) => server.registry.manifest("m");
const pathsOf = ({ requests }: MockServer) => requests.map(({ path }) => path);
const isRegistry = (url: string) => url.includes("/v2/");
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

  it("fails as the pull where the registry lacks what the server has", async () => {
    const server = createMockServer({ installed: ["tiny"] });
    server.registry.withdraw("tiny");
    const error = await pullErrorOf(ensureModel("tiny", { ...server.client, update: true }));
    assertEquals(error.reason, "model-not-found");
    assertEquals(pathsOf(server).at(-1), "/api/pull");
  });

  it("can be ensured by a manager", async () => {
    const server = createMockServer({ models: [NEW], installed: [NEW] });
    const manager = new PullManager({ ...server.client, pull: ensureModel });
    await manager.start("m").done;
    assertEquals(pathsOf(server), ["/api/tags"]);
  });
});
