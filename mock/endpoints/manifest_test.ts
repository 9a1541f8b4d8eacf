import {
  fetchManifest,
  type FetchManifestOptions,
  pull,
  PullError,
  pullModel,
} from "@ollama-pull/kit";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { modelKey, requireModelName } from "../models/model_name.ts";
import type { MockModel } from "../models/models.ts";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import { mockOfSmall } from "../test_helpers.ts";
import type { RegistryOptions } from "./registry.ts";
import type { RegistryFault } from "./registry_faults.ts";

/** What a client needs to live by the mock's clock. */
function optionsFor({ fetch, clock }: MockServer): FetchManifestOptions {
  return { fetch, sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal) };
}

function mockWith(registry: RegistryOptions): MockServer {
  return mockOfSmall({ registry });
}

/** What a manifest must have, by the mock's own catalog. */
async function expectedOf({ registry }: MockServer, name: string) {
  const { layers, config } = await registry.manifest(name);
  const all = [...layers, config];
  return {
    size: all.reduce((total, { size }) => total + size, 0),
    layers: all.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
  };
}

const part = (alphabet: string) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 3 });

const names = fc.record({
  host: fc.constantFrom("", "hf.co/", "localhost:5000/", "registry.example.com/"),
  namespace: fc.oneof(fc.constant("library"), part("aB3_")),
  model: part("aB3_"),
  tag: fc.oneof(fc.constant("latest"), part("aB3_.")),
}).filter(({ tag }) => !tag.startsWith(".")).map(({ host, namespace, model, tag }) => ({
  host,
  /** The name as it may be written, with what is the default left out or not. */
  forms: [
    `${host}${namespace}/${model}:${tag}`,
    ...(tag === "latest" ? [`${host}${namespace}/${model}`] : []),
    ...(host === "" ? [`registry.ollama.ai/${namespace}/${model}:${tag}`] : []),
    ...(host === "" ? [`https://registry.ollama.ai/${namespace}/${model}:${tag}`] : []),
    ...(host === "" && namespace === "library" ? [`${model}:${tag}`] : []),
  ] as [string, ...string[]],
}));

const layers = fc.array(
  fc.record({
    size: fc.oneof(fc.nat({ max: 1_000 }), fc.nat({ max: 2 ** 40 })),
    mediaType: fc.option(fc.constantFrom("application/vnd.ollama.image.license", "x"), {
      nil: undefined,
    }),
  }),
  { maxLength: 5 },
);

/** Any models that one registry may offer. */
const catalogs = fc.uniqueArray(
  fc.record({ name: names, layers, config: fc.record({ size: fc.nat({ max: 1_000 }) }) }),
  { selector: ({ name }) => modelKey(requireModelName(name.forms[0])), minLength: 1, maxLength: 4 },
);

describe("The manifest of any model of any registry", () => {
  it("is what the catalog says, by all forms of its name, with a token or without, and of an index", async () => {
    const registry = fc.record({ requireToken: fc.boolean(), serveIndex: fc.boolean() });
    await fc.assert(fc.asyncProperty(catalogs, registry, async (catalog, registry) => {
      const models: MockModel[] = catalog.map(({ name, ...model }) => ({
        ...model,
        name: name.forms[0],
      }));
      const server = createMockServer({ models, registry });
      for (const { name } of catalog) {
        const expected = await expectedOf(server, name.forms[0]);
        const fetched = await Promise.all(
          name.forms.map((form) => fetchManifest(form, optionsFor(server))),
        );
        for (const { size, layers, digest } of fetched) {
          assertEquals({ size, layers }, expected);
          assertEquals(digest, fetched[0]!.digest);
        }
      }
    }));
  });

  it("is the same by the address of the mock, over TLS or without it", async () => {
    await fc.assert(fc.asyncProperty(catalogs, async ([model]) => {
      const { forms } = model!.name;
      const server = createMockServer({ models: [{ ...model!, name: forms[0] }] });
      const expected = await fetchManifest(forms[0], { fetch: server.fetch });
      for (
        const options of [
          { registry: "127.0.0.1:5000" },
          { registry: "http://localhost:11434" },
          { registry: "mirror.example.com", insecure: true },
          { insecure: true },
        ]
      ) {
        assertEquals(
          await fetchManifest(forms[0], { ...optionsFor(server), ...options }),
          expected,
        );
      }
    }));
  });

  it("is what the server lists once it was pulled, and what its layers add up to", async () => {
    const server = createMockServer({ models: ["llama3.2"] });
    const { digest, size, layers } = await fetchManifest("llama3.2", optionsFor(server));
    for await (const { total } of pull("llama3.2", { fetch: server.fetch, layers })) {
      assertEquals(total, size);
    }
    const response = await server.fetch("http://localhost/api/tags");
    const { models: [listed] } = await response.json();
    assertEquals([`sha256:${listed.digest}`, listed.size], [digest, size]);
  });

  it("changes its digest with the model", async () => {
    const server = createMockServer({ models: [{ name: "m", layers: [{ size: 1 }] }] });
    const before = await fetchManifest("m", optionsFor(server));
    server.registry.publish({ name: "m", layers: [{ size: 2 }] });
    const after = await fetchManifest("m", optionsFor(server));
    assert(before.digest !== after.digest);
    await pullModel("m", { fetch: server.fetch, layers: after.layers });
  });

  it("comes over real HTTP, from a mock that listens", async () => {
    await using server = createMockServer({
      models: ["llama3.2"],
      registry: { requireToken: true, serveIndex: true },
    });
    const expected = await expectedOf(server, "llama3.2");
    const { url } = await server.listen({ port: 0 });
    const { size, layers } = await fetchManifest("llama3.2", { registry: url });
    assertEquals({ size, layers }, expected);
  });
});

describe("A manifest that cannot be had", () => {
  const where = "https://registry.ollama.ai/v2/library/small/manifests/latest";
  const tokenServer = "https://registry.ollama.ai/token";
  const got = "Cannot get the manifest of small:latest";

  /** What the registry answers, and the code and the words of the error. */
  const FAILURES: readonly [fault: RegistryFault, code: string, words: string][] = [
    [
      { kind: "missing", at: "manifest" },
      "http",
      `${got} from ${where}: HTTP 404: "manifest unknown"; check the name and the tag`,
    ],
    [{ kind: "http-error", at: "manifest" }, "http", 'HTTP 500: "unknown"'],
    [
      { kind: "http-error", at: "manifest", status: 503, message: "down" },
      "http",
      'HTTP 503: "down"',
    ],
    [
      { kind: "http-error", at: "manifest", status: 401 },
      "http",
      'HTTP 401: "unauthorized"; the model may not exist',
    ],
    [
      { kind: "http-error", at: "manifest", status: 403 },
      "http",
      'HTTP 403: "denied"; the model may not exist',
    ],
    [
      { kind: "http-error", at: "manifest", status: 429, retryAfterSeconds: 30 },
      "http",
      'HTTP 429: "toomanyrequests"; wait before you ask again',
    ],
    [
      { kind: "html", at: "manifest" },
      "malformed",
      `${where} has no manifest: it sends a page, such as one to log in`,
    ],
    [{ kind: "html", at: "manifest", status: 502 }, "http", 'HTTP 502: "<!DOCTYPE html>'],
    [{ kind: "malformed", at: "manifest" }, "malformed", "has no manifest: it sends not JSON"],
    [
      { kind: "malformed", at: "manifest", text: "{}" },
      "malformed",
      `What ${where} sends as a manifest has no layers`,
    ],
    [{ kind: "oversized", at: "manifest" }, "malformed", "sends more than maxBytes, 4194304 bytes"],
    [
      { kind: "corrupt", at: "manifest" },
      "malformed",
      "sends other bytes than the manifest of small:latest",
    ],
    [
      { kind: "broken", at: "manifest" },
      "network",
      "The connection to https://registry.ollama.ai broke",
    ],
    [
      { kind: "slow", at: "manifest", ms: 10_001 },
      "stalled",
      `No complete answer from ${where} after 10 s`,
    ],
    [{ kind: "slow", at: "manifest", ms: Infinity }, "stalled", "after 10 s"],
    [{ kind: "redirect", at: "manifest" }, "http", "redirects more than 10 times"],
    [
      { kind: "http-error", at: "token", status: 401 },
      "http",
      `from ${tokenServer}: HTTP 401: "unauthorized"; if you have credentials`,
    ],
    [
      { kind: "html", at: "token" },
      "malformed",
      `the answer of ${tokenServer} is not a JSON object with a token`,
    ],
    [{ kind: "malformed", at: "token" }, "malformed", "is not a JSON object with a token"],
    [
      { kind: "malformed", at: "token", text: '{"token":5}' },
      "malformed",
      "is not a JSON object with a token",
    ],
    [
      { kind: "oversized", at: "token" },
      "malformed",
      `Cannot get a token for https://registry.ollama.ai: ${tokenServer} sends more than maxBytes`,
    ],
    [{ kind: "broken", at: "token" }, "network", "broke"],
    [
      { kind: "slow", at: "token", ms: 20_000 },
      "stalled",
      `No complete answer from ${tokenServer} after 10 s`,
    ],
    [{ kind: "redirect", at: "token" }, "http", "redirects more than 10 times"],
    [
      { kind: "no-realm" },
      "malformed",
      `${where} asks for a token without saying where to get it: its realm is ""`,
    ],
  ];

  for (const [fault, code, words] of FAILURES) {
    it(`is an error that says why: ${JSON.stringify(fault)}`, async () => {
      const requireToken = (fault.at ?? "token") === "token";
      const server = mockWith({ requireToken, faults: [fault] });
      const error = await assertRejects(
        () => fetchManifest("small", optionsFor(server)),
        PullError,
      ) as PullError;
      assertEquals(error.code, code);
      assertStringIncludes(error.message, words);
      assert(!error.message.includes("mock-token"));
      assert(server.requests.every(({ outcome }) => outcome !== "running"));
    });
  }

  it("can be had as soon as the fault is over", async () => {
    for (const [fault] of FAILURES) {
      const server = mockWith({ requireToken: true, faults: [{ ...fault, times: 1 }] });
      const options = optionsFor(server);
      await fetchManifest("small", options).catch(() => {});
      const { size, layers } = await fetchManifest("small", options);
      assertEquals({ size, layers }, await expectedOf(server, "small"), JSON.stringify(fault));
    }
  });

  it("is not offered, by any form of its name", async () => {
    const server = createMockServer({ models: ["llama3.2"] });
    for (const name of ["other", "llama3.2:1b", "mia/llama3.2", "hf.co/user/repo:Q4"]) {
      const error = await assertRejects(
        () => fetchManifest(name, optionsFor(server)),
        PullError,
        "check the name and the tag",
      );
      assertEquals((error as PullError).status, 404);
    }
  });

  it("is had all the same, if it takes less time than it may", async () => {
    for (const at of ["manifest", "token"] as const) {
      const server = mockWith({ requireToken: true, faults: [{ kind: "slow", at, ms: 9_000 }] });
      await fetchManifest("small", optionsFor(server));
      assertEquals(server.clock.now(), 9_000);
      await assertRejects(
        () => fetchManifest("small", { ...optionsFor(server), timeoutMs: 5_000 }),
        PullError,
        "after 5 s",
      );
      assertEquals(server.clock.now(), 14_000);
    }
  });

  it("is had all the same, if a redirect leads to it", async () => {
    for (const at of ["manifest", "token"] as const) {
      const registry: RegistryOptions = {
        requireToken: true,
        faults: [{ kind: "redirect", at, times: 3 }],
      };
      const { size } = await fetchManifest("small", {
        ...optionsFor(mockWith(registry)),
        registry: "http://127.0.0.1:11434",
      });
      assertEquals(size, 23_000_500);
    }
  });

  it("frees the mock when its caller has had enough", async () => {
    const server = mockWith({ faults: [{ kind: "slow", at: "manifest", ms: 5_000 }] });
    const controller = new AbortController();
    const reason = new Error("enough");
    const failed = assertRejects(() =>
      fetchManifest("small", { fetch: server.fetch, signal: controller.signal })
    );
    controller.abort(reason);
    assertEquals(await failed, reason);
    assertEquals(server.requests.map(({ outcome }) => outcome), ["cancelled"]);
  });
});
