import { pull } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

const stall = { kind: "stall", at: { completed: "50%" }, ms: Infinity };
const mock = createMockServer({ models: ["llama3.2"], faults: [stall] });

const worker = setupServer(
  http.post("*/api/pull", ({ request }) => mock.fetch(request)), // returns a streaming Response
  http.post("*/api/chat", () => HttpResponse.json({ done: true })),
);
before(() => worker.listen({ onUnhandledRequest: "error" }));
afterEach(() => mock.reset());
after(() => worker.close());

test("progress arrives while the pull goes on", async () => {
  for await (const { fraction } of pull("llama3.2")) if (fraction >= 0.4) break;

  assert.equal(mock.requests[0].outcome, "cancelled");
  const chat = await fetch("http://127.0.0.1:11434/api/chat", { method: "POST" });
  assert.deepEqual(await chat.json(), { done: true });
});
