/**
 * What a test sets up: models that are installed, models of any name, what the API says of them, and
 * downloads that take no time.
 *
 * @module
 */

import { fetchManifest, isSameModel, type Manifest, pullModel } from "@ollama-pull/kit";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../src/dialects.ts";
import type { Clock } from "./clock/clock.ts";
import { realClock } from "./clock/real.ts";
import { ConfigurationError } from "./configuration_error.ts";
import type { MockModelTemplate } from "./models/models.ts";
import { presets } from "./models/presets.ts";
import type { MockServer, MockServerOptions } from "./options.ts";
import { createMockServer } from "./server.ts";
import {
  A,
  B,
  C,
  CHANGED,
  mockOfSmall,
  post,
  pullText,
  SMALL,
  transcript,
} from "./test_helpers.ts";

const SUCCESS = '{"status":"success"}\n';
const NOT_FOUND = "pull model manifest: file does not exist";
const DIALECTS = Object.keys(dialects) as DialectName[];

interface ListedModel {
  readonly name: string;
  readonly size: number;
  readonly modified_at: string;
  readonly digest: string;
  readonly details: Record<string, unknown>;
  readonly capabilities: readonly string[];
}

async function list(server: MockServer): Promise<readonly ListedModel[]> {
  return (await (await server.fetch("http://localhost/api/tags")).json()).models;
}

async function namesOf(server: MockServer): Promise<readonly string[]> {
  return (await list(server)).map(({ name }) => name);
}

async function show(server: MockServer, model: string) {
  return await (await post(server, "/api/show", { model })).json();
}

function remove(server: MockServer, model: string): Promise<Response> {
  return post(server, "/api/delete", { model }, { method: "DELETE" });
}

/** How much of each layer a pull reports as there when it begins, by digest. */
function startOf(text: string): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    const { digest, completed = 0, total } = JSON.parse(line);
    if (digest !== undefined && !starts.has(digest)) starts.set(digest, completed / total);
  }
  return starts;
}

describe("Models that are installed from the start", () => {
  it("are listed in the order given, whatever kind of description they have", async () => {
    const installed = ["llama3.2", SMALL, { name: "my/model:7b" }];
    const server = createMockServer({ installed });
    assertEquals(await namesOf(server), ["llama3.2:latest", "small:latest", "my/model:7b"]);
  });

  it("are shown and can be deleted", async () => {
    const server = createMockServer({ models: [], installed: [SMALL] });
    assertStrictEquals((await show(server, "small")).details.family, "small");
    assertStrictEquals((await remove(server, "small")).status, 200);
    assertEquals(await namesOf(server), []);
    assertEquals([...startOf(await pullText(server)).values()], [0, 0, 0]);
  });

  for (const dialect of DIALECTS) {
    it(`have every layer already when they are pulled, in the dialect ${dialect}`, async () => {
      const options: MockServerOptions = { dialect, models: [] };
      const server = createMockServer({ ...options, installed: [SMALL] });
      const text = await pullText(server);
      const pulledBefore = createMockServer({ ...options, models: [SMALL] });
      await pullText(pulledBefore);
      assertStrictEquals(text, await pullText(pulledBefore));
      assertStrictEquals(server.clock.now(), 0);
    });
  }

  it("are the same as those that the registry offers under the name", async () => {
    for (const installed of ["small", "Library/Small:latest", { ...SMALL }]) {
      const server = mockOfSmall({ installed: [installed] });
      const [{ digest } = { digest: "" }] = await list(server);
      await pullText(server);
      assertEquals((await list(server)).map((model) => model.digest), [digest]);
      assertStrictEquals(server.clock.now(), 0);
    }
  });

  it("are updated by a pull where the registry has another version", async () => {
    const server = createMockServer({ models: [CHANGED], installed: [SMALL] });
    const before = (await list(server))[0]!;
    const starts = startOf(await pullText(server));
    assertEquals([...starts.values()], [1, 0, 1]);
    const after = (await list(server))[0]!;
    assertStrictEquals(before.size - after.size, 1_000_000);
    assertNotEquals(after.digest, before.digest);
  });

  it("cannot be pulled when the registry has withdrawn them, and stay", async () => {
    const server = createMockServer({ models: [], installed: [SMALL] });
    assert(server.registry.withdraw("small"));
    assert((await pullText(server)).includes(NOT_FOUND));
    assertEquals(await namesOf(server), ["small:latest"]);
  });

  it("are there again after a reset", async () => {
    const server = mockOfSmall({ installed: ["tiny"] });
    await pullText(server);
    await remove(server, "tiny");
    server.reset();
    assertEquals(await namesOf(server), ["tiny:latest"]);
    assertEquals([...startOf(await pullText(server, "tiny")).values()], [1, 1, 1, 1]);
  });

  it("have the digests of their real bytes where these are asked for", async () => {
    const server = createMockServer({
      realBytes: true,
      models: ["tiny"],
      installed: ["tiny", { name: "other", layers: [{ size: 10 }] }],
    });
    assertEquals(await namesOf(server), ["tiny:latest", "other:latest"]);
    const { layers } = await server.registry.manifest("tiny");
    const starts = startOf(await pullText(server, "tiny"));
    for (const { digest } of layers) assertStrictEquals(starts.get(digest), 1);
  });

  it("are refused where they are given twice or cannot be", () => {
    const refuse = (options: MockServerOptions, message: string) =>
      assertThrows(() => createMockServer(options), ConfigurationError, message);
    refuse({ installed: ["tiny", "tiny:latest"] }, 'Cannot install the model "tiny:latest" twice');
    refuse({ installed: ["gpt-9"] }, 'as in { name: "gpt-9" }');
    const larger = { ...SMALL, layers: [{ ...SMALL.layers[0]!, size: 5 }] };
    refuse({ models: [SMALL], installed: [larger] }, "for 5 bytes: another blob of");
  });

  it("can be named by a fault", async () => {
    const options: MockServerOptions = {
      models: ["tiny"],
      installed: [SMALL],
      faults: [{ kind: "error", model: "small", at: { layer: 1 } }],
      registry: { faults: [{ kind: "missing", at: "manifest", model: "small" }] },
    };
    assert(!(await pullText(createMockServer(options))).endsWith(SUCCESS));
    assert((await pullText(createMockServer(options), "tiny")).endsWith(SUCCESS));
  });
});

/** The manifest of a model, as a client gets it from the mock's registry. */
function manifestOf({ fetch, clock }: MockServer, name: string): Promise<Manifest> {
  return fetchManifest(name, {
    registry: "http://127.0.0.1:11434",
    fetch,
    sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
  });
}

const namePart = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,11}$/);
const anyName = fc.tuple(
  fc.constantFrom("", "hf.co/", "localhost:5000/"),
  namePart,
  namePart,
  fc.option(namePart, { nil: undefined }),
).map(([host, namespace, model, tag]) =>
  `${host}${namespace}/${model}${tag === undefined ? "" : `:${tag}`}`
);

describe("Models of any name", () => {
  it("can be pulled, with digests that follow from the name and the seed", async () => {
    await fc.assert(
      fc.asyncProperty(anyName, anyName, fc.nat(), async (name, other, seed) => {
        const digests = async (model: string, options: MockServerOptions) => {
          const server = createMockServer({ models: [], anyModel: true, ...options });
          const text = await pullText(server, model);
          assert(text.endsWith(SUCCESS), text);
          assertEquals((await namesOf(server)).map((each) => isSameModel(each, model)), [true]);
          return [...startOf(text).keys()].join();
        };
        assertStrictEquals(await digests(name, { seed }), await digests(name, { seed }));
        assertNotEquals(await digests(name, { seed }), await digests(name, { seed: seed + 1 }));
        const path = (text: string) => text.replace(/^(hf\.co|localhost:5000)\//, "");
        if (isSameModel(path(name), path(other))) return;
        assertNotEquals(await digests(name, { seed }), await digests(other, { seed }));
      }),
      { numRuns: 30 },
    );
  });

  it("have the manifest in the registry that is pulled", async () => {
    await fc.assert(
      fc.asyncProperty(anyName, fc.boolean(), async (name, manifestFirst) => {
        const server = createMockServer({ models: [], anyModel: { size: 1_000 } });
        const pulled = async () => [...startOf(await pullText(server, name)).keys()];
        const listed = async () => {
          const { layers } = await manifestOf(server, name);
          return layers.map(({ digest }) => digest);
        };
        if (manifestFirst) assertEquals(await listed(), await pulled());
        else assertEquals(await pulled(), await listed());
      }),
      { numRuns: 30 },
    );
  });

  it("are as described, and do not stand in for those that are offered", async () => {
    const server = mockOfSmall({
      anyModel: { size: 5_000, details: { family: "qwen3" } },
    });
    await pullText(server);
    await pullText(server, "dummy");
    const models = await list(server);
    assertEquals(models.map(({ details }) => details.family), ["qwen3", "small"]);
    assertEquals(models.map(({ size }) => size), [5_000 + 1_429 + 96 + 561, 23_000_500]);
    const { layers } = await manifestOf(server, "small");
    assertEquals(layers.map(({ digest }) => digest), [A, B, C]);
  });

  it("are not found where the registry has withdrawn them, until they are published", async () => {
    const server = createMockServer({ anyModel: true });
    assert(server.registry.withdraw("dummy"));
    assert(!server.registry.withdraw("dummy"));
    assert((await pullText(server, "dummy")).includes(NOT_FOUND));
    server.registry.publish("dummy");
    assert((await pullText(server, "dummy")).endsWith(SUCCESS));
    server.registry.withdraw("dummy");
    server.reset();
    assert((await pullText(server, "dummy")).endsWith(SUCCESS));
  });

  it("are none where the name is invalid", async () => {
    const server = createMockServer({ anyModel: true });
    assertEquals(await pullText(server, "../x"), '{"error":"invalid model name"}');
    await assertRejects(() => server.registry.manifest("a b"), ConfigurationError);
  });

  it("can be named by a fault, and be installed", async () => {
    const server = createMockServer({
      anyModel: true,
      installed: ["there"],
      faults: [{ kind: "error", model: "dummy" }],
    });
    assertEquals(await namesOf(server), ["there:latest"]);
    assert(!(await pullText(server, "dummy")).endsWith(SUCCESS));
    assert((await pullText(server, "other")).endsWith(SUCCESS));
  });

  it("are refused where they cannot be made", () => {
    const refuse = (anyModel: unknown, message: string) =>
      assertThrows(
        () => createMockServer({ anyModel: anyModel as MockModelTemplate }),
        ConfigurationError,
        message,
      );
    refuse("x", 'Cannot use the anyModel "x": it must be true, or a model such as { size: 1000 }');
    refuse({ size: -1 }, "Cannot use the size -1 of layer 0 of the model");
  });
});

describe("A model that is described by less than its layers", () => {
  it("is small by its name alone", async () => {
    const server = createMockServer({ models: [{ name: "dummy" }] });
    const { layers } = await server.registry.manifest("dummy");
    assertEquals(layers.map(({ size }) => size), [2_000_000, 1_429, 96]);
  });

  it("has the size that it is given, or the layers, but not both", async () => {
    const server = createMockServer({ models: [{ name: "large", size: 40e9 }] });
    assertStrictEquals((await server.registry.manifest("large")).layers[0]!.size, 40e9);
    assertThrows(
      () => createMockServer({ models: [{ ...SMALL, size: 5 }] }),
      ConfigurationError,
      'Cannot use the size 5 of the model "small" besides its layers: leave out one of the two',
    );
  });

  it("is a preset by any of its names", async () => {
    const server = createMockServer({ models: ["library/Tiny:latest"] });
    assertStrictEquals((await server.registry.manifest("tiny")).layers.length, 3);
  });
});

describe("What the API says of a model", () => {
  it("is what its description says, and sensible where that says nothing", async () => {
    const server = createMockServer({
      installed: [{
        name: "qwen3:8b",
        size: 5_225_374_496,
        details: { family: "qwen3", quantization_level: "Q8_0", context_length: 40_960 },
        capabilities: ["completion", "thinking"],
        license: "Apache License",
        system: "You are\nhelpful.",
        parameters:
          'stop                           "<|im_end|>"\ntop_k                          20',
      }],
    });
    const [model] = await list(server);
    const details = {
      parent_model: "",
      format: "gguf",
      family: "qwen3",
      families: ["qwen3"],
      parameter_size: "8.4B",
      quantization_level: "Q8_0",
    };
    assertEquals(model?.details, {
      ...details,
      context_length: 40_960,
      embedding_length: 4_096,
    });
    assertEquals(model?.capabilities, ["completion", "thinking"]);
    const { modified_at, ...shown } = await show(server, "qwen3:8b");
    assertStrictEquals(modified_at, model?.modified_at);
    const { layers: [weights] } = await server.registry.manifest("qwen3:8b");
    assertEquals(shown, {
      license: "Apache License",
      modelfile: `# Modelfile generated by "ollama show"
# To build a new Modelfile based on this, replace FROM with:
# FROM qwen3:8b

FROM /usr/share/ollama/.ollama/models/blobs/${weights?.digest.replace(":", "-")}
TEMPLATE {{ .Prompt }}
SYSTEM "You are
helpful."
PARAMETER stop <|im_end|>
PARAMETER top_k 20
LICENSE Apache License
`,
      parameters: 'stop                           "<|im_end|>"\ntop_k                          20',
      template: "{{ .Prompt }}",
      system: "You are\nhelpful.",
      details,
      model_info: {
        "general.architecture": "qwen3",
        "general.parameter_count": 8_400_000_000,
        "qwen3.context_length": 40_960,
        "qwen3.embedding_length": 4_096,
      },
      capabilities: ["completion", "thinking"],
    });
  });

  it("is true for presets", async () => {
    const server = createMockServer({ installed: Object.keys(presets) });
    const models = new Map((await list(server)).map((model) => [model.name, model]));
    const shapeOf = (name: string) => {
      const { details, capabilities } = models.get(name)!;
      return [details.family, details.parameter_size, details.quantization_level, ...capabilities];
    };
    assertEquals(shapeOf("llama3.2:latest"), ["llama", "3.2B", "Q4_K_M", "completion", "tools"]);
    assertEquals(shapeOf("mistral:latest"), ["llama", "7.2B", "Q4_0", "completion", "tools"]);
    assertEquals(shapeOf("llava:latest"), ["llama", "7B", "Q4_0", "completion", "vision"]);
    assertEquals(shapeOf("nomic-embed-text:latest"), ["nomic-bert", "137M", "F16", "embedding"]);
    assertEquals(shapeOf("deepseek-r1:671b").slice(0, 3), ["deepseek2", "671.0B", "Q4_K_M"]);
    for (const [name, { details }] of models) {
      const { model_info: info } = await show(server, name);
      assertStrictEquals(info["general.architecture"], details.family);
      assertStrictEquals(info[`${details.family}.context_length`], details.context_length);
      assertStrictEquals(info[`${details.family}.embedding_length`], details.embedding_length);
    }
  });

  it("has a Modelfile that names the weights, or the model where these are stored by tensor", async () => {
    const server = createMockServer({ installed: ["llava", "tensors"] });
    const sources = async (name: string) =>
      [...(await show(server, name)).modelfile.matchAll(/^FROM (.+)$/gm)].map(([, from]) => from);
    assertEquals((await sources("llava")).length, 2);
    assertEquals(await sources("tensors"), ["tensors:latest"]);
  });

  it("has the parameters of presets that their layers have room for", () => {
    for (const [name, { layers, parameters }] of Object.entries(presets)) {
      if (parameters === undefined) continue;
      const size = layers.find(({ mediaType }) => mediaType?.endsWith(".params"))?.size;
      assertStrictEquals(paramsBytes(parameters), size, name);
    }
  });

  it("must be of the right type", () => {
    const refuse = (info: Record<string, unknown>, message: string) =>
      assertThrows(
        () => createMockServer({ models: [{ name: "x", ...info }] }),
        ConfigurationError,
        message,
      );
    refuse({ details: "big" }, 'the details "big" of the model "x:latest": it must be an object');
    refuse(
      { capabilities: "tools" },
      'the capabilities "tools" of the model "x:latest": it must be',
    );
    refuse({ capabilities: [5] }, "it must be an array of strings");
    refuse({ model_info: [] }, "it must be an object");
    refuse({ license: 5 }, "it must be a string");
  });
});

/** The size of a layer with parameters: JSON as Go writes it, with a newline. */
function paramsBytes(parameters: string): number {
  const fields: Record<string, unknown> = {};
  for (const line of parameters.split("\n")) {
    const [, key = "", json = ""] = /^(\S+)\s+(.*)$/.exec(line)!;
    const value: unknown = JSON.parse(json);
    fields[key] = key === "stop" ? [...(fields.stop as string[] | undefined ?? []), value] : value;
  }
  const json = JSON.stringify(fields).replace(/[<>]/g, "\\u0000");
  return new TextEncoder().encode(`${json}\n`).length;
}

describe("A model that pulls do not install", () => {
  it("is pulled with success and is not there, though its layers are", async () => {
    const server = createMockServer({ models: [{ ...SMALL, installs: false }] });
    const told = await transcript(mockOfSmall());
    assertStrictEquals(await transcript(server), told);
    assertEquals(await namesOf(server), []);
    assertStrictEquals((await post(server, "/api/show", { model: "small" })).status, 404);
    assertEquals([...startOf(await pullText(server)).values()], [1, 1, 1]);
  });

  it("stays as it was where it is installed from the start", async () => {
    const installs = false;
    const server = createMockServer({
      models: [{ ...CHANGED, installs }],
      installed: [SMALL],
    });
    const before = await list(server);
    await pullText(server);
    assertEquals(await list(server), before);
  });
});

/** A clock by which a little time passes whenever one looks at it, as real time does. */
function creeping(): Clock {
  let time = 0;
  return {
    now: () => time += 0.001,
    sleep: (milliseconds) => {
      time += milliseconds;
      return Promise.resolve();
    },
  };
}

describe("Downloads that take no time", () => {
  for (const dialect of DIALECTS) {
    it(`are reported in the dialect ${dialect}, however time passes`, async () => {
      for (const clock of [undefined, creeping()]) {
        const server = mockOfSmall({ dialect, clock, bytesPerSecond: Infinity });
        const startedAt = server.clock.now();
        assert((await pullText(server)).trimEnd().endsWith('"success"}'));
        assert(server.clock.now() - startedAt < 1);
        assertEquals(await namesOf(server), ["small:latest"]);
        const { status } = JSON.parse(await pullText(server, "small", { stream: false }));
        assertStrictEquals(status, "success");
      }
    });

    it(`can be pulled by our own client in the dialect ${dialect}, with faults`, async () => {
      const server = mockOfSmall({
        dialect,
        bytesPerSecond: Infinity,
        faults: [{ kind: "cut", at: { completed: "50%" }, times: 1 }],
      });
      const { fetch, clock } = server;
      const sleep = (milliseconds: number, signal: AbortSignal) =>
        clock.sleep(milliseconds, signal);
      await pullModel("small", { fetch, sleep, now: () => clock.now(), retries: 2 });
      assertEquals(await namesOf(server), ["small:latest"]);
    });
  }

  it("can be pushed", async () => {
    const server = mockOfSmall({ bytesPerSecond: Infinity, installed: ["small"] });
    const text = await (await post(server, "/api/push", { model: "small" })).text();
    assert(text.endsWith(SUCCESS));
    assert(!text.includes("null"));
  });
});

describe("The date of a model", () => {
  it("is the same in every run by virtual time, and moves on with it", async () => {
    const server = mockOfSmall();
    await pullText(server);
    await server.clock.sleep(86_400_000);
    await remove(server, "small");
    await pullText(server, "small");
    const [model] = await list(server);
    assertStrictEquals(model?.modified_at, "2025-05-05T17:37:45.16602539-07:00");
  });

  it("is that of the machine by real time", async () => {
    const before = Date.now();
    const server = createMockServer({ installed: ["tiny"], clock: realClock });
    const [model] = await list(server);
    const date = new Date(model!.modified_at);
    assert(Math.abs(date.getTime() - before) < 60_000, model?.modified_at);
  });

  it("counts from the moment at which a clock of one's own begins", async () => {
    const clock = { now: () => 1_000, sleep: () => Promise.resolve(), epoch: Date.UTC(2030, 0) };
    const server = createMockServer({ installed: ["tiny"], clock });
    const [model] = await list(server);
    assertStrictEquals(Date.parse(model!.modified_at), Date.UTC(2030, 0) + 1_000);
  });
});

describe("The length of an answer", () => {
  const lengthOf = async (response: Response | Promise<Response>) => {
    const { headers } = await response;
    return headers.get("Content-Length");
  };
  const get = (server: MockServer, path: string, method = "GET") =>
    server.fetch(new URL(path, "http://localhost"), { method });

  it("is sent with short answers", async () => {
    const server = createMockServer({ installed: ["tiny", { ...SMALL, license: "ä" }] });
    for (const path of ["/", "/api/version", "/api/tags", "/nowhere"]) {
      const response = await get(server, path);
      const bytes = await response.bytes();
      assertStrictEquals(response.headers.get("Content-Length"), String(bytes.length), path);
      if (path === "/nowhere") continue;
      assertStrictEquals(await lengthOf(get(server, path, "HEAD")), String(bytes.length), path);
    }
    const shown = await post(server, "/api/show", { model: "small" });
    const length = shown.headers.get("Content-Length");
    assertStrictEquals(length, String((await shown.bytes()).length));
    assertStrictEquals(await lengthOf(remove(server, "small")), "0");
    const pulled = await post(server, "/api/pull", { model: "tiny", stream: false });
    assertStrictEquals(await lengthOf(pulled), String((await pulled.bytes()).length));
  });

  it("is not sent with long ones, nor with streams", async () => {
    const installed = Array.from({ length: 10 }, (_, index) => ({ name: `model-${index}` }));
    const server = createMockServer({ installed });
    assertStrictEquals(await lengthOf(get(server, "/api/tags")), null);
    assertStrictEquals(await lengthOf(post(server, "/api/pull", { model: "model-1" })), null);
  });
});
