import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { MockServer } from "../options.ts";
import { beginPull, mockOfSmall, post, pullText, readLine, transcript } from "../test_helpers.ts";

const get = (server: MockServer, path: string, method = "GET") =>
  server.fetch(new URL(path, "http://localhost"), { method });

const remove = (server: MockServer, body: unknown) =>
  server.fetch("http://localhost/api/delete", { method: "DELETE", body: JSON.stringify(body) });

async function namesOf(server: MockServer): Promise<string[]> {
  const { models } = await (await get(server, "/api/tags")).json();
  return models.map(({ name }: { name: string }) => name);
}

describe("The address by itself", () => {
  it("says that the server is running, with and without a body", async () => {
    const server = mockOfSmall();
    const response = await get(server, "/");
    assertEquals([response.status, await response.text()], [200, "Ollama is running"]);
    const head = await get(server, "/", "HEAD");
    assertEquals([head.status, await head.text()], [200, ""]);
    assertEquals(server.requests.map(({ outcome }) => outcome), ["finished", "finished"]);
  });
});

describe("The version", () => {
  it("is that of the real server that the mock was compared with", async () => {
    const response = await get(mockOfSmall(), "/api/version");
    assertStrictEquals(await response.text(), '{"version":"0.34.1"}');
    assertStrictEquals((await get(mockOfSmall(), "/api/version", "HEAD")).status, 200);
  });
});

describe("The list of models", () => {
  it("has those that were pulled, the latest first", async () => {
    const server = mockOfSmall();
    server.registry.publish({ name: "space/other:1b", layers: [] });
    assertEquals(await namesOf(server), []);
    await pullText(server, "SMALL");
    await pullText(server, "space/other:1b");
    assertEquals(await namesOf(server), ["space/other:1b", "small:latest"]);
    await pullText(server);
    assertEquals(await namesOf(server), ["small:latest", "space/other:1b"]);
  });

  it("reports the required fields of each model", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const { models: [{ digest, ...model }] } = await (await get(server, "/api/tags")).json();
    const manifest = await get(server, "/v2/library/small/manifests/latest");
    assertEquals(`sha256:${digest}`, manifest.headers.get("Docker-Content-Digest"));
    assertEquals(model, {
      name: "small:latest",
      model: "small:latest",
      modified_at: "2025-05-04T17:37:44.936020263-07:00",
      size: 23_000_500,
      details: {
        parent_model: "",
        format: "gguf",
        family: "small",
        families: ["small"],
        parameter_size: "36.80M",
        quantization_level: "Q4_K_M",
        context_length: 131_072,
        embedding_length: 4_096,
      },
      capabilities: ["completion"],
    });
  });

  it("has no model whose pull has not succeeded", async () => {
    const server = mockOfSmall({ faults: [{ kind: "error", at: { layer: 1 } }] });
    await pullText(server);
    await (await beginPull(server, 2)).cancel();
    assertEquals(await namesOf(server), []);
  });
});

describe("A model that was pulled", () => {
  it("is shown", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const response = await post(server, "/api/show", { model: "small" });
    assertStrictEquals(response.status, 200);
    assertEquals((await response.json()).details.family, "small");
  });

  it("can be deleted, by either field, and is then fetched again", async () => {
    const server = mockOfSmall();
    const first = await transcript(server);
    const response = await remove(server, { model: "small" });
    assertEquals([response.status, await response.text()], [200, ""]);
    assertEquals(await namesOf(server), []);
    assertStrictEquals(await transcript(server), first);
    assertStrictEquals((await remove(server, { name: "Small:latest" })).status, 200);
    assertEquals(await namesOf(server), []);
  });

  it("keeps its layers when another one is deleted that has them too", async () => {
    const server = mockOfSmall();
    await pullText(server);
    await (await post(server, "/api/create", { model: "copy", from: "small" })).text();
    assertEquals(await namesOf(server), ["copy:latest", "small:latest"]);
    await remove(server, { model: "small" });
    assert(!(await transcript(server)).includes('"completed":6000000'));
  });

  it("stays when the registry offers it no longer", async () => {
    const server = mockOfSmall();
    await pullText(server);
    assert(server.registry.withdraw("small"));
    assert(!server.registry.withdraw("small"));
    assertEquals(await namesOf(server), ["small:latest"]);
    assert((await pullText(server)).includes("file does not exist"));
  });
});

describe("A model that was not pulled", () => {
  it("is not found", async () => {
    const server = mockOfSmall();
    const answers: [Response, string][] = [
      // Observed: one endpoint says the tag, the other says what it was asked for.
      [await post(server, "/api/show", { model: "small" }), "small:latest"],
      [await remove(server, { model: "small" }), "small"],
    ];
    for (const [answer, name] of answers) {
      assertStrictEquals(answer.status, 404);
      assertEquals(await answer.json(), { error: `model '${name}' not found` });
    }
  });

  it("cannot be pushed, as the stream says", async () => {
    const server = mockOfSmall();
    const failureOf = async (model: string) => {
      const text = await (await post(server, "/api/push", { model })).text();
      const [first, second, last, ...rest] = text.split("\n");
      assertEquals([first, second, rest], [
        '{"status":"retrieving manifest"}',
        `{"status":"couldn't retrieve manifest"}`,
        [""],
      ]);
      const { error } = JSON.parse(last!);
      const response = await post(server, "/api/push", { model, stream: false });
      assertEquals([response.status, await response.json()], [500, { error }]);
      return error;
    };
    const manifests = "/usr/share/ollama/.ollama/models/manifests";
    assertEquals(
      await failureOf("small"),
      `open ${manifests}/registry.ollama.ai/library/small/latest: no such file or directory`,
    );
    assertEquals(await failureOf(" small "), "unqualified name:  small ");
  });
});

describe("A push", () => {
  it("streams its statuses", async () => {
    const server = mockOfSmall({ tickMs: 100 });
    await pullText(server);
    const startedAt = server.clock.now();
    const response = await post(server, "/api/push", { model: "small" });
    assertStrictEquals(response.headers.get("Content-Type"), "application/x-ndjson");
    const statuses = (await response.text()).trimEnd().split("\n").map((line) => {
      const { status, completed, total } = JSON.parse(line);
      return total === undefined ? status : `${status} ${completed}/${total}`;
    });
    assertEquals(statuses, [
      "retrieving manifest",
      "pushing aaaaaaaaaaaa 10000000/20000000",
      "pushing aaaaaaaaaaaa 20000000/20000000",
      "pushing bbbbbbbbbbbb 3000000/3000000",
      "pushing cccccccccccc 500/500",
      "pushing manifest",
      "success",
    ]);
    assertStrictEquals(Math.round(server.clock.now() - startedAt), 400);
  });

  it("answers once where it is not to stream", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const response = await post(server, "/api/push", { model: "small", stream: false });
    assertEquals(await response.json(), { status: "success" });
  });

  it("that its client leaves is written down as cancelled", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const reader = (await post(server, "/api/push", { model: "small" })).body!.getReader();
    await readLine(reader);
    assertStrictEquals(server.requests[1]!.outcome, "running");
    await reader.cancel();
    assertStrictEquals(server.requests[1]!.outcome, "cancelled");
  });
});

describe("A creation", () => {
  it("streams its statuses, and the model is there", async () => {
    const server = mockOfSmall();
    await pullText(server);
    const response = await post(server, "/api/create", { model: "copy", from: "small" });
    const statuses = (await response.text()).trimEnd().split("\n").map((line) =>
      JSON.parse(line).status.slice(0, 35)
    );
    assertEquals(
      statuses,
      [
        "using existing layer sha256:aaaaaaaa",
        "using existing layer sha256:bbbbbbbb",
        "writing manifest",
        "success",
      ].map((status) => status.slice(0, 35)),
    );
    assertEquals(await namesOf(server), ["copy:latest", "small:latest"]);
  });

  it("pulls the model to create from, if it is not there", async () => {
    const server = mockOfSmall();
    const pulled = await pullText(mockOfSmall());
    const response = await post(server, "/api/create", { model: "copy", from: "small" });
    const text = await response.text();
    assertStrictEquals(text.slice(0, pulled.length), pulled);
    assert(text.slice(pulled.length).startsWith('{"status":"using existing layer sha256:aaaa'));
    assertEquals(await namesOf(server), ["copy:latest", "small:latest"]);
  });

  it("fails as a pull does where the model to create from cannot be pulled", async () => {
    const server = mockOfSmall();
    const error = "pull model manifest: file does not exist";
    const body = { model: "copy", from: "other" };
    assertStrictEquals(
      await (await post(server, "/api/create", body)).text(),
      `{"status":"pulling manifest"}\n{"error":"${error}"}\n`,
    );
    const response = await post(server, "/api/create", { ...body, stream: false });
    assertEquals([response.status, await response.json()], [500, { error }]);
    assertEquals(await namesOf(server), []);
  });

  it("that is left while it pulls leaves the download", async () => {
    const server = mockOfSmall();
    const response = await post(server, "/api/create", { model: "copy", from: "small" });
    const reader = response.body!.getReader();
    for (let line = 0; line < 3; line++) await readLine(reader);
    assertStrictEquals(server.activeDownloads, 1);
    await reader.cancel();
    assertStrictEquals(server.activeDownloads, 0);
  });

  it("needs a valid name and something to create from", async () => {
    const server = mockOfSmall();
    const errorOf = async (body: unknown) => {
      const response = await post(server, "/api/create", body);
      const { error } = await response.json();
      return [response.status, response.headers.get("Content-Type"), error];
    };
    assertEquals(
      await errorOf({ model: "../x" }),
      [400, "application/json; charset=utf-8", "invalid model name"],
    );
    assertEquals(
      await errorOf({ model: "x" }),
      [400, "application/json", "neither 'from' or 'files' was specified"],
    );
  });
});

describe("Requests to all of these", () => {
  it("are refused where they cannot be read", async () => {
    const server = mockOfSmall();
    const endpoints = [
      ["/api/show", "POST", "ShowRequest"],
      ["/api/delete", "DELETE", "DeleteRequest"],
      ["/api/push", "POST", "PushRequest"],
      ["/api/create", "POST", "CreateRequest"],
    ] as const;
    for (const [path, method, struct] of endpoints) {
      const errorOf = async (body: string) => {
        const response = await server.fetch(`http://localhost${path}`, { method, body });
        return [response.status, (await response.json()).error];
      };
      assertEquals(await errorOf(""), [400, "missing request body"]);
      assertEquals(await errorOf("{"), [400, "unexpected EOF"]);
      assertEquals(await errorOf('{"model":5}'), [
        400,
        `json: cannot unmarshal number into Go struct field ${struct}.model of type string`,
      ]);
      if (path !== "/api/create") assertEquals(await errorOf("{}"), [400, "model is required"]);
    }
    assertEquals(
      (await (await remove(server, { model: "a b" })).json()).error,
      'name "a b" is invalid',
    );
    assertEquals(
      (await (await post(server, "/api/show", { model: "a b" })).json()).error,
      "invalid model name",
    );
    assert(server.requests.every(({ outcome }) => outcome === "finished"));
    assertEquals(server.requests[2]!.body, { model: 5 });
  });

  it("are refused for the types of their own fields, and of no others", async () => {
    const errorOf = async (body: unknown) =>
      (await (await post(mockOfSmall(), "/api/show", body)).json()).error;
    assertEquals(
      await errorOf({ model: "small", verbose: "yes" }),
      "json: cannot unmarshal string into Go struct field ShowRequest.verbose of type bool",
    );
    assertEquals(await errorOf({ model: "small", stream: 1 }), "model 'small:latest' not found");
  });
});
