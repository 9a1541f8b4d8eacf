import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../../src/dialects.ts";
import { createMockServer } from "../server.ts";
import { pullText, requestPull } from "../test_helpers.ts";

const TENSOR = "application/vnd.ollama.image.tensor";
const models = [
  { name: "tensors", layers: [{ size: 1_000 }, { size: 2_000, mediaType: TENSOR }] },
  { name: "config", layers: [{ size: 1_000 }], config: { size: 500, mediaType: TENSOR } },
];

const lastOf = (text: string) => JSON.parse(text.trimEnd().split("\n").at(-1)!);

describe("A model of tensors", () => {
  const error = "this model requires MLX support, but the MLX runtime is not available";

  it("fails after the first line where the runtime for it is missing", async () => {
    const server = createMockServer({ models, dialect: "v0.33" });
    assertStrictEquals(
      await pullText(server, "tensors"),
      `{"status":"pulling manifest"}\n{"error":"${error}"}\n`,
    );
    const response = await requestPull(server, "tensors", { stream: false, insecure: true });
    assertEquals([response.status, await response.json()], [500, { error }]);
  });

  it("is pulled by all other dialects", async () => {
    for (const dialect of Object.keys(dialects) as DialectName[]) {
      if (dialect === "v0.33") continue;
      const text = await pullText(createMockServer({ models, dialect }), "tensors");
      assertEquals(lastOf(text), { status: "success" }, dialect);
    }
  });

  it("is known by its layers, not by its config", async () => {
    const text = await pullText(createMockServer({ models, dialect: "v0.33" }), "config");
    assertEquals(lastOf(text), { status: "success" });
  });
});
