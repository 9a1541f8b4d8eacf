import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { digests, layerSizesOf, manifests } from "../../conformance/generators/mod.ts";
import { sha256Digest } from "../digest.ts";
import type { PullError } from "../errors.ts";
import {
  asPullError,
  isSettled,
  rejectionOf,
  settle,
  TestSource,
  unhandledRejections,
  utf8,
  VirtualClock,
  watchedSignal,
} from "../stream_test_helpers.ts";
import { fetchManifest, type Manifest } from "./manifest.ts";
import type { FetchManifestOptions, ManifestRequestInit } from "./manifest_options.ts";

type Answer = (url: URL, headers: Headers) => Response | Promise<Response>;

/** A number of registries and token servers, by the origin or the address of each. */
class TestNetwork {
  readonly requests: { readonly url: URL; readonly init: ManifestRequestInit; headers: Headers }[] =
    [];
  readonly #answers: ReadonlyMap<string, Answer>;

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answers = new Map(Object.entries(answers));
  }

  readonly fetch = (address: string, init: ManifestRequestInit): Response | Promise<Response> => {
    const url = new URL(address);
    const headers = new Headers(init.headers);
    this.requests.push({ url, init, headers });
    const answer = this.#answers.get(`${url.origin}${url.pathname}`) ??
      this.#answers.get(url.origin);
    if (!answer) throw new TypeError(`There is no ${url.origin}`);
    return answer(url, headers);
  };

  /** The addresses that were asked, in order. */
  get addresses(): string[] {
    return this.requests.map(({ url }) => url.href);
  }
}

const OLLAMA = "https://registry.ollama.ai";
const MODEL_ADDRESS = `${OLLAMA}/v2/library/m/manifests/latest`;
const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;
const C = `sha256:${"c".repeat(64)}`;

const LAYER = { mediaType: "application/vnd.ollama.image.model", digest: A, size: 1_000 };
const LICENSE = { mediaType: "application/vnd.ollama.image.license", digest: B, size: 20 };
const CONFIG = { mediaType: "application/vnd.docker.container.image.v1+json", digest: C, size: 3 };
const MANIFEST = {
  schemaVersion: 2,
  mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  config: CONFIG,
  layers: [LAYER, LICENSE],
};
const TEXT = JSON.stringify(MANIFEST);

const sending = (text: string | null, init?: ResponseInit): Answer => () =>
  new Response(text, init);

const redirecting = (location: string, status = 307): Answer => () =>
  new Response(null, { status, headers: { location } });

/** Reads the manifest of a model that a registry answers for. */
function fetchFrom(answer: Answer, options: FetchManifestOptions = {}): Promise<Manifest> {
  return fetchManifest("m", { ...new TestNetwork({ [OLLAMA]: answer }), ...options });
}

/** The error of a manifest that cannot be had. */
async function errorOf(promise: Promise<unknown>): Promise<PullError> {
  return asPullError(await rejectionOf(promise));
}

/** The message with which a call is refused. */
async function refusalOf(promise: Promise<unknown>, kind: typeof TypeError): Promise<string> {
  const error = await rejectionOf(promise);
  if (error instanceof kind) return error.message;
  throw error;
}

describe("the address of a manifest", () => {
  const addressOf = async (name: string, options: FetchManifestOptions = {}) => {
    const asked: string[] = [];
    const fetch = (url: string) => {
      asked.push(url);
      return new Response(TEXT);
    };
    await fetchManifest(name, { fetch, ...options });
    assertEquals(asked.length, 1);
    return asked[0];
  };

  it("follows from the name, in every form, as in the reference", async () => {
    const addresses: Record<string, string> = {
      "llama3.2": `${OLLAMA}/v2/library/llama3.2/manifests/latest`,
      "llama3.2:1b": `${OLLAMA}/v2/library/llama3.2/manifests/1b`,
      " llama3.2 ": `${OLLAMA}/v2/library/llama3.2/manifests/latest`,
      "mia/Llama_3:Q4_K_M": `${OLLAMA}/v2/mia/Llama_3/manifests/Q4_K_M`,
      "registry.ollama.ai/library/m": `${OLLAMA}/v2/library/m/manifests/latest`,
      "hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M":
        "https://hf.co/v2/bartowski/Llama-3.2-1B-GGUF/manifests/Q4_K_M",
      "localhost:5000/a/b": "https://localhost:5000/v2/a/b/manifests/latest",
      "https://example.com/a/b:c": "https://example.com/v2/a/b/manifests/c",
      "gpt-oss:20b:cloud": `${OLLAMA}/v2/library/gpt-oss/manifests/20b-cloud`,
      "gpt-oss:cloud": `${OLLAMA}/v2/library/gpt-oss/manifests/cloud`,
      "gpt-oss:local": `${OLLAMA}/v2/library/gpt-oss/manifests/latest`,
    };
    for (const [name, address] of Object.entries(addresses)) {
      assertEquals(await addressOf(name), address, name);
    }
  });

  it("has no TLS if insecure allows that, as in the reference", async () => {
    const insecure = true;
    assertEquals(
      await addressOf("http://localhost:5000/a/b", { insecure }),
      "http://localhost:5000/v2/a/b/manifests/latest",
    );
    assertEquals(
      await addressOf("localhost:5000/a/b", { insecure }),
      "http://localhost:5000/v2/a/b/manifests/latest",
    );
    for (const options of [{}, { insecure: false }]) {
      assertEquals(
        await refusalOf(fetchManifest("http://localhost:5000/a/b", options), TypeError),
        'Cannot ask the registry "http://localhost:5000": it has no TLS; insecure: true allows that',
      );
    }
  });

  it("is in another registry if the caller names one, however that is written", async () => {
    const path = "/v2/user/repo/manifests/Q4";
    const registries: [registry: string | URL, insecure: boolean, address: string][] = [
      ["example.com", false, "https://example.com"],
      ["example.com", true, "http://example.com"],
      ["example.com:5000", false, "https://example.com:5000"],
      [":5000", true, "http://127.0.0.1:5000"],
      ["[::1]:5000", false, "https://[::1]:5000"],
      [" https://example.com/mirror/ ", true, "https://example.com/mirror"],
      ["http://example.com:8080/a/b?c#d", false, "http://example.com:8080/a/b"],
      [new URL("http://localhost:5000"), false, "http://localhost:5000"],
      ["", false, "https://hf.co"],
      [" ", false, "https://hf.co"],
    ];
    for (const [registry, insecure, address] of registries) {
      const asked = await addressOf("hf.co/user/repo:Q4", { registry, insecure });
      assertEquals(asked, `${address}${path}`);
    }
    const asked = await addressOf("http://hf.co/user/repo:Q4", { registry: "example.com" });
    assertEquals(asked, `https://example.com${path}`);
  });

  it("gets no request if its address cannot be used", async () => {
    const { requests, fetch } = new TestNetwork({});
    const unusable: [name: unknown, options: FetchManifestOptions, problem: string][] = [
      ["a b", {}, 'Cannot use the model name "a b"'],
      [5, {}, "must be a string"],
      ["m", { registry: "ftp://example.com" }, "must be http or https"],
      ["m", { registry: "me:hunter2@exa mple.com" }, "white space"],
      ["ftp://example.com/a/b", {}, "must be http or https"],
      ["example.com:99999/a/b", {}, "the port must be from 1 to 65535"],
      ["m", { headers: { "x-key": "hunter2\nhunter2" } }, 'Cannot send the header "x-key"'],
    ];
    for (const [name, options, problem] of unusable) {
      const refused = fetchManifest(name as string, { fetch, ...options });
      const message = await refusalOf(refused, TypeError);
      assertStringIncludes(message, problem);
      assert(!message.includes("hunter2"));
    }
    for (const limit of ["timeoutMs", "maxBytes"]) {
      for (const value of [0, -1, NaN]) {
        const refused = fetchManifest("m", { fetch, [limit]: value });
        const message = await refusalOf(refused, RangeError);
        assertEquals(message, `Cannot use the ${limit} ${value}: it must be above 0`);
      }
    }
    assertEquals(requests, []);
  });
});

describe("the request for a manifest", () => {
  it("is a GET that accepts manifests and indexes, and does not follow redirects by itself", async () => {
    const network = new TestNetwork({ [OLLAMA]: sending(TEXT) });
    await fetchManifest("m", network);
    const { method, redirect, headers, signal } = network.requests[0]!.init;
    assertEquals([method, redirect, signal.aborted], ["GET", "manual", false]);
    assertEquals(headers, {
      accept: "application/vnd.docker.distribution.manifest.v2+json, " +
        "application/vnd.oci.image.manifest.v1+json, " +
        "application/vnd.docker.distribution.manifest.list.v2+json, " +
        "application/vnd.oci.image.index.v1+json",
    });
  });

  it("has the media types that the caller sets", async () => {
    const network = new TestNetwork({ [OLLAMA]: sending(TEXT) });
    await fetchManifest("m", { ...network, headers: { Accept: "application/json" } });
    assertEquals(network.requests[0]!.init.headers, { accept: "application/json" });
  });

  it("has the headers of the caller, and a user name and password", async () => {
    const network = new TestNetwork({ "https://example.com": sending(TEXT) });
    const registry = "https://me:p%40ss@example.com";
    await fetchManifest("m", { ...network, registry, headers: [["X-Key", "1"]] });
    const [{ url, headers }] = network.requests as [typeof network.requests[0]];
    assertEquals(url.href, "https://example.com/v2/library/m/manifests/latest");
    assertEquals(headers.get("x-key"), "1");
    assertEquals(headers.get("authorization"), `Basic ${btoa("me:p@ss")}`);
  });
});

/** JSON with the same meaning, but other white space. */
const jsonOf = (value: unknown) =>
  fc.constantFrom(0, 2, "\t").map((indent) => JSON.stringify(value, null, indent));

describe("a manifest", () => {
  it("has all layers in the order of the pull, the config last, their total, and its digest", async () => {
    const cases = manifests().chain((manifest) =>
      fc.record({
        manifest: fc.constant(manifest),
        text: jsonOf(manifest),
        announces: fc.boolean(),
      })
    );
    await fc.assert(fc.asyncProperty(cases, async ({ manifest, text, announces }) => {
      const digest = sha256Digest(utf8(text));
      const headers: HeadersInit = announces ? { "docker-content-digest": digest } : {};
      const layers = [...manifest.layers, manifest.config];
      assertEquals(await fetchFrom(sending(text, { headers })), {
        digest,
        size: layerSizesOf(manifest).reduce((total, { size }) => total + size, 0),
        layers: layers.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
      });
    }));
  });

  it("lists a duplicate layer once, because it is downloaded once", async () => {
    const twice = { ...MANIFEST, layers: [LAYER, LICENSE, { ...LAYER, mediaType: "x" }, CONFIG] };
    const { size, layers } = await fetchFrom(sending(JSON.stringify(twice)));
    assertEquals([size, layers], [1_023, [LAYER, LICENSE, CONFIG]]);
  });

  it("may be small, like that of a cloud model", async () => {
    const little: [fields: object, digests: string[]][] = [
      [{ ...MANIFEST, layers: [] }, [C]],
      [{ ...MANIFEST, layers: null }, [C]],
      [{ config: CONFIG }, [C]],
      [{ layers: [] }, []],
      [{ layers: [LAYER], config: { mediaType: "", digest: "", size: 0 } }, [A]],
      [{ layers: [LAYER], config: null }, [A]],
    ];
    for (const [fields, expected] of little) {
      const { layers, size } = await fetchFrom(sending(JSON.stringify(fields)));
      assertEquals(layers.map(({ digest }) => digest), expected);
      assertEquals(size, layers.reduce((total, layer) => total + layer.size, 0));
    }
  });

  it("may have at most 2^53 - 1 bytes in total", async () => {
    const ofSizes = (...sizes: number[]) =>
      fetchFrom(sending(JSON.stringify({
        layers: sizes.map((size, index) => ({ ...LAYER, size, digest: index === 0 ? A : B })),
      })));
    assertEquals((await ofSizes(2 ** 53 - 2, 1)).size, 2 ** 53 - 1);
    const { code, message } = await errorOf(ofSizes(2 ** 53 - 1, 1));
    assertEquals(code, "malformed");
    assertMatch(message, /has layers of 2\^53 bytes and more in all$/);
  });

  it("is rejected with the place and the reason", async () => {
    const withLayer = (layer: unknown) => ({ ...MANIFEST, layers: [LICENSE, layer] });
    const digestRule = "it must be sha256: and 64 hexadecimal digits";
    const sizeRule = "it must be a whole number of bytes";
    const cases: [fields: unknown, problem: string][] = [
      [5, "is not a JSON object"],
      [null, "is not a JSON object"],
      [{}, "has no layers"],
      [[], "has no layers"],
      [{ models: [] }, "has no layers"],
      [{ layers: {} }, "has no layers"],
      [{ layers: "x", config: CONFIG }, "has no layers"],
      [{ schemaVersion: 1, fsLayers: [] }, "has no layers"],
      [withLayer(null), `has the layers[1].digest undefined: ${digestRule}`],
      [
        withLayer({ ...LAYER, digest: "sha256:abc" }),
        `has the layers[1].digest "sha256:abc": ${digestRule}`,
      ],
      [withLayer({ ...LAYER, digest: `sha512:${"a".repeat(128)}` }), digestRule],
      [withLayer({ ...LAYER, digest: `../${A}` }), digestRule],
      [
        withLayer({ ...LAYER, digest: [A] }),
        `has the layers[1].digest of another type: ${digestRule}`,
      ],
      [withLayer({ ...LAYER, size: -1 }), `has the layers[1].size -1: ${sizeRule}`],
      [withLayer({ ...LAYER, size: 0.5 }), `has the layers[1].size 0.5: ${sizeRule}`],
      [
        withLayer({ ...LAYER, size: 2 ** 53 }),
        `has the layers[1].size 9007199254740992: ${sizeRule}`,
      ],
      [withLayer({ ...LAYER, size: "1000" }), `has the layers[1].size "1000": ${sizeRule}`],
      [withLayer({ digest: A, mediaType: "x" }), `has the layers[1].size undefined: ${sizeRule}`],
      [
        withLayer({ digest: A, size: 1 }),
        "has the layers[1].mediaType undefined: it must be a string",
      ],
      [{ ...MANIFEST, config: {} }, `has the config.digest undefined: ${digestRule}`],
      [{ ...MANIFEST, config: { ...CONFIG, size: null } }, `has the config.size null: ${sizeRule}`],
      [{ layers: [LAYER, { ...LAYER, size: 5 }] }, `gives ${A} the sizes 1000 and 5`],
    ];
    for (const [fields, problem] of cases) {
      const text = JSON.stringify(fields);
      const { code, message, excerpt } = await errorOf(fetchFrom(sending(text)));
      assertEquals(code, "malformed", text);
      assertMatch(
        message,
        new RegExp(`^What ${RegExp.escape(MODEL_ADDRESS)} sends as a manifest `),
      );
      assertStringIncludes(message, problem);
      assertStringIncludes(text, excerpt!.replace("…", ""));
    }
  });

  it("is rejected with one short message if it is a page or anything else but JSON", async () => {
    const page = `\n<!DOCTYPE html><title>Log in</title>${"x".repeat(10_000)}`;
    const error = await errorOf(fetchFrom(sending(page)));
    assertEquals(error.code, "malformed");
    assertStringIncludes(
      error.message,
      `${MODEL_ADDRESS} has no manifest: it sends a page, such as one to log in, not JSON: "\\n<!DOCTYPE`,
    );
    assert(error.message.length < 300);
    for (const text of ["", "{", "\u0000\u001b[2J", "[".repeat(100_000)]) {
      const { code, message } = await errorOf(fetchFrom(sending(text)));
      assertEquals(code, "malformed");
      assertMatch(message, /has no manifest: it sends not JSON: "[^\p{Cc}]*"$/u);
    }
    assertEquals((await errorOf(fetchFrom(sending(null)))).code, "malformed");
  });

  it("is not confused by inherited keys or by depth", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    for (
      const [text, problem] of [
        ['{"__proto__":{"layers":[]}}', "has no layers"],
        [`{"layers":[{"__proto__":{"digest":"${A}"},"size":1}]}`, "digest undefined"],
        [`{"layers":[{"digest":${nested},"size":1}]}`, "digest of another type"],
        [`{"layers":[${nested}]}`, "digest undefined"],
      ] as const
    ) {
      assertStringIncludes((await errorOf(fetchFrom(sending(text)))).message, problem);
    }
    assertEquals(Object.getOwnPropertyNames(Object.prototype), before);
  });
});

describe("the digest of a manifest", () => {
  it("is computed from the bytes, and must be the one in the header", async () => {
    const digest = sha256Digest(utf8(TEXT));
    const fetchWith = (header: string, text = TEXT) =>
      fetchFrom(sending(text, { headers: { "docker-content-digest": header } }));
    assertEquals((await fetchWith(digest)).digest, digest);
    assertEquals(
      (await fetchWith(digest.replace(/[^:]+$/, (digits) => digits.toUpperCase()))).digest,
      digest,
    );
    const { code, message } = await errorOf(fetchWith(digest, `${TEXT} `));
    assertEquals(code, "malformed");
    assertEquals(
      message,
      `${MODEL_ADDRESS} sends other bytes than the manifest of m:latest: their digest is ` +
        `${sha256Digest(utf8(`${TEXT} `))}, not ${digest}`,
    );
  });

  it("is not compared with a header that has no digest of its kind", async () => {
    for (const header of ["", "abc", `sha512:${"a".repeat(128)}`, "sha256:abc"]) {
      const answer = sending(TEXT, { headers: { "docker-content-digest": header } });
      assertEquals((await fetchFrom(answer)).digest, sha256Digest(utf8(TEXT)));
    }
  });
});

describe("an index", () => {
  const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
  const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
  const UNKNOWN = { os: "unknown", architecture: "unknown" };
  const LINUX = { os: "linux", architecture: "arm64" };
  const entry = (digest: unknown, platform?: unknown, mediaType: unknown = MANIFEST_TYPE) => ({
    digest,
    platform,
    mediaType,
    size: 1,
  });

  /** A registry with an index at a tag and other documents at their digests. */
  function registryWith(manifests: unknown[], ...texts: string[]): TestNetwork {
    const answers: Record<string, Answer> = {
      [MODEL_ADDRESS]: sending(
        JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
      ),
    };
    for (const text of texts) {
      const digest = sha256Digest(utf8(text));
      answers[`${OLLAMA}/v2/library/m/manifests/${digest}`] = sending(text);
    }
    return new TestNetwork(answers);
  }

  it("leads to the first manifest for a platform, or for no particular one", async () => {
    const digest = sha256Digest(utf8(TEXT));
    const others = fc.subarray([
      entry(A, UNKNOWN),
      entry(A, LINUX, INDEX_TYPE),
      entry(A, LINUX, 5),
      entry("sha512:a", LINUX),
      entry(5, LINUX),
      null,
      5,
      {},
    ]);
    const chosen = fc.constantFrom(
      entry(digest),
      entry(digest, LINUX),
      entry(digest, null, "application/vnd.docker.distribution.manifest.v2+json"),
      { digest },
    );
    await fc.assert(fc.asyncProperty(others, chosen, async (before, chosen) => {
      const network = registryWith([...before, chosen, entry(B, LINUX)], TEXT);
      assertEquals((await fetchManifest("m", network)).digest, digest);
      assertEquals(network.addresses, [
        MODEL_ADDRESS,
        `${OLLAMA}/v2/library/m/manifests/${digest}`,
      ]);
    }));
  });

  it("is unusable without such a manifest", async () => {
    for (const manifests of [[], [entry(A, UNKNOWN)], [entry(A, LINUX, INDEX_TYPE)]]) {
      const { code, message } = await errorOf(fetchManifest("m", registryWith(manifests)));
      assertEquals(code, "malformed");
      assertMatch(message, /is an index without the manifest of a model$/);
    }
  });

  it("does not lead to another index", async () => {
    const text = JSON.stringify({ manifests: [] });
    const network = registryWith([entry(sha256Digest(utf8(text)))], text);
    const { code, message } = await errorOf(fetchManifest("m", network));
    assertEquals(code, "malformed");
    assertMatch(message, /is an index, and an index led to it$/);
  });

  it("must not be a manifest too, because others might read it as one", async () => {
    for (const fields of [{ layers: [] }, { config: CONFIG }, { layers: null }]) {
      const text = JSON.stringify({ manifests: [entry(A)], ...fields });
      const { code, message } = await errorOf(fetchFrom(sending(text)));
      assertEquals(code, "malformed");
      assertMatch(message, /is both an index and a manifest$/);
    }
  });

  it("leads to bytes of the digest that it names, and to no others", async () => {
    const network = new TestNetwork({
      [MODEL_ADDRESS]: sending(JSON.stringify({ manifests: [entry(A)] })),
      [OLLAMA]: sending(TEXT),
    });
    const { code, message } = await errorOf(fetchManifest("m", network));
    assertEquals(code, "malformed");
    assertStringIncludes(message, `sends other bytes than the manifest ${A} of m:latest: `);
  });
});

describe("an error of a registry", () => {
  it("says what was asked for, where, what the registry says, and what to do", async () => {
    const denied = (code: string, message?: string) =>
      JSON.stringify({ errors: [{ code, message }] });
    const cases: [status: number, body: string, message: string][] = [
      [
        404,
        denied("MANIFEST_UNKNOWN", "manifest unknown"),
        'HTTP 404: "manifest unknown"; check the name and the tag',
      ],
      [404, "", "HTTP 404; check the name and the tag"],
      [
        401,
        denied("UNAUTHORIZED"),
        'HTTP 401: "UNAUTHORIZED"; the model may not exist, or may need credentials, which go into headers',
      ],
      [
        403,
        denied("DENIED", ""),
        'HTTP 403: "DENIED"; the model may not exist, or may need other credentials',
      ],
      [
        429,
        denied("TOOMANYREQUESTS", "slow down"),
        'HTTP 429: "slow down"; wait before you ask again',
      ],
      [500, '{"error":"no such table"}', 'HTTP 500: "no such table"'],
      [502, "<html>Bad gateway", 'HTTP 502: "<html>Bad gateway"'],
      [503, '{"errors":[null]}', 'HTTP 503: "{\\"errors\\":[null]}"'],
      [503, '{"errors":{}}', 'HTTP 503: "{\\"errors\\":{}}"'],
      [304, "", "HTTP 304"],
      [307, "", "HTTP 307"],
    ];
    for (const [status, body, expected] of cases) {
      const answer = sending(body === "" ? null : body, { status });
      const { code, message, status: told } = await errorOf(fetchFrom(answer));
      assertEquals([code, told], ["http", status]);
      assertEquals(
        message,
        `Cannot get the manifest of m:latest from ${MODEL_ADDRESS}: ${expected}`,
      );
    }
  });

  it("has the body, parsed if it is JSON", async () => {
    const body = { errors: [{ code: "DENIED", message: "no", detail: [{ a: 1 }] }] };
    const answer = sending(JSON.stringify(body), { status: 403, statusText: "Forbidden" });
    const error = await errorOf(fetchFrom(answer));
    assertEquals(error.body, body);
    assertStringIncludes(error.message, ': HTTP 403 Forbidden: "no"; ');
  });

  it("is read up to a size, or to where it breaks off", async () => {
    const endless = new TestSource<Uint8Array<ArrayBuffer>>();
    for (let chunk = 0; chunk < 10; chunk++) endless.give(utf8("x".repeat(10_000)));
    const error = await errorOf(fetchFrom(() => new Response(endless.stream, { status: 500 })));
    assertEquals((error.body as string).length, 20_000);
    assertEquals(endless.cancels.length, 1);
    assert(error.message.length < 300);

    const broken = new TestSource(utf8("half of a"));
    const failed = errorOf(fetchFrom(() => new Response(broken.stream, { status: 500 })));
    await settle();
    broken.fail(new Error("reset"));
    assertEquals((await failed).body, "half of a");
  });
});

describe("a token", () => {
  const CHALLENGE =
    'Bearer realm="https://auth.test/token?a=b",service="registry",scope="repository:library/m:pull x"';

  /** Answers only those who have a token. */
  const guarded = (token: string, challenge = CHALLENGE, text = TEXT): Answer => (_, headers) =>
    headers.get("authorization") === `Bearer ${token}`
      ? new Response(text)
      : new Response("{}", { status: 401, headers: { "www-authenticate": challenge } });

  const network = (
    { challenge, token = sending('{"token":"t1"}') }: { challenge?: string; token?: Answer } = {},
  ) => new TestNetwork({ [OLLAMA]: guarded("t1", challenge), "https://auth.test": token });

  it("is fetched from where the registry says, and sent to the registry", async () => {
    const servers = network();
    assertEquals((await fetchManifest("m", servers)).size, 1_023);
    assertEquals(servers.addresses, [
      MODEL_ADDRESS,
      "https://auth.test/token?a=b&service=registry&scope=repository%3Alibrary%2Fm%3Apull&scope=x",
      MODEL_ADDRESS,
    ]);
    const [first, token, second] = servers.requests;
    assertEquals(first!.headers.get("authorization"), null);
    assertEquals([...token!.headers], [["accept", "application/json"]]);
    assertEquals(second!.headers.get("authorization"), "Bearer t1");
  });

  it("is fetched once for an index and its manifest", async () => {
    const digest = sha256Digest(utf8(TEXT));
    const index = JSON.stringify({ manifests: [{ digest }] });
    const servers = new TestNetwork({
      [MODEL_ADDRESS]: guarded("t1", CHALLENGE, index),
      [OLLAMA]: guarded("t1"),
      "https://auth.test": sending('{"access_token":"t1"}'),
    });
    assertEquals((await fetchManifest("m", servers)).digest, digest);
    assertEquals(servers.requests.length, 4);
  });

  it("is fetched with the caller's credentials only at the registry's own origin, and replaces them", async () => {
    const answers: Answer = (url, headers) =>
      url.pathname === "/token"
        ? new Response(headers.get("authorization") === "Basic bWU6eA==" ? '{"token":"t1"}' : null)
        : guarded("t1", `Bearer realm="${OLLAMA}/token"`)(url, headers);
    const servers = new TestNetwork({ [OLLAMA]: answers });
    await fetchManifest("m", { ...servers, headers: { authorization: "Basic bWU6eA==" } });
    const sent = servers.requests.map(({ headers }) => headers.get("authorization"));
    assertEquals(sent, ["Basic bWU6eA==", "Basic bWU6eA==", "Bearer t1"]);
  });

  it("that the registry rejects is an error of the registry, after one request for it", async () => {
    const servers = network({ token: sending('{"token":"t2"}') });
    const { code, status, message } = await errorOf(fetchManifest("m", servers));
    assertEquals([code, status, servers.requests.length], ["http", 401, 3]);
    assert(!message.includes("t2"));
  });

  it("that is rejected for the manifest of an index is not fetched again", async () => {
    const index = JSON.stringify({ manifests: [{ digest: A }] });
    const servers = new TestNetwork({
      [MODEL_ADDRESS]: guarded("t1", CHALLENGE, index),
      [OLLAMA]: guarded("t2"),
      "https://auth.test": sending('{"token":"t1"}'),
    });
    const { code, status } = await errorOf(fetchManifest("m", servers));
    assertEquals([code, status, servers.requests.length], ["http", 401, 4]);
  });

  it("leaves nothing open of the answer that asked for it", async () => {
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const asking: Answer = (_, headers) =>
      headers.has("authorization") ? new Response(TEXT) : new Response(source.stream, {
        status: 401,
        headers: { "www-authenticate": CHALLENGE },
      });
    const servers = new TestNetwork({
      [OLLAMA]: asking,
      "https://auth.test": sending('{"token":"t1"}'),
    });
    await fetchManifest("m", servers);
    assertEquals(source.cancels.length, 1);
  });

  it("is not fetched if the registry does not ask for one", async () => {
    for (const challenge of ["", 'Basic realm="https://auth.test/token"', "Negotiate"]) {
      const servers = network({ challenge });
      const { code, status } = await errorOf(fetchManifest("m", servers));
      assertEquals([code, status, servers.requests.length], ["http", 401, 1]);
    }
  });

  it("is not fetched from an address that may not be used", async () => {
    for (
      const [realm, problem] of [["http://auth.test/token", "has no TLS"], [
        "/token",
        "must be an https",
      ]] as const
    ) {
      const servers = network({ challenge: `Bearer realm="${realm}"` });
      const { code, message } = await errorOf(fetchManifest("m", servers));
      assertEquals([code, servers.requests.length], ["malformed", 1]);
      assertStringIncludes(message, problem);
    }
  });

  it("is fetched without TLS if that is allowed", async () => {
    const challenge = 'Bearer realm="http://auth.test/token"';
    for (const options of [{ insecure: true }, { registry: "http://example.com" }]) {
      const servers = new TestNetwork({
        "http://registry.ollama.ai": guarded("t1", challenge),
        "http://example.com": guarded("t1", challenge),
        "http://auth.test": sending('{"token":"t1"}'),
      });
      assertEquals((await fetchManifest("m", { ...servers, ...options })).size, 1_023);
    }
  });

  it("that cannot be fetched is an error of the token server", async () => {
    const where = `Cannot get a token for ${OLLAMA}`;
    const fails: [token: Answer, code: string, message: string][] = [
      [
        sending('{"errors":[{"message":"no"}]}', { status: 401 }),
        "http",
        `${where} from https://auth.test/token: HTTP 401: "no"; if you have credentials, get a token ` +
        "with them and give it in headers",
      ],
      [sending("", { status: 404 }), "http", `${where} from https://auth.test/token: HTTP 404`],
      [
        sending("<html>"),
        "malformed",
        `${where}: the answer of https://auth.test/token is not a JSON object with a token`,
      ],
      [
        sending('{"token":"hunter2 \\u0000"}'),
        "malformed",
        `${where}: the answer of https://auth.test/token is not a JSON object with a token`,
      ],
      [
        () => Promise.reject(new TypeError("refused")),
        "network",
        "Cannot reach https://auth.test: refused",
      ],
    ];
    for (const [token, code, message] of fails) {
      const error = await errorOf(fetchManifest("m", network({ token })));
      assertEquals([error.code, error.message], [code, message]);
    }
  });
});

describe("a redirect", () => {
  const OTHER = "https://other.test";

  it("is followed, be it relative or to another origin", async () => {
    for (
      const [location, address] of [
        ["/elsewhere?a=b", `${OLLAMA}/elsewhere?a=b`],
        ["//other.test/a", `${OTHER}/a`],
        [`${OTHER}/v2/b`, `${OTHER}/v2/b`],
      ] as const
    ) {
      for (const status of [301, 302, 303, 307, 308]) {
        const servers = new TestNetwork({
          [MODEL_ADDRESS]: redirecting(location, status),
          [OLLAMA]: sending(TEXT),
          [OTHER]: sending(TEXT),
        });
        assertEquals((await fetchManifest("m", servers)).size, 1_023);
        assertEquals(servers.addresses, [MODEL_ADDRESS, address]);
      }
    }
  });

  it("sends neither the caller's headers nor a token to another origin", async () => {
    const hosts = [OLLAMA, OTHER, "https://third.test", "https://registry.ollama.ai:444"];
    const path = fc.array(fc.constantFrom(...hosts), { maxLength: 6 });
    await fc.assert(fc.asyncProperty(path, fc.boolean(), async (path, wantsToken) => {
      let step = 0;
      const answer: Answer = (url, headers) => {
        if (wantsToken && url.origin === OLLAMA && headers.get("authorization") !== "Bearer t1") {
          const challenge = 'Bearer realm="https://auth.test"';
          return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
        }
        const next = path[step++];
        return next === undefined
          ? new Response(TEXT)
          : redirecting(`${next}/${step}`)(url, headers);
      };
      const servers = new TestNetwork({
        ...Object.fromEntries(hosts.map((host) => [host, answer])),
        "https://auth.test": sending('{"token":"t1"}'),
      });
      await fetchManifest("m", {
        ...servers,
        headers: { "x-key": "hunter2", authorization: "Basic x" },
      });
      for (const { url, headers } of servers.requests) {
        const isRegistry = url.origin === OLLAMA;
        assertEquals(headers.get("x-key"), isRegistry ? "hunter2" : null, url.href);
        assertEquals(headers.has("authorization"), isRegistry, url.href);
      }
    }));
  });

  it("leaves nothing open of its own answer", async () => {
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const servers = new TestNetwork({
      [OLLAMA]: () => new Response(source.stream, { status: 307, headers: { location: OTHER } }),
      [OTHER]: sending(TEXT),
    });
    await fetchManifest("m", servers);
    assertEquals(source.cancels.length, 1);
  });

  it("needs the status of a redirect", async () => {
    const headers = { location: OTHER };
    assertEquals((await fetchFrom(sending(TEXT, { headers }))).size, 1_023);
    const { status } = await errorOf(fetchFrom(sending(null, { status: 404, headers })));
    assertEquals(status, 404);
  });

  it("may lead to a registry that requires its own token", async () => {
    const servers = new TestNetwork({
      [OLLAMA]: redirecting(`${OTHER}/a`),
      [OTHER]: (_, headers) =>
        headers.get("authorization") === "Bearer t1" ? new Response(TEXT) : new Response(null, {
          status: 401,
          headers: { "www-authenticate": 'Bearer realm="https://auth.test"' },
        }),
      "https://auth.test": sending('{"token":"t1"}'),
    });
    assertEquals((await fetchManifest("m", servers)).size, 1_023);
    assertEquals(servers.addresses, [
      MODEL_ADDRESS,
      `${OTHER}/a`,
      "https://auth.test/",
      `${OTHER}/a`,
    ]);
  });

  it("is followed ten times at most", async () => {
    let left = 10;
    const answer: Answer = (url, headers) =>
      left-- > 0 ? redirecting(`/${left}`)(url, headers) : new Response(TEXT);
    assertEquals((await fetchFrom(answer)).size, 1_023);
    left = 11;
    const { code, status, message } = await errorOf(fetchFrom(answer));
    assertEquals([code, status], ["http", 307]);
    assertEquals(message, `${MODEL_ADDRESS} redirects more than 10 times, last to ${OLLAMA}/0`);
  });

  it("must not lead to an address without TLS, unless that is allowed, or to another scheme", async () => {
    const locations: [location: string, problem: string][] = [
      [
        "http://other.test/a?signature=hunter2",
        "redirects to http://other.test/a, which has no TLS; insecure: true allows that",
      ],
      ["ftp://other.test/a", "redirects to an address that cannot be used"],
      ["https://me:hunter2@other.test/a", "redirects to an address that cannot be used"],
      ["https://", "redirects to an address that cannot be used"],
      ["data:application/json,{}", "redirects to an address that cannot be used"],
    ];
    for (const [location, problem] of locations) {
      const { code, status, message } = await errorOf(fetchFrom(redirecting(location)));
      assertEquals([code, status], ["http", 307]);
      assertStringIncludes(message, problem);
      assert(!message.includes("hunter2"), message);
    }
    const servers = new TestNetwork({
      "http://registry.ollama.ai": redirecting("http://other.test"),
      "http://other.test": sending(TEXT),
    });
    assertEquals((await fetchManifest("m", { ...servers, insecure: true })).size, 1_023);
  });

  it("that a page cannot see is an error that says so", async () => {
    const opaque = Object.defineProperties(new Response(null), {
      type: { value: "opaqueredirect" },
      status: { value: 0 },
      ok: { value: false },
    });
    const { code, message } = await errorOf(fetchFrom(() => opaque));
    assertEquals(code, "network");
    assertEquals(
      message,
      `${MODEL_ADDRESS} redirects, which a page cannot follow: set registry to where it leads`,
    );
  });
});

describe("a connection to a registry", () => {
  it("that cannot be made is an error that says why", async () => {
    const cause = new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") });
    const error = await errorOf(fetchFrom(() => Promise.reject(cause)));
    assertEquals([error.code, error.cause], ["network", cause]);
    assertEquals(error.message, `Cannot reach ${OLLAMA}: getaddrinfo ENOTFOUND`);
  });

  it("that breaks is an error that says so", async () => {
    const source = new TestSource(utf8("{"));
    const failed = errorOf(fetchFrom(() => new Response(source.stream)));
    await settle();
    source.fail(new Error("reset"));
    const { code, message } = await failed;
    assertEquals([code, message], ["network", `The connection to ${OLLAMA} broke: reset`]);
  });

  it("shows no query, which may be a signature, nor do its errors", async () => {
    const refused = () => Promise.reject(new TypeError("no https://other.test/?signature=hunter2"));
    const servers = new TestNetwork({
      [OLLAMA]: redirecting("https://other.test/a?signature=hunter2"),
      "https://other.test": refused,
    });
    const error = await errorOf(fetchManifest("m", servers));
    assertEquals([error.code, error.cause], ["network", undefined]);
  });
});

describe("the largest answer", () => {
  const bytes = utf8(TEXT).length;

  it("has maxBytes, in chunks of any size, be it a manifest or a token", async () => {
    const inChunks = (size: number) => {
      const source = new TestSource<Uint8Array<ArrayBuffer>>();
      for (let at = 0; at < bytes; at += size) source.give(utf8(TEXT).slice(at, at + size));
      source.end();
      return source;
    };
    for (const size of [1, 7, bytes - 1, bytes]) {
      const read = (maxBytes: number) =>
        fetchFrom(() => new Response(inChunks(size).stream), { maxBytes });
      assertEquals((await read(bytes)).size, 1_023);
      const { code, message } = await errorOf(read(bytes - 1));
      assertEquals(code, "malformed");
      assertEquals(
        message,
        `Cannot get the manifest of m:latest: ${MODEL_ADDRESS} sends more than maxBytes, ${
          bytes - 1
        } bytes`,
      );
    }
  });

  it("is 4 MiB by default, and at most one chunk more is read of an endless answer", async () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    let reads = 0;
    let cancels = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            reads++;
            controller.enqueue(chunk);
          },
          cancel() {
            cancels++;
          },
        }, { highWaterMark: 0 }),
      );
    const { code, message } = await errorOf(fetchFrom(endless));
    assertEquals([code, reads, cancels], ["malformed", 65, 1]);
    assertStringIncludes(message, "more than maxBytes, 4194304 bytes");
    assertEquals((await errorOf(fetchFrom(endless, { maxBytes: 1 }))).code, "malformed");
    assertEquals((await fetchFrom(sending(TEXT), { maxBytes: Infinity })).size, 1_023);
  });
});

/** Every state in which a request may be left: what the registry does, which never ends. */
const WAITING: Readonly<
  Record<string, (source: TestSource<Uint8Array<ArrayBuffer>>) => Record<string, Answer>>
> = {
  "before an answer": () => ({ [OLLAMA]: () => new Promise(() => {}) }),
  "in the middle of a manifest": (source) => ({ [OLLAMA]: () => new Response(source.stream) }),
  "in the middle of an error": (source) => ({
    [OLLAMA]: () => new Response(source.stream, { status: 500 }),
  }),
  "after a redirect": () => ({
    [OLLAMA]: redirecting("https://other.test"),
    "https://other.test": () => new Promise(() => {}),
  }),
  "before a token": () => ({
    [OLLAMA]: sending(null, {
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="https://auth.test"' },
    }),
    "https://auth.test": () => new Promise(() => {}),
  }),
  "in the middle of a token": (source) => ({
    [OLLAMA]: sending(null, {
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="https://auth.test"' },
    }),
    "https://auth.test": () => new Response(source.stream),
  }),
};

describe("the time for a manifest", () => {
  for (const [state, answersOf] of Object.entries(WAITING)) {
    it(`ends ${state}, even if fetch ignores the signal, and leaves nothing open`, async () => {
      const clock = new VirtualClock();
      const source = new TestSource(utf8("{"));
      const servers = new TestNetwork(answersOf(source));
      const outcome = rejectionOf(fetchManifest("m", { ...servers, ...clock }));
      await clock.advance(9_999);
      assertEquals(await isSettled(outcome), false);
      await clock.advance(1);
      const { code, message } = asPullError(await outcome);
      if (state === "in the middle of an error") {
        assertEquals(code, "http"); // which says more
      } else {
        assertEquals(code, "stalled");
        const { origin, pathname } = servers.requests.at(-1)!.url;
        const address = `${origin}${pathname.replace(/\/$/, "")}`;
        assertEquals(message, `No complete answer from ${address} after 10 s (timeoutMs)`);
      }
      assert(servers.requests.every(({ init }) => init.signal.aborted));
      assertEquals([clock.sleepers, source.cancels.length], [0, source.reads > 0 ? 1 : 0]);
    });
  }

  it("covers all requests together, is set by the caller, and may be infinite", async () => {
    const clock = new VirtualClock();
    const slow: Answer = async (url, headers) => {
      await clock.sleep(400, new AbortController().signal);
      return url.pathname === "/end" ? new Response(TEXT) : redirecting("/end")(url, headers);
    };
    const fetchIn = async (timeoutMs: number) => {
      const outcome = fetchFrom(slow, { ...clock, timeoutMs }).then(
        ({ size }) => size,
        ({ code }) => code,
      );
      await clock.advance(1_000);
      return await outcome;
    };
    assertEquals(await fetchIn(799), "stalled");
    assertEquals(await fetchIn(801), 1_023);
    assertEquals(await fetchIn(Infinity), 1_023);
    assertEquals(clock.sleepers, 0);
  });

  it("stops once the manifest has arrived, or something has failed", async () => {
    const clock = new VirtualClock();
    await fetchFrom(sending(TEXT), clock);
    await errorOf(fetchFrom(sending("<html>"), clock));
    await settle();
    assertEquals(clock.sleepers, 0);
  });
});

describe("the signal of a manifest", () => {
  const reason = new Error("enough");

  for (const [state, answersOf] of Object.entries(WAITING)) {
    it(`ends it ${state}, with its own reason, even if fetch ignores the signal`, async () => {
      const clock = new VirtualClock();
      const source = new TestSource(utf8("{"));
      const controller = new AbortController();
      const servers = new TestNetwork(answersOf(source));
      const outcome = rejectionOf(
        fetchManifest("m", { ...servers, ...clock, signal: controller.signal }),
      );
      await settle();
      controller.abort(reason);
      assertStrictEquals(await outcome, reason);
      assert(servers.requests.every(({ init }) => init.signal.aborted));
      assertEquals([clock.sleepers, source.cancels.length], [0, source.reads > 0 ? 1 : 0]);
    });
  }

  it("makes no request if it has aborted before", async () => {
    const { requests, fetch } = new TestNetwork({});
    const signal = AbortSignal.abort(reason);
    assertStrictEquals(await rejectionOf(fetchManifest("m", { fetch, signal })), reason);
    assertEquals(requests, []);
  });

  it("cancels the body of an answer that comes too late", async () => {
    const controller = new AbortController();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const late = Promise.withResolvers<Response>();
    const outcome = rejectionOf(fetchFrom(() => late.promise, { signal: controller.signal }));
    await settle();
    controller.abort(reason);
    assertStrictEquals(await outcome, reason);
    late.resolve(new Response(source.stream));
    await settle();
    assertEquals(source.cancels.length, 1);
  });

  it("takes effect whenever it aborts, and leaves no rejection unhandled", async () => {
    const challenge = { "www-authenticate": 'Bearer realm="https://auth.test"' };
    const digest = sha256Digest(utf8(TEXT));
    const answers: Record<string, Answer> = {
      [OLLAMA]: (url, headers) => {
        if (!headers.has("authorization")) {
          return new Response("{}", { status: 401, headers: challenge });
        }
        return new Response(
          url.href.endsWith(digest) ? TEXT : JSON.stringify({ manifests: [{ digest }] }),
        );
      },
      "https://auth.test": sending('{"token":"t1"}'),
    };
    const unhandled = await unhandledRejections(async () => {
      for (let turns = 0; turns < 120; turns++) {
        const controller = new AbortController();
        const options = { ...new TestNetwork(answers), signal: controller.signal };
        const outcome = fetchManifest("m", options).then(() => "done", (error) => error);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        controller.abort(reason);
        const result = await outcome;
        assert(result === reason || result === "done", `after ${turns} turns: ${result}`);
      }
    });
    assertEquals(unhandled, []);
  });

  it("has no listener left at the end, however that came about", async () => {
    const unreachable: Answer = () => Promise.reject(new TypeError("refused"));
    const page = sending("<html>");
    for (const answer of [sending(TEXT), page, sending(null, { status: 404 }), unreachable]) {
      const { signal, listeners } = watchedSignal();
      await fetchFrom(answer, { signal }).catch(asPullError);
      assertEquals(listeners.size, 0);
    }
    const { controller, signal, listeners } = watchedSignal();
    const outcome = rejectionOf(fetchFrom(() => new Promise(() => {}), { signal }));
    await settle();
    controller.abort(reason);
    assertStrictEquals(await outcome, reason);
    assertEquals(listeners.size, 0);
  });
});

describe("any document of a registry", () => {
  it("is a manifest whose total is the sum of its layers, or one short malformed error", async () => {
    const size = fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.double(), fc.string());
    const blob = fc.record({
      digest: fc.oneof(digests(), fc.string()),
      size,
      mediaType: fc.string(),
    }, {
      requiredKeys: [],
    });
    const document = fc.oneof(
      fc.jsonValue(),
      fc.record({ layers: fc.array(blob), config: blob, manifests: fc.array(fc.jsonValue()) }, {
        requiredKeys: [],
      }),
    ).map((value) => JSON.stringify(value));
    const text = fc.oneof(document, fc.string());
    await fc.assert(fc.asyncProperty(text, async (text) => {
      const result = await fetchFrom(sending(text)).catch(asPullError);
      if ("layers" in result) {
        assertEquals(result.size, result.layers.reduce((total, { size }) => total + size, 0));
        assertEquals(new Set(result.layers.map(({ digest }) => digest)).size, result.layers.length);
      } else {
        assertEquals(result.code, "malformed");
        assert(result.message.length < 400 && !/\p{Cc}/u.test(result.message), result.message);
      }
    }));
  });
});
