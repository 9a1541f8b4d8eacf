import { pullModel } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import { afterEach, expect, test, vi } from "vitest";

const server = createMockServer({ models: ["llama3.2"], dialect: "v0.33" });

afterEach(() => {
  server.reset();
  vi.unstubAllGlobals();
});

test("a model is listed once it was pulled", async () => {
  vi.stubGlobal("fetch", server.fetch); // every call of `fetch` goes to the mock

  await pullModel("llama3.2");

  const { models } = await (await fetch("http://127.0.0.1:11434/api/tags")).json();
  expect(models).toMatchObject([{ name: "llama3.2:latest", size: 2_019_393_189 }]);
});
