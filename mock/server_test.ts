import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import type { DialectName } from "../src/dialects.ts";
import { VirtualClock } from "./clock/virtual.ts";
import { ConfigurationError } from "./configuration_error.ts";
import type { RegistryFault } from "./endpoints/registry_faults.ts";
import type { MockModel } from "./models/models.ts";
import { presets } from "./models/presets.ts";
import type { MockServer, MockServerOptions, MockSetup } from "./options.ts";
import { createMockServer } from "./server.ts";
import {
  A,
  beginPull,
  mockOfSmall,
  pullText,
  readLine,
  requestPull,
  SMALL,
} from "./test_helpers.ts";

function digestsOf(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/"digest":"([^"]+)"/g), ([, digest]) => digest!))];
}

describe("The models that a mock offers", () => {
  it("are the presets unless told", async () => {
    const server = createMockServer();
    for (const name of Object.keys(presets)) {
      const manifest = await server.registry.manifest(name);
      assertEquals(manifest.layers.length, presets[name]!.layers.length);
    }
  });

  it("are described, or named where they are presets", async () => {
    const server = createMockServer({ models: new Set(["tiny", SMALL]) });
    assert((await pullText(server, "tiny")).endsWith('{"status":"success"}\n'));
    assert((await pullText(server, "small")).endsWith('{"status":"success"}\n'));
    assert((await pullText(server, "mistral")).includes("file does not exist"));
  });

  it("have manifests as a registry has them", async () => {
    assertEquals(await mockOfSmall().registry.manifest("small"), {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        digest: `sha256:${"c".repeat(64)}`,
        size: 500,
      },
      layers: [
        { mediaType: "application/vnd.ollama.image.model", digest: A, size: 20_000_000 },
        {
          mediaType: "application/vnd.ollama.image.model",
          digest: `sha256:${"b".repeat(64)}`,
          size: 3_000_000,
        },
      ],
    });
  });

  it("are told apart by host, namespace, name and tag", async () => {
    const names = ["x", "x:1b", "space/x", "host:80/library/x", "host:81/library/x"];
    const models = names.map((name, index) => ({ name, layers: [{ size: 100 + index }] }));
    const server = createMockServer({ models });
    for (const [index, name] of names.entries()) {
      assertEquals((await server.registry.manifest(name)).layers[0]!.size, 100 + index);
    }
  });

  it("have digests that follow from the seed, the name and the place, in every runtime", async () => {
    const digests = async (options: MockServerOptions) =>
      digestsOf(await pullText(createMockServer(options), "tiny"));
    assertEquals(await digests({}), [
      "sha256:48ceb9ff72f0d8bef10d0f7806d23d3ee49b90744805f3de3624192abeeb7ec4",
      "sha256:53b64033b251403d969f0da2ec664d2489934af2f082047966b8a8804b1a1b61",
      "sha256:c16bd3281ed94fb2522c3fbf44ebff72587ebfea42debdc4bcdc4fa286b3376d",
      "sha256:363b143eb5469e16dbd1ca75bac47c39a0d43c88b25ddf59278c2cdfd7136e7f",
    ]);
    assertEquals(await digests({ seed: 0 }), await digests({}));
    const other = new Set(await digests({ seed: 1 }));
    assert((await digests({})).every((digest) => !other.has(digest)));
  });

  it("can be offered later, and no longer", async () => {
    const server = mockOfSmall();
    server.registry.publish("tiny");
    assert((await pullText(server, "tiny")).endsWith('{"status":"success"}\n'));
    assert(server.registry.withdraw("tiny"));
    await assertRejects(
      () => server.registry.manifest("tiny"),
      ConfigurationError,
      'Cannot find the model "tiny" in the registry: publish it first',
    );
  });
});

describe("The presets", () => {
  it("have the shape of the real ones: nearly all of the bytes are in one layer or two", () => {
    for (const [name, { layers }] of Object.entries(presets)) {
      if (name === "tensors") continue;
      const sizes = layers.map(({ size }) => size).sort((a, b) => b - a);
      const total = sizes.reduce((sum, size) => sum + size);
      assert((sizes[0]! + sizes[1]!) / total > 0.99, name);
      assert(layers.length >= 3 && layers.length <= 6, name);
    }
  });

  it("have one with hundreds of small blobs, as models have that are stored by tensor", async () => {
    const { layers } = presets.tensors!;
    assert(layers.length > 400);
    assert(layers.every(({ mediaType }) => mediaType === "application/vnd.ollama.image.tensor"));
    const server = createMockServer({ dialect: "tensor" });
    const text = await pullText(server, "tensors");
    const total = layers.reduce((sum, { size }) => sum + size, 561);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.at(-3), {
      status: "pulling model",
      digest: "sha256:model",
      total,
      completed: total,
    });
  });
});

describe("A configuration that is wrong", () => {
  const layers = [{ size: 1 }];
  const WRONG: readonly [options: MockServerOptions, message: string][] = [
    [{ models: ["gpt-9"] }, 'Cannot use the preset "gpt-9": it must be one of tiny, llama3.2'],
    [{ models: ["__proto__"] }, 'Cannot use the preset "__proto__": '],
    [
      { models: [{ name: "../x", layers }] },
      'Cannot use the model name "../x": the namespace contains "."; it may',
    ],
    [{ models: [{ name: "", layers }] }, 'Cannot use the model name "": the model is missing'],
    [
      { models: ["tiny", { name: "Library/Tiny:latest", layers }] },
      'Cannot offer the model "Tiny:latest" twice: leave out one of them',
    ],
    [
      { models: [{ name: "x", layers: 5 } as unknown as MockModel] },
      'Cannot use the layers 5 of the model "x": they must',
    ],
    [
      { models: [{ name: "x", layers: [{ size: -1 }] }] },
      'the size -1 of layer 0 of the model "x": it must be',
    ],
    [{ models: [{ name: "x", layers: [{ size: 0.5 }] }] }, "the size 0.5 of layer 0"],
    [{ models: [{ name: "x", layers: [{ size: NaN }] }] }, "the size NaN of layer 0"],
    [{ models: [{ name: "x", layers: [{ size: 2 ** 53 }] }] }, "must be a whole number of bytes"],
    [{ models: [{ name: "x", layers, config: { size: -5 } }] }, "layer 1 of the model"],
    [
      { models: [{ name: "x", layers: [{ size: 1, digest: "sha256:abc" }] }] },
      'the digest "sha256:abc" of layer 0 of the model "x": it must be "sha256:" and 64 digits from',
    ],
    [
      { models: [{ name: "x", layers: [{ size: 1, digest: A }, { size: 2, digest: A }] }] },
      'in the model "x:latest" for 2 bytes: another blob of',
    ],
    [
      { models: [SMALL, { name: "x", layers: [{ size: 2, digest: A }] }] },
      'in the model "x:latest" for 2 bytes: another blob of',
    ],
    [{ bytesPerSecond: 0 }, "Cannot use the bytesPerSecond 0: it must be a number above 0"],
    [{ bytesPerSecond: -1 }, "Cannot use the bytesPerSecond -1: "],
    [{ bytesPerSecond: NaN }, "Cannot use the bytesPerSecond NaN: "],
    [{ tickMs: 0 }, "Cannot use the tickMs 0: it must be a number above 0"],
    [
      { registry: { bytesPerSecond: 0 } },
      "Cannot use the registry.bytesPerSecond 0: it must be a number above 0",
    ],
    [{ maxBodyBytes: -1 }, "Cannot use the maxBodyBytes -1: it must be a number above 0"],
    [
      { realBytes: true, models: ["llama3.2"] },
      "with realBytes: it must be at most 1073741824 bytes",
    ],
    [
      { realBytes: true, models: [SMALL] },
      "with realBytes: it is computed from the bytes, so leave it out",
    ],
    [
      { models: [{ name: "x", layers: [{ size: 1, digest: A, content: "a" }] }] },
      'the content "a" of layer 0 of the model "x": it has a digest, so leave it out',
    ],
    [
      // deno-lint-ignore no-explicit-any -- what a caller without types may pass
      { models: [{ name: "x", layers: [{ size: 1, content: 5 as any }] }] },
      'the content 5 of layer 0 of the model "x": it must be a text',
    ],
  ];

  it("is one clear error when the mock is made", () => {
    for (const [options, message] of WRONG) {
      const { message: whole } = assertThrows(
        () => createMockServer(options),
        ConfigurationError,
        message,
        message,
      );
      assertMatch(whole, /^Cannot .+[^.]$/);
    }
  });

  it("of the registry is one clear error as well", () => {
    const refuse = (fault: unknown, message: string) => {
      const faults = [fault as RegistryFault];
      assertThrows(
        () => createMockServer({ models: ["tiny"], registry: { faults } }),
        ConfigurationError,
        message,
      );
    };
    refuse(
      { kind: "gone" },
      'Cannot use the registry fault "gone": it must be one of corrupt, slow, broken, missing',
    );
    refuse(
      { kind: "slow", ms: -1 },
      'the ms -1 of the registry fault "slow": it must be a number, 0 or more',
    );
    refuse(
      { kind: "slow", times: 0 },
      'the times 0 of the registry fault "slow": it must be a whole',
    );
    refuse(
      { kind: "slow", at: "disk" },
      'the at "disk" of the registry fault "slow": it must be blob or manifest or token',
    );
    refuse(
      { kind: "html", at: "blob" },
      'the at "blob" of the registry fault "html": it must be manifest or token',
    );
    refuse(
      { kind: "html", layer: 0 },
      'the layer 0 of the registry fault "html": leave out the layer: the fault strikes a manifest',
    );
    refuse(
      { kind: "corrupt", ms: 5 },
      'the ms 5 of the registry fault "corrupt": it takes no parameters',
    );
    refuse(
      { kind: "http-error", text: "x" },
      'the text "x" of the registry fault "http-error": it takes status, message, retryAfterSeconds',
    );
    const whole = "it must be a whole number";
    refuse(
      { kind: "http-error", status: 600 },
      `the status 600 of the registry fault "http-error": it must be 200 or`,
    );
    refuse(
      { kind: "html", status: 204 },
      `the status 204 of the registry fault "html": it must be 200 or`,
    );
    refuse({ kind: "http-error", retryAfterSeconds: 0.5 }, `"http-error": ${whole}, 0 or more`);
    refuse(
      { kind: "http-error", message: 5 },
      'the message 5 of the registry fault "http-error": it must be a string',
    );
    refuse(
      { kind: "malformed", text: null },
      'the text null of the registry fault "malformed": it must be a string',
    );
    refuse(
      { kind: "oversized", bytes: -1 },
      `the bytes -1 of the registry fault "oversized": ${whole}, 0 or more`,
    );
    refuse(
      { kind: "slow", model: "x" },
      'the model "x" of the registry fault "slow": the registry has only',
    );
    refuse(
      { kind: "slow", layer: 9 },
      'the layer 9 of the registry fault "slow": the model "tiny:latest" has layers 0 to 3',
    );
  });

  it("of a model that is published later is one clear error as well", () => {
    const server = mockOfSmall();
    assertThrows(
      () => server.registry.publish({ name: "x", layers: [{ size: 2, digest: A }] }),
      ConfigurationError,
      "another blob of",
    );
    assertThrows(
      () => server.registry.withdraw("a b"),
      ConfigurationError,
      'Cannot use the model name "a b": the model contains " "',
    );
    assertThrows(
      () => server.registry.publish({ name: 5 as unknown as string, layers }),
      ConfigurationError,
      "Cannot use the model name 5: it must be a string",
    );
  });

  it("is one clear error when the manifest of an unknown model is asked for", async () => {
    await assertRejects(
      () => mockOfSmall().registry.manifest("gone"),
      ConfigurationError,
      'Cannot find the model "gone" in the registry: publish it first',
    );
  });
});

describe("What is not there", () => {
  const answer = async (path: string, method: string) => {
    const response = await mockOfSmall().fetch(`http://localhost${path}`, { method });
    return [response.status, await response.text()];
  };

  it("is not found", async () => {
    const notFound = [404, "404 page not found"];
    assertEquals(await answer("/nowhere", "GET"), notFound);
    assertEquals(await answer("/api", "POST"), notFound);
    assertEquals(await answer("/API/pull", "POST"), notFound);
    assertEquals(await answer("/api/pull%2f..", "POST"), notFound);
    assertEquals(await answer("/api/pull/", "GET"), notFound);
    assertEquals(await answer("/nowhere", "OPTIONS"), notFound);
  });

  it("is told from what is there for other methods", async () => {
    const notAllowed = [405, "405 method not allowed"];
    for (const method of ["GET", "PUT", "PATCH", "DELETE", "PROPFIND", "OPTIONS"]) {
      assertEquals(await answer("/api/pull", method), notAllowed, method);
    }
    assertEquals(await answer("/api/pull", "HEAD"), [405, ""]);
    assertEquals(await answer("/", "POST"), notAllowed);
    assertEquals(await answer("/api/tags", "POST"), notAllowed);
    assertEquals(await answer("/api/delete", "POST"), notAllowed);
    const { headers } = await mockOfSmall().fetch("http://localhost/api/tags", { method: "PUT" });
    assertEquals([headers.get("Allow"), headers.get("Content-Type")], ["HEAD, GET", "text/plain"]);
  });

  it("is said to be elsewhere where there is a slash too many", async () => {
    const locationOf = async (path: string, method: string) => {
      const response = await mockOfSmall().fetch(`http://localhost${path}`, { method });
      return [response.status, response.headers.get("Location")];
    };
    assertEquals(await locationOf("/api/pull/", "POST"), [307, "/api/pull"]);
    assertEquals(await locationOf("/api//pull", "POST"), [307, "/api/pull"]);
    assertEquals(await locationOf("/api/tags/", "GET"), [301, "/api/tags"]);
    assertEquals(await locationOf("//api/tags", "GET"), [307, "/api/tags"]);
    assertEquals(await locationOf("/api/delete/", "DELETE"), [307, "/api/delete"]);
    // Slashes in the middle are merged first, whatever is there.
    assertEquals(await locationOf("//", "GET"), [307, "/"]);
    assertEquals(await locationOf("/nowhere//a/", "GET"), [307, "/nowhere/a/"]);
    assertEquals(await locationOf("/api/tags/?a=1", "GET"), [301, "/api/tags?a=1"]);
  });

  it("is said to be elsewhere on a page, to those who may show one", async () => {
    const pageAt = async (path: string, method: string) => {
      const response = await mockOfSmall().fetch(`http://localhost${path}`, { method });
      return [response.headers.get("Content-Type"), await response.text()];
    };
    const type = "text/html; charset=utf-8";
    assertEquals(
      await pageAt("/api/tags/?a&b", "GET"),
      [type, '<a href="/api/tags?a&amp;b">Moved Permanently</a>.\n\n'],
    );
    assertEquals(
      await pageAt("//", "GET"),
      [type, '<a href="/">Temporary Redirect</a>.\n\n'],
    );
    assertEquals(await pageAt("/api/tags/", "HEAD"), [type, ""]);
    assertEquals(await pageAt("/api/pull/", "POST"), [null, ""]);
  });
});

describe("A browser", () => {
  const answer = async (origin: string, options: MockServerOptions = {}) => {
    const headers = { Origin: origin };
    const url = "http://localhost:11434/api/version";
    const response = await mockOfSmall(options).fetch(url, { headers });
    return [response.status, response.headers.get("Access-Control-Allow-Origin")];
  };

  it("may call from a page of this machine, or of an application", async () => {
    const origins = [
      "http://localhost",
      "https://localhost:3000",
      "http://127.0.0.1:8080",
      "http://0.0.0.0",
      "app://obsidian.md",
      "file:///index.html",
      "tauri://localhost",
      "vscode-webview://abc",
    ];
    for (const origin of origins) assertEquals(await answer(origin), [200, origin], origin);
  });

  it("may call from the mock's own address without being told so", async () => {
    assertEquals(await answer("http://localhost:11434"), [200, null]);
    assertEquals(await answer("https://localhost:11434"), [200, null]);
  });

  it("may not call from anywhere else, unless it is told that it may", async () => {
    const foreign = [
      "https://example.com",
      "null",
      "http://localhost.example.com",
      "http://localhost:x",
      "http://evil@localhost",
    ];
    for (const origin of foreign) assertEquals(await answer(origin), [403, null], origin);
    const origins = ["https://example.com"];
    assertEquals(await answer("https://example.com", { origins }), [200, "https://example.com"]);
    assertEquals(await answer("https://example.org", { origins }), [403, null]);
    assertEquals(await answer("https://example.org", { origins: ["*"] }), [
      200,
      "https://example.org",
    ]);
  });

  it("is told beforehand what it may send", async () => {
    const ask = (Origin: string) =>
      mockOfSmall().fetch("http://127.0.0.1/api/pull", {
        method: "OPTIONS",
        headers: { Origin, "Access-Control-Request-Method": "POST" },
      });
    const { status, headers } = await ask("http://localhost:3000");
    assertStrictEquals(status, 204);
    assertStrictEquals(headers.get("Access-Control-Allow-Origin"), "http://localhost:3000");
    assertStrictEquals(
      headers.get("Access-Control-Allow-Methods"),
      "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    );
    assert(headers.get("Access-Control-Allow-Headers")?.includes("Content-Type"));
    assert(headers.get("Vary")?.includes("Origin"));
    assertStrictEquals((await ask("https://example.com")).status, 403);
  });

  it("may read a stream that it may ask for", async () => {
    const headers = { Origin: "http://localhost:3000" };
    const response = await requestPull(mockOfSmall(), "small", {}, { headers });
    assertStrictEquals(response.headers.get("Access-Control-Allow-Origin"), headers.Origin);
    assertMatch(await response.text(), /success/);
  });
});

describe("A reset", () => {
  it("forgets what was pulled, what is on disk, and the requests", async () => {
    const server = mockOfSmall();
    const first = await pullText(server);
    assertNotEquals(await pullText(server), first);
    server.reset();
    assertEquals(server.requests, []);
    assertStrictEquals(await pullText(server), first);
    assertStrictEquals(server.requests[0]!.id, 1);
  });

  it("brings back what was offered at first", async () => {
    const server = mockOfSmall();
    server.registry.withdraw("small");
    server.registry.publish("tiny");
    server.reset();
    assertEquals((await server.registry.manifest("small")).layers.length, 2);
    await assertRejects(() => server.registry.manifest("tiny"), ConfigurationError);
  });

  it("lets running pulls go on", async () => {
    const server = mockOfSmall();
    const reader = await beginPull(server, 3);
    const [request] = server.requests;
    server.reset();
    assertEquals(server.requests, []);
    let lines = 0;
    while (!(await reader.read()).done) lines++;
    assertStrictEquals(lines, 11);
    assertStrictEquals(request!.outcome, "finished");
  });
});

describe("A new set-up", () => {
  it("takes the place of the one before, whatever that was", async () => {
    const server = mockOfSmall({ dialect: "v0.5", faults: [{ kind: "cut" }], installed: ["tiny"] });
    server.registry.publish("mistral");
    await pullText(server);
    server.setUp({ models: ["llama3.2"] });
    assertEquals(await server.registry.models(), ["llama3.2:latest"]);
    assertEquals([server.requests, server.faults, server.unstruckFaults], [[], [], []]);
    const fresh = createMockServer({ models: ["llama3.2"] });
    assertStrictEquals(await pullText(server, "llama3.2"), await pullText(fresh, "llama3.2"));
  });

  it("leaves everything as it is where it cannot be used", async () => {
    const server = mockOfSmall({ faults: [{ kind: "crlf" }] });
    const bad: readonly [MockSetup, string | undefined][] = [
      [{ models: ["tiny", "nix"] }, "models[1]"],
      [{ installed: [SMALL, SMALL] }, "installed[1]"],
      [{ faults: [{ kind: "cut" }, { kind: "cut", model: "nix" }] }, "faults[1]"],
      [{ tickMs: 0 }, "tickMs"],
      [{ dialect: "nix" as DialectName }, "dialect"],
      [{ hosts: [] }, "hosts"],
    ];
    for (const [setup, place] of bad) {
      const error = assertThrows(() => server.setUp(setup), ConfigurationError);
      assertStrictEquals(error.place, place);
    }
    assertEquals(server.faults, [{ kind: "crlf" }]);
    assertMatch(await pullText(server), /success"}\r\n$/);
  });

  it("lets running pulls go on by the one with which they began", async () => {
    const undisturbed = await pullText(mockOfSmall());
    const server = mockOfSmall();
    const reader = (await requestPull(server)).body!.getReader();
    let text = `${await readLine(reader)}\n`;
    server.setUp({
      models: ["tiny"],
      dialect: "v0.5",
      bytesPerSecond: 1,
      clock: new VirtualClock(),
    });
    for (let line = await readLine(reader); line !== undefined; line = await readLine(reader)) {
      text += `${line}\n`;
    }
    assertStrictEquals(text, undisturbed);
  });

  it("has what can be gone through only once again after a reset", async () => {
    const server = createMockServer({ models: new Set(["tiny"]).values() });
    server.setUp({ models: [] });
    server.reset();
    assertEquals(await server.registry.models(), ["tiny:latest"]);
  });

  it("begins chance anew", async () => {
    const server = mockOfSmall();
    const { random } = server.client;
    const numbers = [random(), random()];
    server.reset();
    assertEquals([random(), random()], numbers);
    assert(await pullText(server));
  });
});

describe("A model that a test installs", () => {
  const list = async (server: MockServer) => {
    const { models } = await (await server.fetch("http://localhost/api/tags")).json();
    return models.map(({ name }: { name: string }) => name);
  };

  it("is there at once, with all of its layers", async () => {
    const server = mockOfSmall();
    await server.install("small");
    await server.install({ name: "other", size: 1_000 });
    await server.install("tiny");
    assertEquals(await list(server), ["tiny:latest", "other:latest", "small:latest"]);
    assertStrictEquals(server.activeDownloads, 0);
    assertEquals((await pullText(server)).match(/"completed":\d+/g), [
      '"completed":20000000',
      '"completed":3000000',
      '"completed":500',
    ]);
  });

  it("is one of any name where the registry has such", async () => {
    const server = createMockServer({ models: [], anyModel: true });
    await server.install("whatever:7b");
    assertEquals(await list(server), ["whatever:7b"]);
    await assertRejects(() => mockOfSmall().install("nix"), ConfigurationError, "preset");
  });
});

describe("The end of a request", () => {
  it("is waited for, by number among all or those of a path", async () => {
    const server = mockOfSmall();
    const ended = server.requestEnded(1, { path: "/api/pull" });
    await server.fetch("http://localhost/api/version");
    await pullText(server);
    assertStrictEquals((await ended).outcome, "finished");
    assertStrictEquals((await server.requestEnded(1)).path, "/api/version");
    assertStrictEquals((await server.requestEnded(2)).path, "/api/pull");
  });

  it("is not waited for any longer when the signal aborts", async () => {
    const server = mockOfSmall();
    const leaving = new AbortController();
    const ended = server.requestEnded(1, { signal: leaving.signal });
    const reader = await beginPull(server, 1);
    leaving.abort(new Error("too late"));
    await assertRejects(() => ended, Error, "too late");
    await reader.cancel();
    const aborted = AbortSignal.abort(new Error("at once"));
    await assertRejects(() => server.requestEnded(9, { signal: aborted }), Error, "at once");
  });
});

describe("The fetch of a mock", () => {
  it("takes what fetch takes", async () => {
    const { fetch } = mockOfSmall(); // not called as a method
    const init = { method: "POST", body: '{"model":"small","stream":false}' };
    const url = "http://localhost/api/pull";
    for (const input of [url, new URL(url)]) {
      assertStrictEquals((await fetch(input, init)).status, 200);
    }
    assertStrictEquals((await fetch(new Request(url, init))).status, 200);
    assertStrictEquals((await fetch(new Request(url), init)).status, 200);
  });

  it("is the handler of a Worker and the `fetch` of a client, in types, too", async () => {
    const { fetch } = mockOfSmall();
    const worker: (request: Request, env: { KEY: string }, context: object) => Promise<Response> =
      fetch;
    const withAddress: (url: string, init: RequestInit) => Promise<Response> = fetch;
    const withRequest: (request: Request) => Promise<Response> = fetch;
    const url = "http://localhost/api/version";
    assertStrictEquals((await worker(new Request(url), { KEY: "x" }, {})).status, 200);
    assertStrictEquals((await withAddress(url, { method: "GET" })).status, 200);
    assertStrictEquals((await withRequest(new Request(url))).status, 200);
    // @ts-expect-error: an address is no request of a Worker
    assertStrictEquals((await fetch(url, {}, {})).status, 200);
  });

  it("does not take the bindings of a Worker for options", async () => {
    const { fetch } = mockOfSmall();
    const request = new Request("http://localhost/api/version");
    const bindings = { method: "DELETE", body: "x" };
    assertStrictEquals((await fetch(request, bindings, { waitUntil() {} })).status, 200);
    // With two arguments, they are options.
    assertStrictEquals((await fetch(request, { method: "DELETE" })).status, 405);
  });

  it("takes what a runtime of servers gives to a handler", async () => {
    const { fetch } = mockOfSmall();
    const handler = fetch as (request: Request, ...more: unknown[]) => Promise<Response>;
    const url = "http://localhost/api/version";
    const worker = { bindings: { method: "DELETE" }, context: { waitUntil() {} } };
    const { bindings, context } = worker;
    assertStrictEquals((await handler(new Request(url), bindings, context)).status, 200);
    assertStrictEquals((await handler(new Request(url), { remoteAddr: {} })).status, 200);
  });

  it("heeds the signal that comes besides a request", async () => {
    const { fetch } = mockOfSmall();
    const signal = AbortSignal.abort(new Error("changed my mind"));
    const request = new Request("http://localhost/api/version");
    await assertRejects(() => fetch(request, { signal }), Error, "changed my mind");
  });

  it("leaves nothing behind when a hundred clients leave at any moment", async () => {
    const server = createMockServer({ models: ["llama3.2", "mistral"] });
    await Promise.all(Array.from({ length: 100 }, async (_, client) => {
      const model = client % 2 ? "llama3.2" : "mistral";
      const reader = (await requestPull(server, model)).body!.getReader();
      for (let line = 0; line < client % 11; line++) await reader.read();
      await reader.cancel();
    }));
    assertStrictEquals(server.activeDownloads, 0);
    assertEquals(new Set(server.requests.map(({ outcome }) => outcome)), new Set(["cancelled"]));
    assertMatch(await pullText(server, "mistral"), /success/);
  });
});

describe("`await using`", () => {
  it("closes what listens", async () => {
    let url: string;
    let kept: MockServer;
    {
      await using server = mockOfSmall();
      kept = server;
      url = (await server.listen()).url;
      assertStrictEquals((await fetch(url)).status, 200);
      await (await fetch(url)).text();
    }
    await assertRejects(() => fetch(url));
    assertStrictEquals((await kept.fetch(url)).status, 200);
  });
});
