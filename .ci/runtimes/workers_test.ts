/**
 * Shows that the package, installed by npm and bundled, works in Workers, in Cloudflare's runtime.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Miniflare } from "miniflare";
import { connect } from "node:net";
import { after, describe, it } from "node:test";
import { Ollama } from "ollama";
import { PullError, type PullProgress } from "../../mod.ts";
import { fromResponse } from "../../src/relay/mod.ts";
import { readText } from "../project.ts";
import type { Findings } from "./program.ts";
import { verdictsOfSources } from "./sources.ts";
import { bundle, installWithNpm, TOOLS } from "./tarball.ts";
import { countLeft, startUpstream } from "./upstream.ts";

/** Larger than any model that is pulled completely. */
const ENDLESS = [{ size: 2 ** 50 }];

const consumer = await installWithNpm(TOOLS.esbuild);
await consumer.write({
  "relay.ts": await readText("mock/recipes/worker/relay.ts"),
  "mock.ts": await readText("mock/recipes/worker/worker.ts"),
  "suites.ts": 'import { tryPackage } from "./program.ts";\n' +
    "export default { fetch: async () => Response.json(await tryPackage()) };\n",
  "leave.ts": 'import { tryNetwork } from "./program.ts";\n' +
    "const leave = async (_, env) => (await tryNetwork(env.OLLAMA_HOST), new Response('done'));\n" +
    "export default { fetch: leave };\n",
});

/** Bundles a module of the consumer and serves it. */
async function startWorker(entry: string, bindings: Record<string, string> = {}) {
  const contents = await bundle(consumer, entry);
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["enable_request_signal"], // without it, a silent upstream is never abandoned
    bindings,
  });
  const url = (await worker.ready).href;
  return { url, [Symbol.asyncDispose]: () => worker.dispose() };
}

/** Asks `relay.ts` to pull, reads progress, and leaves after enough of it. */
async function readProgress(
  url: string,
  model: string,
  isEnough: (progress: PullProgress) => boolean = () => false,
): Promise<PullProgress[]> {
  const snapshots: PullProgress[] = [];
  for await (const progress of fromResponse(await fetch(`${url}?model=${model}`))) {
    snapshots.push(progress);
    if (isEnough(progress)) break;
  }
  return snapshots;
}

/** Makes a request and breaks the connection once the answer has begun. */
async function askAndReset({ host, hostname, port, pathname, search }: URL): Promise<void> {
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await new Promise((resolve) => socket.once("data", resolve));
  socket.resetAndDestroy();
}

describe("the package from npm, in a Worker", () => {
  after(() => consumer[Symbol.asyncDispose]());

  it("keeps the same rules, and finds the same ones broken, as the sources", async () => {
    await using worker = await startWorker("suites.ts");
    const { runtime, verdicts } = await (await fetch(worker.url)).json() as Findings;
    assertEquals(runtime, "Workers");
    assertEquals(verdicts, await verdictsOfSources());
  });

  it("pulls over the network and streams progress to its caller", async () => {
    await using upstream = await startUpstream({ models: ["llama3.2"], bytesPerSecond: 1e10 });
    await using worker = await startWorker("relay.ts", { OLLAMA_HOST: upstream.url });
    const snapshots = await readProgress(worker.url, "llama3.2");
    assert(snapshots.some(({ fraction }) => fraction > 0 && fraction < 1));
    const { phase, fraction } = snapshots.at(-1)!;
    assertEquals([phase, fraction, await upstream.nextOutcome()], ["success", 1, "finished"]);
  });

  it("tells its caller why a pull fails", async () => {
    await using upstream = await startUpstream({
      models: ["llama3.2"],
      bytesPerSecond: 1e10,
      faults: [{ kind: "disk-full", at: { completed: "50%" } }],
    });
    await using worker = await startWorker("relay.ts", { OLLAMA_HOST: upstream.url });
    const error = await assertRejects(() => readProgress(worker.url, "llama3.2"), PullError);
    assertEquals([error.code, error.reason], ["server", "disk-full"]);
  });

  it("stops its upstream when its client leaves", async () => {
    await using upstream = await startUpstream({ models: [{ name: "endless", layers: ENDLESS }] });
    await using worker = await startWorker("relay.ts", { OLLAMA_HOST: upstream.url });
    await readProgress(worker.url, "endless", ({ completed }) => completed > 0);
    assertEquals(await upstream.nextOutcome(), "cancelled");
  });

  it("also stops an upstream that has fallen silent", async () => {
    await using upstream = await startUpstream({
      models: [{ name: "endless", layers: ENDLESS }],
      faults: [{ kind: "stall", at: { line: 3 } }],
    });
    await using worker = await startWorker("relay.ts", { OLLAMA_HOST: upstream.url });
    await askAndReset(new URL("?model=endless", worker.url));
    assertNotEquals(await upstream.nextOutcome(), "finished");
  });

  it("survives network failures, and leaves nothing open", () =>
    countLeft(async (host) => {
      await using worker = await startWorker("leave.ts", { OLLAMA_HOST: host });
      assertEquals(await (await fetch(worker.url)).text(), "done");
    }));

  it("serves the mock to the npm client outside of it", async () => {
    await using worker = await startWorker("mock.ts");
    const ollama = new Ollama({ host: worker.url });
    const statuses: string[] = [];
    for await (const { status } of await ollama.pull({ model: "llama3.2", stream: true })) {
      statuses.push(status);
    }
    assertEquals([statuses[0], statuses.at(-1)], ["pulling manifest", "success"]);
    const { models } = await ollama.list();
    assertEquals(models.map(({ name }) => name), ["llama3.2:latest"]);
  });
});
