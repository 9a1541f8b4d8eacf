/**
 * Shows that models are copied, and that nothing runs.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { mockOfSmall, post, pullText } from "../test_helpers.ts";

async function mockWithSmall() {
  const server = mockOfSmall();
  await pullText(server);
  const copy = async (source: unknown, destination: unknown) => {
    const response = await post(server, "/api/copy", { source, destination });
    return [response.status, await response.text()];
  };
  const names = async () => {
    const { models } = await (await server.fetch("http://localhost/api/tags")).json();
    return models.map(({ name }: { name: string }) => name).sort();
  };
  return { server, copy, names };
}

describe("A copy", () => {
  it("is another name of the model, which stays when the first is deleted", async () => {
    const { server, copy, names } = await mockWithSmall();
    assertEquals(await copy("small", "space/other:1b"), [200, ""]);
    assertEquals(await names(), ["small:latest", "space/other:1b"]);
    const body = JSON.stringify({ model: "small" });
    await server.fetch("http://localhost/api/delete", { method: "DELETE", body });
    assertEquals(await names(), ["space/other:1b"]);
  });

  it("takes the place of a model of that name", async () => {
    const { server, copy, names } = await mockWithSmall();
    server.registry.publish({ name: "other", layers: [] });
    await pullText(server, "other");
    assertEquals(await copy("small", "other"), [200, ""]);
    assertEquals(await names(), ["other:latest", "small:latest"]);
    const { models } = await (await server.fetch("http://localhost/api/tags")).json();
    assertEquals(models.map(({ size }: { size: number }) => size), [23_000_500, 23_000_500]);
  });

  it("to itself does nothing, even if there is no such model", async () => {
    const { copy, names } = await mockWithSmall();
    assertEquals(await copy("small", "small:latest"), [200, ""]);
    assertEquals(await copy("small", "SMALL"), [200, ""]);
    assertEquals(await copy("gone", "gone"), [200, ""]);
    assertEquals((await copy("GONE", "gone"))[0], 404);
    assertEquals(await names(), ["small:latest"]);
  });

  it("needs a model, and valid names", async () => {
    const { server, copy } = await mockWithSmall();
    assertEquals(await copy("gone:1b", "x"), [404, '{"error":"model \\"gone:1b\\" not found"}']);
    assertEquals(await copy("", "x"), [400, '{"error":"source \\"\\" is invalid"}']);
    assertEquals(await copy("gone", "a b"), [400, '{"error":"destination \\"a b\\" is invalid"}']);
    assertEquals(await copy(5, "x"), [
      400,
      '{"error":"json: cannot unmarshal number into Go struct field CopyRequest.source of type string"}',
    ]);
    const missing = await server.fetch("http://localhost/api/copy", { method: "POST" });
    assertEquals([missing.status, await missing.json()], [400, { error: "missing request body" }]);
  });
});

describe("The list of running models", () => {
  it("is empty, and cannot be asked for without its body", async () => {
    const { server } = await mockWithSmall();
    const response = await server.fetch("http://localhost/api/ps");
    assertEquals([response.status, await response.text()], [200, '{"models":[]}']);
    const head = await server.fetch("http://localhost/api/ps", { method: "HEAD" });
    assertEquals([head.status, head.headers.get("Allow")], [405, "GET"]);
    const { status } = await server.fetch("http://localhost/api/ps", { method: "POST" });
    assertStrictEquals(status, 405);
  });
});
