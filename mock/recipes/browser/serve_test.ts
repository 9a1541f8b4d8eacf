import { createMockServer } from "@ollama-pull/kit/mock";
import { watchPull } from "@ollama-pull/kit/relay";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSite } from "./serve.ts";

const SITE = "https://site.test";
const server = createMockServer();
const site = createSite(server.client);
const fetch = (url: string, init?: RequestInit) => site(new Request(url, init));

test("the page is served", async () => {
  const response = await fetch(`${SITE}/`);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(await response.text(), /<script type="module" src="bundle\.js">/);
});

test("no other file is served", async () => {
  for (const path of ["/serve.ts", "/page.js", "/%2e%2e/page.js", "/constructor", "/api"]) {
    assert.equal((await fetch(SITE + path)).status, 404, path);
  }
});

test("a model of the list is pulled through the relay", async () => {
  const progress = await Array.fromAsync(
    watchPull(`${SITE}/api`, "llama3.2", { start: true, fetch }),
  );
  assert.equal(progress.at(-1)!.phase, "success");
});

test("no other model is", async () => {
  server.clearRequests();
  const response = await fetch(`${SITE}/api/pulls/llama3.2%3A70b`, { method: "POST" });
  assert.equal(response.status, 403);
  assert.equal(server.requests.length, 0);
});
