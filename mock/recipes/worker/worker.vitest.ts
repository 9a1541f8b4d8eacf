/**
 * Runs the Worker beside this file in Cloudflare's runtime.
 *
 * @module
 */

import { Miniflare } from "miniflare";
import { afterAll, expect, test } from "vitest";
import { bundle } from "../bundle.ts";

const SCRIPT = new URL("worker.ts", import.meta.url);

const worker = new Miniflare({
  modules: [{ type: "ESModule", path: "worker.mjs", contents: bundle(SCRIPT) }],
  compatibilityDate: "2026-07-01",
});

afterAll(() => worker.dispose());

function send(path: string, body: unknown) {
  const init = { method: "POST", body: JSON.stringify(body) };
  return worker.dispatchFetch(`http://localhost${path}`, init);
}

test("a Worker that exports the mock serves pulls", async () => {
  const response = await send("/api/pull", { model: "llama3.2" });
  expect(response.headers.get("Content-Type")).toBe("application/x-ndjson");
  expect((await response.text()).trimEnd().split("\n").at(-1)).toBe('{"status":"success"}');
  expect((await send("/api/show", { model: "llama3.2" })).status).toBe(200);
});

test("a Worker serves pulls at the same time, and goes on when one is left", async () => {
  const left = await send("/api/pull", { model: "llama3.2" });
  await left.body?.cancel();
  const answers = [1, 2, 3].map(() => send("/api/pull", { model: "llama3.2", stream: false }));
  for (const answer of answers) expect(await (await answer).json()).toEqual({ status: "success" });
});
