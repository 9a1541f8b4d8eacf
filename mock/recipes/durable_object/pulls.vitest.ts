/**
 * Runs the Worker beside this file in Cloudflare's runtime, which is ended in the middle of a pull and
 * started again with what the objects have stored.
 *
 * @module
 */

import type { PullProgress } from "@ollama-pull/kit";
import { createMockServer, type Listener, type MockServer, realClock } from "@ollama-pull/kit/mock";
import { cancelPull, watchPull, type WatchPullOptions } from "@ollama-pull/kit/relay";
import { Miniflare } from "miniflare";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listen } from "../../runtime/listen.ts";
import { bundle } from "../bundle.ts";
import config from "./wrangler.json" with { type: "json" };

const SCRIPT = bundle(new URL(config.main, import.meta.url));
const TOKEN = "let-me-in";
const SIZE = 1000;

/** Cloudflare, as far as the recipe is concerned: it can be restarted, and keeps what is stored. */
class Cloud {
  readonly #folder: string;
  readonly #host: string;
  #worker!: Miniflare;
  #restarting = Promise.resolve();

  constructor(folder: string, host: string) {
    this.#folder = folder;
    this.#host = host;
    this.#start();
  }

  #start(): void {
    const { bindings: [{ name, class_name }] } = config.durable_objects as { bindings: [Binding] };
    this.#worker = new Miniflare({
      modules: [{ type: "ESModule", path: "pulls.mjs", contents: SCRIPT }],
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      durableObjects: { [name]: { className: class_name, useSQLite: true } },
      durableObjectsPersist: this.#folder,
      bindings: { OLLAMA_HOST: this.#host, TOKEN },
    });
  }

  /** Ends the runtime, with all connections, and starts it again. */
  restart(): Promise<void> {
    return this.#restarting = this.dispose().then(() => this.#start());
  }

  dispose(): Promise<void> {
    return this.#worker.dispose();
  }

  /** Makes a request. */
  readonly fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    return await fetch(new URL(new URL(url).pathname, await this.#worker.ready), init);
  };

  readonly #login = { headers: { Authorization: `Bearer ${TOKEN}` }, fetch: this.fetch };

  /** Cancels a pull. */
  cancel(model: string): Promise<boolean> {
    return cancelPull("http://localhost", model, this.#login);
  }

  /** Watches a pull. Before it connects again, it waits for the restart. */
  watch(model: string, options: WatchPullOptions = {}) {
    return watchPull("http://localhost", model, {
      ...this.#login,
      sleep: () => this.#restarting,
      silenceTimeoutMs: Infinity,
      ...options,
    });
  }
}

type Binding = (typeof config.durable_objects.bindings)[number];

let folder: string;
let ollama: MockServer;
let listener: Listener;
let cloud: Cloud;
/** What Ollama has answered to each pull. */
let answers: string[];

/** Notes what a response says, while it is read. */
function note(response: Response): Response {
  const index = answers.push("") - 1;
  const decoder = new TextDecoder();
  const notes = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      answers[index] += decoder.decode(chunk, { stream: true });
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body!.pipeThrough(notes), response);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulls-"));
  answers = [];
  ollama = createMockServer({
    models: [{ name: "small", layers: [{ size: SIZE }], config: { size: 0 } }],
    bytesPerSecond: 1e9,
    clock: realClock,
  });
  listener = await listen(async (request) => note(await ollama.fetch(request)));
  cloud = new Cloud(folder, listener.url);
});

afterEach(async () => {
  await cloud.dispose();
  await listener.close();
  await rm(folder, { recursive: true });
});

/** Reads a stream to its end. */
async function readAll(stream: AsyncIterable<PullProgress>): Promise<PullProgress[]> {
  const snapshots: PullProgress[] = [];
  for await (const progress of stream) snapshots.push(progress);
  return snapshots;
}

test("any number of viewers share one pull, however they write the model's name", async () => {
  const hold = ollama.hold();
  const names = ["small", "small:latest", "library/small", "SMALL"];
  const streams = names.map((name) => cloud.watch(name, { start: true }));
  await Promise.all(streams.map(async (stream) => {
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
  }));
  hold.release();
  const ends = await Promise.all(streams.map(readAll));
  for (const snapshots of ends) expect(snapshots.at(-1)).toMatchObject({ phase: "success" });
  expect(answers.length).toBe(1);
});

test("a pull goes on after a restart where it was, and its viewers see no progress fall", async () => {
  const hold = ollama.hold({ at: { completed: "50%" } });
  const viewers = ["small", "small:latest"].map((name) => cloud.watch(name, { start: true }));
  const watching = viewers.map(readAll);
  await hold.reached;
  await cloud.restart();
  for (const snapshots of await Promise.all(watching)) {
    const fractions = snapshots.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(snapshots.at(-1)).toMatchObject({ phase: "success", fraction: 1, completed: SIZE });
  }
  const downloaded = answers.map((text) =>
    text.split("\n").filter(Boolean).map((line) => JSON.parse(line).completed ?? 0)
  );
  expect(downloaded).toEqual([expect.arrayContaining([SIZE / 2]), expect.arrayContaining([SIZE])]);
  const [, again] = downloaded;
  expect(Math.min(...again!.filter((completed) => completed > 0))).toBeGreaterThanOrEqual(SIZE / 2);
});

test("a stranger starts nothing, and is told nothing", async () => {
  for (const method of ["POST", "GET", "DELETE"]) {
    const response = await cloud.fetch("http://localhost/pulls/small", { method });
    expect(response.status).toBe(403);
  }
  expect(ollama.requests).toEqual([]);
});

test("how a pull ended is told after a restart, without another one", async () => {
  await readAll(cloud.watch("small", { start: true }));
  const failure = { code: "server", reason: "model-not-found" };
  await expect(readAll(cloud.watch("not-there", { start: true }))).rejects.toMatchObject(failure);
  await cloud.restart();
  expect((await readAll(cloud.watch("small"))).at(-1)).toMatchObject({ phase: "success" });
  await expect(readAll(cloud.watch("not-there"))).rejects.toMatchObject(failure);
  expect(answers.length).toBe(2);
});

test("a pull that was cancelled is not started again by a restart", async () => {
  const hold = ollama.hold();
  const failure = { name: "AbortError" };
  const watching = expect(readAll(cloud.watch("small", { start: true }))).rejects
    .toMatchObject(failure);
  await hold.reached;
  expect(await cloud.cancel("small")).toBe(true);
  await watching;
  await cloud.restart();
  await expect(readAll(cloud.watch("small"))).rejects.toMatchObject(failure);
  expect(answers.length).toBe(1);
});
