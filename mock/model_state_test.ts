/**
 * Shows that `modelState` tells the truth of a server, whatever that shows.
 *
 * @module
 */

import { modelState, type ModelStateOptions } from "@ollama-pull/kit";
import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { asPullError, rejectionOf } from "../src/stream_test_helpers.ts";
import type { MockModel } from "./models/models.ts";
import type { MockServer } from "./options.ts";
import { createMockServer } from "./server.ts";

type Fetch = NonNullable<ModelStateOptions["fetch"]>;

/** A layer of some kind: the same number means the same bytes. */
const layerOf = (kind: string, version: number) => ({
  mediaType: `application/vnd.ollama.image.${kind}`,
  digest: `sha256:${`${kind.charCodeAt(0).toString(16)}${version}`.padEnd(64, "0")}`,
  size: 1_000 * kind.length + version,
});

/** What a version of a model consists of. */
interface Version {
  readonly weights: number;
  readonly template: number;
  readonly params: number | undefined;
  readonly config: number;
}

const layersOf = ({ weights, template, params }: Version) => [
  layerOf("model", weights),
  layerOf("template", template),
  ...(params === undefined ? [] : [layerOf("params", params)]),
];

const modelOf = (name: string, version: Version) => ({
  name,
  layers: layersOf(version),
  config: layerOf("config", version.config),
} satisfies MockModel);

const digestsOf = (version: Version) =>
  [...layersOf(version), layerOf("config", version.config)].map(({ digest }) => digest);

const number = fc.integer({ min: 1, max: 2 });
const versions: fc.Arbitrary<Version> = fc.record({
  weights: number,
  template: number,
  params: fc.option(number, { nil: undefined }),
  config: number,
});

/** A registry, a server, and what stands before it. */
const worlds = fc.record({
  offered: versions,
  installed: fc.option(versions, { nil: undefined }),
  /** Another model on the server, which may have some of the same layers. */
  sibling: fc.option(versions, { nil: undefined }),
  showsModels: fc.boolean(),
  tellsOfBlobs: fc.boolean(),
  /** Whether the registry writes manifests in another way than the server has done. */
  isRewritten: fc.boolean(),
});

/** A `fetch` of a server behind a gateway that lacks some endpoints. */
function behindGateway(
  server: MockServer,
  lacks: (path: string) => boolean,
  isRewritten = false,
): Fetch {
  return async (url, init) => {
    const { pathname } = new URL(url);
    if (lacks(pathname)) return new Response("404 page not found", { status: 404 });
    const response = await server.fetch(url, init);
    if (!isRewritten || !pathname.includes("/manifests/")) return response;
    const { config, layers, ...rest } = await response.json();
    const more = { note: "<&>", layers: layers.map((each: object) => ({ note: 1, ...each })) };
    return new Response(JSON.stringify({ ...more, config, ...rest }, null, 2));
  };
}

/** A server, and options to ask it. */
function world(setup: Parameters<typeof createMockServer>[0]) {
  const server = createMockServer(setup);
  return { server, options: { ...server.client, checkRegistry: true } };
}

describe("the state of a model", () => {
  it("is what follows from what the server shows, and never untrue", async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const { offered, installed, sibling, showsModels, tellsOfBlobs, isRewritten } = world;
        const server = createMockServer({
          models: [modelOf("m", offered)],
          installed: [
            ...(installed ? [modelOf("m", installed)] : []),
            ...(sibling ? [modelOf("other", sibling)] : []),
          ],
        });
        const lacks = (path: string) =>
          (!showsModels && path === "/api/show") || (!tellsOfBlobs && path.includes("/api/blobs/"));
        const fetch = behindGateway(server, lacks, isRewritten);
        const state = await modelState("m", { fetch, checkRegistry: true });
        assertEquals(await modelState("m", { fetch }), installed ? "present" : "missing");
        if (!installed) return assertStrictEquals(state, "missing");

        const [there, wanted] = [digestsOf(installed), digestsOf(offered)];
        const onDisk = new Set([...there, ...(sibling ? digestsOf(sibling) : [])]);
        const isSame = there.join() === wanted.join();
        const isOther = (showsModels && installed.weights !== offered.weights) ||
          (tellsOfBlobs && wanted.some((digest) => !onDisk.has(digest)));
        assertStrictEquals(state, isSame ? "current" : isOther ? "outdated" : "present");
      }),
      { numRuns: 300 },
    );
  });

  it("is asked for by any name of the model", async () => {
    const { options } = world({ installed: ["llama3.2"] });
    for (const name of ["llama3.2", "llama3.2:latest", "library/LLAMA3.2", " llama3.2:local "]) {
      assertEquals(await modelState(name, options), "current", name);
    }
    assertEquals(await modelState("llama3.2:1b", options), "missing");
    assertEquals(await modelState("me/llama3.2", options), "missing");
  });

  it("takes one request of a server that lacks it, or that need not be compared", async () => {
    const { server, options } = world({ installed: ["tiny"] });
    const paths = () => server.requests.map(({ method, path }) => `${method} ${path}`);
    await modelState("mistral", options);
    assertEquals(paths(), ["GET /api/tags"]);
    await modelState("tiny", { ...options, checkRegistry: false });
    assertEquals(paths().length, 2);
    await modelState("tiny", options);
    assertEquals(paths().slice(2), ["GET /api/tags", "GET /v2/library/tiny/manifests/latest"]);
  });

  it("is present if the server reports neither a digest nor blobs", async () => {
    const { server } = world({ installed: ["tiny"] });
    const fetch: Fetch = (url, init) =>
      url.endsWith("/api/tags")
        ? new Response('{"models":[{"name":"tiny"}]}')
        : url.includes("/v2/")
        ? server.fetch(url, init)
        : new Response("<html>", { headers: { "Content-Type": "text/html" } });
    assertEquals(await modelState("tiny", { fetch, checkRegistry: true }), "present");
  });

  it("is asked for with headers of the server, and with those of the registry there alone", async () => {
    const { server } = world({
      models: [modelOf("m", { weights: 1, template: 1, params: 1, config: 1 })],
      installed: [modelOf("m", { weights: 1, template: 2, params: 1, config: 1 })],
    });
    const seen = new Map<string, Set<string | undefined>>();
    const fetch: Fetch = (url, init) => {
      const { host } = new URL(url);
      seen.set(host, (seen.get(host) ?? new Set()).add(init.headers.authorization));
      return server.fetch(url, init);
    };
    const options = {
      host: "me:secret@h",
      registryHeaders: { Authorization: "Bearer r" },
      fetch,
      checkRegistry: true,
    };
    assertEquals(await modelState("m", options), "outdated");
    assertEquals([...seen], [
      ["h:11434", new Set([`Basic ${btoa("me:secret")}`])],
      ["registry.ollama.ai", new Set(["Bearer r"])],
    ]);
  });

  it("is unknown where the registry has no such model, or cannot be asked", async () => {
    const { server, options } = world({ installed: ["tiny"], models: ["tiny"] });
    server.registry.withdraw("tiny");
    const error = asPullError(await rejectionOf(modelState("tiny", options)));
    assertEquals([error.code, error.reason], ["http", "model-not-found"]);
    const fetch: Fetch = (url, init) =>
      url.includes("/v2/") ? Promise.reject(new TypeError("x")) : server.fetch(url, init);
    const unreachable = asPullError(await rejectionOf(modelState("tiny", { ...options, fetch })));
    assertEquals(unreachable.code, "network");
    assertStringIncludes(unreachable.message, "https://registry.ollama.ai");
  });

  it("is unknown where a comparison is cut off, which a missing endpoint does not do", async () => {
    const { server, options } = world({
      models: [modelOf("m", { weights: 1, template: 1, params: 1, config: 1 })],
      installed: [modelOf("m", { weights: 2, template: 1, params: 1, config: 1 })],
    });
    for (const broken of ["/api/show", "/api/blobs"]) {
      const fetch: Fetch = (url, init) =>
        url.includes(broken)
          ? Promise.reject(new TypeError("reset"))
          : url.includes("/api/show")
          ? new Response("", { status: 405 })
          : server.fetch(url, init);
      const error = asPullError(await rejectionOf(modelState("m", { ...options, fetch })));
      assertEquals(error.code, "network", broken);
    }
  });
});
