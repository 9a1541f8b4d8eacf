import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import { readChunks } from "../test_helpers.ts";
import type { RegistryOptions } from "./registry.ts";
import type { RegistryFault } from "./registry_faults.ts";

const TINY = { name: "tiny", layers: [{ size: 1_000 }, { size: 200_000 }] };
const HOSTED = { name: "localhost/space/hosted:1b", layers: [{ size: 5 }] };

function mockRegistry(registry: RegistryOptions = {}): MockServer {
  return createMockServer({ models: [TINY, HOSTED], realBytes: true, registry });
}

function get(server: MockServer, path: string, init: RequestInit = {}): Promise<Response> {
  return server.fetch(new URL(path, "http://localhost"), init);
}

/** The path of a blob where its bytes are, by its place in the manifest. */
async function blobPath(server: MockServer, layer: number): Promise<string> {
  return `/blobs/${(await server.registry.manifest("tiny")).layers[layer]!.digest}`;
}

async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

describe("A manifest", () => {
  it("is served with its media type", async () => {
    const server = mockRegistry();
    const Accept = "application/vnd.docker.distribution.manifest.v2+json";
    const init = { headers: { Accept } };
    const response = await get(server, "/v2/library/tiny/manifests/latest", init);
    assertStrictEquals(response.headers.get("Content-Type"), Accept);
    assertEquals(await response.json(), await server.registry.manifest("tiny"));
  });

  it("is that of the model by that name at the registry's own address", async () => {
    const response = await get(mockRegistry(), "/v2/space/hosted/manifests/1b");
    assertStrictEquals((await response.json()).layers[0].size, 5);
  });

  for (const realBytes of [false, true]) {
    it(`shares layers of the same content and size with others, realBytes: ${realBytes}`, async () => {
      const shared = { size: 9, content: "weights" };
      const models = [
        { name: "a", layers: [{ size: 9 }, shared] },
        { name: "b", layers: [shared, { size: 9 }, { ...shared, size: 8 }] },
      ];
      const { registry } = createMockServer({ models, realBytes });
      const digestsOf = async (name: string) =>
        (await registry.manifest(name)).layers.map(({ digest }) => digest);
      const [a, b] = [await digestsOf("a"), await digestsOf("b")];
      assertStrictEquals(a[1], b[0]);
      assertStrictEquals(new Set([...a, ...b]).size, 4);
    });
  }

  it("is not there for what is not offered", async () => {
    for (
      const path of [
        "library/other/manifests/latest",
        "library/tiny/manifests/1b",
        "a%20b/c/manifests/x",
      ]
    ) {
      const response = await get(mockRegistry(), `/v2/${path}`);
      assertStrictEquals(response.status, 404);
      assertEquals(await response.json(), {
        errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }],
      });
    }
  });

  it("is served with its digest, by which it can be had as well, from its own repository", async () => {
    const server = mockRegistry();
    const response = await get(server, "/v2/library/tiny/manifests/latest");
    const digest = response.headers.get("Docker-Content-Digest")!;
    const text = await response.text();
    assertStrictEquals(await digestOf(new TextEncoder().encode(text).buffer), digest);
    const again = await get(server, `/v2/library/tiny/manifests/${digest}`);
    assertEquals([again.status, await again.text()], [200, text]);
    assertStrictEquals((await get(server, `/v2/space/hosted/manifests/${digest}`)).status, 404);
    const other = `sha256:${"0".repeat(64)}`;
    assertStrictEquals((await get(server, `/v2/library/tiny/manifests/${other}`)).status, 404);
  });

  it("is that of the registry at which it is asked, if several have the name", async () => {
    const server = createMockServer({
      models: [
        { name: "space/m", layers: [{ size: 1 }] },
        { name: "hf.co/space/m", layers: [{ size: 2 }] },
        { name: "hf.co/space/m:elsewhere", layers: [{ size: 3 }] },
      ],
    });
    const sizeAt = async (origin: string, tag = "latest") => {
      const response = await server.fetch(`${origin}/v2/space/M/manifests/${tag}`);
      return (await response.json()).layers[0].size;
    };
    assertStrictEquals(await sizeAt("https://registry.ollama.ai"), 1);
    assertStrictEquals(await sizeAt("https://hf.co"), 2);
    assertStrictEquals(await sizeAt("http://127.0.0.1:5000"), 1);
    assertStrictEquals(await sizeAt("http://127.0.0.1:5000", "Elsewhere"), 3);
  });

  it("has the digests of real bytes, the same in every runtime", async () => {
    const { layers } = await mockRegistry().registry.manifest("tiny");
    assertStrictEquals(
      layers[0]!.digest,
      "sha256:3fc7769de0a00906bfb1951d7744dab0ca35c6850b861335adeb4d4b25c3d0c2",
    );
  });
});

describe("An index", () => {
  const INDEX = "application/vnd.oci.image.index.v1+json";
  const path = "/v2/library/tiny/manifests/latest";
  const init = { headers: { Accept: `application/json, ${INDEX}` } };

  it("is served to clients that accept one, if configured", async () => {
    const typeOf = async (serveIndex: boolean, init?: RequestInit) =>
      (await get(mockRegistry({ serveIndex }), path, init)).headers.get("Content-Type");
    assertStrictEquals(await typeOf(true, init), INDEX);
    assertNotEquals(await typeOf(true), INDEX);
    assertNotEquals(await typeOf(false, init), INDEX);
  });

  it("lists a manifest that is none of a model, and then the model's, each with its size", async () => {
    const server = mockRegistry({ serveIndex: true });
    const response = await get(server, path, init);
    const digest = response.headers.get("Docker-Content-Digest")!;
    const { manifests } = await response.json();
    const platforms = manifests.map(({ platform }: { platform: { os: string } }) => platform.os);
    assertEquals(platforms, ["unknown", "linux"]);
    for (const { digest, size, mediaType } of manifests) {
      const listed = await get(server, `/v2/library/tiny/manifests/${digest}`);
      assertStrictEquals(listed.headers.get("Content-Type"), mediaType);
      const bytes = await listed.arrayBuffer();
      assertEquals([bytes.byteLength, await digestOf(bytes)], [size, digest]);
    }
    const model = await (await get(server, `/v2/library/tiny/manifests/${manifests[1].digest}`))
      .json();
    assertEquals(model, await server.registry.manifest("tiny"));
    const index = await get(server, `/v2/library/tiny/manifests/${digest}`);
    assertEquals((await index.json()).manifests, manifests);
  });
});

describe("A blob", () => {
  it("reports its length without its bytes", async () => {
    const server = mockRegistry();
    const { config } = await server.registry.manifest("tiny");
    const path = `/v2/library/tiny/blobs/${config.digest}`;
    const response = await get(server, path, { method: "HEAD" });
    assertEquals([response.status, response.headers.get("Content-Length")], [200, "561"]);
  });

  it("can be fetched at another host name, without a token", async () => {
    const server = mockRegistry({ requireToken: true });
    const path = await blobPath(server, 0);
    const headers = { Authorization: "Bearer mock-token" };
    const sent = async (origin: string) => {
      const response = await server.fetch(`${origin}/v2/library/tiny${path}`, { headers });
      return [response.status, response.headers.get("Location")];
    };
    assertEquals(await sent("http://127.0.0.1:80"), [307, `http://localhost${path}`]);
    assertEquals(await sent("http://[::1]:5000"), [307, `http://localhost:5000${path}`]);
    assertEquals(await sent("http://localhost:5000"), [307, `http://127.0.0.1:5000${path}`]);
    assertEquals(await sent("https://example.com"), [307, `https://example.com${path}`]);
    assertStrictEquals((await get(server, path)).status, 200);
  });

  it("has bytes with its digest, and says where it is", async () => {
    const server = mockRegistry();
    const path = await blobPath(server, 1);
    const response = await get(server, path);
    assertStrictEquals(response.headers.get("Location"), `http://localhost${path}`);
    assertStrictEquals(response.headers.get("Content-Length"), "200000");
    assertStrictEquals(`/blobs/${await digestOf(await response.arrayBuffer())}`, path);
  });

  it("can be had in ranges of all forms", async () => {
    const server = mockRegistry();
    const path = await blobPath(server, 1);
    const whole = new Uint8Array(await (await get(server, path)).arrayBuffer());
    const ranges: [range: string, start: number, end: number][] = [
      ["bytes=0-0", 0, 1],
      ["bytes=100-199", 100, 200],
      ["bytes=65530-65540", 65_530, 65_541],
      ["bytes=199000-", 199_000, 200_000],
      ["bytes=199000-999999", 199_000, 200_000],
      ["bytes=-500", 199_500, 200_000],
      ["bytes=-999999", 0, 200_000],
    ];
    for (const [Range, start, end] of ranges) {
      const response = await get(server, path, { headers: { Range } });
      assertStrictEquals(response.status, 206, Range);
      assertEquals(new Uint8Array(await response.arrayBuffer()), whole.slice(start, end), Range);
      assertStrictEquals(
        response.headers.get("Content-Range"),
        `bytes ${start}-${end - 1}/200000`,
      );
      assertStrictEquals(response.headers.get("Content-Length"), String(end - start));
    }
  });

  it("has no range beyond its end", async () => {
    const server = mockRegistry();
    for (const Range of ["bytes=200000-", "bytes=5-4", "bytes=-0"]) {
      const response = await get(server, await blobPath(server, 1), { headers: { Range } });
      assertEquals([response.status, response.headers.get("Content-Range")], [
        416,
        "bytes */200000",
      ]);
    }
  });

  it("is sent whole where a range cannot be read", async () => {
    const server = mockRegistry();
    for (const Range of ["bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "nonsense"]) {
      const response = await get(server, await blobPath(server, 0), { headers: { Range } });
      assertEquals([response.status, (await response.arrayBuffer()).byteLength], [200, 1_000]);
    }
  });

  it("is not there for what is not offered", async () => {
    for (const path of ["/blobs/sha256:00", "/v2/library/tiny/blobs/sha256:00", "/blobs/..%2f"]) {
      const response = await get(mockRegistry(), path);
      assertStrictEquals(response.status, 404);
      assertStrictEquals((await response.json()).errors[0].code, "BLOB_UNKNOWN");
    }
  });

  it("may be left by its client, which is written down", async () => {
    const server = mockRegistry();
    const { body } = await get(server, await blobPath(server, 1));
    const reader = body!.getReader();
    await reader.read();
    assertStrictEquals(server.requests.at(-1)!.outcome, "running");
    await reader.cancel();
    const { outcome, bytesSent } = server.requests.at(-1)!;
    assertEquals([outcome, bytesSent], ["cancelled", 65_536]);
  });

  it("comes as fast as the registry is said to be, by each connection", async () => {
    const server = mockRegistry({ bytesPerSecond: 100_000 });
    const path = await blobPath(server, 1);
    const read = async (headers = {}) => {
      const startedAt = server.clock.now();
      await (await get(server, path, { headers })).arrayBuffer();
      return Math.round(server.clock.now() - startedAt);
    };
    assertStrictEquals(await read(), 2_000);
    assertStrictEquals(await read({ Range: "bytes=100000-149999" }), 500);
    assertEquals(await Promise.all([read(), read()]), [2_000, 2_000]);
  });

  it("without real bytes has some all the same", async () => {
    const server = createMockServer({ models: [TINY] });
    const { layers } = await server.registry.manifest("tiny");
    const bytes = await (await get(server, `/blobs/${layers[0]!.digest}`)).arrayBuffer();
    assertStrictEquals(bytes.byteLength, 1_000);
    assertNotEquals(await digestOf(bytes), layers[0]!.digest);
  });
});

describe("A registry that wants a token", () => {
  it("says where there is one, which then does", async () => {
    const server = mockRegistry({ requireToken: true });
    const path = "/v2/library/tiny/manifests/latest";
    const refused = await get(server, path);
    assertStrictEquals(refused.status, 401);
    const challenge = refused.headers.get("WWW-Authenticate")!;
    const [, realm, service, scope] =
      /^Bearer realm="(.+)",service="(.+)",scope="(.+)"$/.exec(challenge) ?? [];
    assertEquals([service, scope], ["mock", "repository:library/tiny:pull"]);
    const { token } = await (await server.fetch(realm!)).json();
    const headers = { Authorization: `Bearer ${token}` };
    assertStrictEquals((await get(server, path, { headers })).status, 200);
    const wrong = { Authorization: "Bearer stolen" };
    assertStrictEquals((await get(server, path, { headers: wrong })).status, 401);
  });
});

describe("A fault of the registry", () => {
  const faulty = async (fault: RegistryFault) => {
    const server = mockRegistry({ faults: [fault] });
    const path = await blobPath(server, 1);
    return { server, read: () => get(server, path).then(readBytes) };
  };
  const readBytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

  it("changes the first byte", async () => {
    const { server, read } = await faulty({ kind: "corrupt", layer: 1, times: 1 });
    const [corrupt, right] = [await read(), await read()];
    assertStrictEquals(corrupt[0]! ^ right[0]!, 0xff);
    assertEquals(corrupt.slice(1), right.slice(1));
    server.reset();
    assertEquals(await read(), corrupt);
  });

  it("spares ranges that have not got the first byte", async () => {
    const { server } = await faulty({ kind: "corrupt", times: 1 });
    const path = await blobPath(server, 0);
    const init = { headers: { Range: "bytes=1-" } };
    const right = await readBytes(await get(mockRegistry(), path, init));
    assertEquals(await readBytes(await get(server, path, init)), right);
  });

  it("waits before it answers", async () => {
    const { server, read } = await faulty({ kind: "slow", ms: 7_000, times: 1 });
    await read();
    assertStrictEquals(server.clock.now(), 7_000);
    await read();
    assertStrictEquals(server.clock.now(), 7_000);
  });

  it("breaks the connection in the middle of a range", async () => {
    const { server } = await faulty({ kind: "broken", layer: 1, times: 1 });
    const response = await get(server, await blobPath(server, 1));
    const { failure } = await readChunks(response);
    assert(failure instanceof Error);
    assertEquals(server.requests.at(-1)!.bytesSent, 100_000);
    assertStrictEquals(server.requests.at(-1)!.outcome, "faulted");
  });

  it("does not know a blob", async () => {
    const server = mockRegistry({ faults: [{ kind: "missing", layer: 1, times: 1 }] });
    const { layers } = await server.registry.manifest("tiny");
    const statusOf = async (layer: number) => {
      const path = `/v2/library/tiny/blobs/${layers[layer]!.digest}`;
      return (await get(server, path, { method: "HEAD" })).status;
    };
    assertEquals([await statusOf(0), await statusOf(1), await statusOf(1)], [200, 404, 200]);
  });

  it("answers with an error in JSON, and with how long to wait", async () => {
    const answer = async (fault: RegistryFault, path: string) => {
      const response = await get(mockRegistry({ faults: [fault] }), path);
      return [response.status, response.headers.get("Retry-After"), await response.json()];
    };
    const blob = `/v2/library/tiny${await blobPath(mockRegistry(), 0)}`;
    assertEquals(await answer({ kind: "http-error" }, blob), [
      500,
      null,
      { errors: [{ code: "UNKNOWN", message: "unknown" }] },
    ]);
    const limited: RegistryFault = {
      kind: "http-error",
      at: "manifest",
      status: 429,
      message: "slow down",
      retryAfterSeconds: 60,
    };
    assertEquals(await answer(limited, "/v2/library/tiny/manifests/latest"), [
      429,
      "60",
      { errors: [{ code: "TOOMANYREQUESTS", message: "slow down" }] },
    ]);
  });

  it("strikes what it names: a blob, a manifest or the token server", async () => {
    const statuses = async (fault: RegistryFault) => {
      const server = mockRegistry({ faults: [fault] });
      const blob = `/v2/library/tiny${await blobPath(server, 0)}`;
      const paths = [blob, "/v2/library/tiny/manifests/latest", "/token"];
      return await Promise.all(paths.map(async (path) => (await get(server, path)).status));
    };
    assertEquals(await statuses({ kind: "http-error" }), [500, 200, 200]);
    assertEquals(await statuses({ kind: "http-error", at: "blob" }), [500, 200, 200]);
    assertEquals(await statuses({ kind: "http-error", at: "manifest" }), [307, 500, 200]);
    assertEquals(await statuses({ kind: "http-error", at: "token" }), [307, 200, 500]);
    assertEquals(await statuses({ kind: "html", status: 503 }), [307, 503, 200]);
  });

  it("strikes the manifest and the token of the model that it is meant for, so many times", async () => {
    const statusOf = async (server: MockServer, path: string) => (await get(server, path)).status;
    for (
      const [at, tiny, hosted] of [
        ["manifest", "/v2/library/tiny/manifests/latest", "/v2/space/hosted/manifests/1b"],
        [
          "token",
          "/token?scope=repository:library/tiny:pull",
          "/token?scope=repository:space/hosted:pull",
        ],
      ] as const
    ) {
      const server = mockRegistry({
        faults: [{ kind: "http-error", at, model: "tiny", times: 2 }],
      });
      assertEquals(await statusOf(server, hosted), 200);
      for (const status of [500, 500, 200]) assertEquals(await statusOf(server, tiny), status);
      server.reset();
      assertEquals(await statusOf(server, tiny), 500);
    }
  });

  it("strikes the model and the layer that it is meant for", async () => {
    const { server, read } = await faulty({ kind: "corrupt", model: "tiny", layer: 0 });
    const right = await readBytes(await get(mockRegistry(), await blobPath(server, 1)));
    assertEquals(await read(), right);
    const other = mockRegistry({ faults: [{ kind: "corrupt", model: HOSTED.name }] });
    assertEquals(await readBytes(await get(other, await blobPath(other, 1))), right);
  });
});
