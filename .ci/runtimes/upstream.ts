/**
 * The mock as a server on the network, which reports how its requests end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  createMockServer,
  type MockServer,
  type MockServerOptions,
  realClock,
  type RequestOutcome,
} from "../../mock/mod.ts";
import { listen } from "../../mock/runtime/listen.ts";
import { LEFT_MODELS, LEFT_PULLS } from "./program.ts";
import { answerSituation } from "./situations.ts";

/** How long an abandoned pull may take to end on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A mock that listens. */
export interface Upstream {
  readonly server: MockServer;
  /** Its address. `/arrived?pulls=2` answers once two pulls have arrived. */
  readonly url: string;
  /** How the next pull ends, in the order of the ends. Fails if that takes too long. */
  nextOutcome(): Promise<RequestOutcome | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a mock. */
export async function startUpstream(options: MockServerOptions): Promise<Upstream> {
  let outcomes!: ReadableStreamDefaultController<RequestOutcome>;
  const reader = new ReadableStream<RequestOutcome>({
    start: (controller) => void (outcomes = controller),
  }).getReader();
  const server = createMockServer({
    clock: realClock,
    ...options,
    onRequest: ({ method, path, outcome }) => {
      if (method === "POST" && path === "/api/pull") outcomes.enqueue(outcome);
    },
  });
  let pulls = 0;
  const seen = new Set<string>();
  const waiting: (() => void)[] = [];
  const listener = await listen(async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/arrived") {
      while (pulls < Number(searchParams.get("pulls"))) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return new Response("yes", { headers: { "Access-Control-Allow-Origin": "*" } });
    }
    if (pathname.startsWith("/situations/")) return answerSituation(request, seen);
    if (request.method === "POST" && pathname === "/api/pull") pulls++;
    for (const resolve of waiting.splice(0)) resolve();
    return await server.fetch(request);
  });
  const nextOutcome = async () => {
    const timer = setTimeout(() => outcomes.error(new Error("No pull has ended")), PATIENCE_MS);
    try {
      return (await reader.read()).value;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    server,
    url: listener.url,
    nextOutcome,
    [Symbol.asyncDispose]: listener.close,
  };
}

/** Runs `tryNetwork` of the program somewhere, and counts the pulls that it leaves open on the server. */
export async function countLeft(tryNetwork: (host: string) => Promise<unknown>): Promise<void> {
  const { endless, short, silent } = LEFT_MODELS;
  const size = 2 ** 50;
  await using upstream = await startUpstream({
    models: [
      { name: endless, layers: [{ size }] },
      { name: short, layers: [{ size: 1_000 }] },
      { name: silent, layers: [{ size }] },
    ],
    faults: [{ kind: "slow-first-byte", ms: 2 ** 30, model: silent }],
  });
  const outcomes: unknown[] = [];
  const collect = async () => {
    while (outcomes.length < LEFT_PULLS.all) outcomes.push(await upstream.nextOutcome());
  };
  // Wait for both at once: a pull that cannot be abandoned would otherwise block.
  await Promise.all([tryNetwork(upstream.url), collect()]);
  const finished = outcomes.filter((outcome) => outcome === "finished").length;
  assertEquals([finished, upstream.server.activeDownloads], [LEFT_PULLS.finished, 0]);
}
