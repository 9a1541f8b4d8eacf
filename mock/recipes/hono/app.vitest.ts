import { pullModel } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import { Hono } from "hono";
import { expect, test } from "vitest";

const mock = createMockServer({ models: ["llama3.2"] });

const app = new Hono()
  .get("/health", (context) => context.text("fine"))
  .post(
    "/ollama/api/chat",
    (context) => context.json({ message: { content: "Hello" }, done: true }),
  )
  .mount("/ollama", mock.fetch); // after the routes that the mock does not serve

test("the mock is mounted in an app beside other routes", async () => {
  const fetch = (url: string, init: RequestInit) => Promise.resolve(app.request(url, init));

  await pullModel("llama3.2", { fetch, host: "http://localhost/ollama" });

  const { models } = await (await app.request("/ollama/api/tags")).json();
  expect(models).toMatchObject([{ name: "llama3.2:latest" }]);
  expect(await (await app.request("/health")).text()).toBe("fine");
  const chat = await app.request("/ollama/api/chat", { method: "POST" });
  expect(await chat.json()).toMatchObject({ done: true });
});
