import { pullModel } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import express from "express";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

const mock = createMockServer({ models: ["llama3.2"], bytesPerSecond: 1e12 });

// The mock comes first: express.json() must not read its bodies, and compression() would hold progress back.
const app = express()
  .use(mock.nodeListener())
  .use(express.json())
  .post(
    "/api/chat",
    (request, response) => response.json({ model: request.body.model, done: true }),
  );

test("the mock is middleware of an app beside other routes", async () => {
  const server = app.listen(0);
  await once(server, "listening");
  const host = `http://127.0.0.1:${server.address().port}`;

  await pullModel("llama3.2", { host });

  const init = {
    method: "POST",
    body: '{"model":"a"}',
    headers: { "Content-Type": "application/json" },
  };
  const chat = await fetch(`${host}/api/chat`, init);
  assert.deepEqual(await chat.json(), { model: "a", done: true });
  server.close();
});
