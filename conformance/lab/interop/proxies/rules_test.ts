import { assertEquals } from "@std/assert";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { createMockServer } from "../../../../mock/server.ts";
import { isBroken } from "../../../report.ts";
import { runSuite } from "../../../run.ts";
import { behind } from "./proxied_mock.ts";
import { proxyRules } from "./rules.ts";

/** The rules that a mock breaks which is asked at some address, in place of its own. */
async function brokenBehind(
  startProxy: (url: string) => Promise<{ url: string; close: () => void }>,
): Promise<string[]> {
  await using mock = createMockServer();
  const proxy = await startProxy((await mock.listen()).url);
  const subject = { ...behind(proxy.url, mock, { name: "proxy" }), leftWithinMs: 500 };
  try {
    const { results } = await runSuite({ side: "server", rules: proxyRules }, subject, {
      seed: 1,
      runs: 1,
    });
    return results.filter(isBroken).map(({ id }) => id);
  } finally {
    proxy.close();
  }
}

/** What pages need at most, as some proxies take it. */
const MAX_BODY_BYTES = 1_000_000;

/** Hands on a request and its answer, and thinks of nothing else. */
function forward(upstream: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = "", url = "/", headers } = incoming;
  if (Number(headers["content-length"]) > MAX_BODY_BYTES) {
    outgoing.writeHead(413, { Connection: "close" }).end();
    return;
  }
  const asked = request(new URL(url, upstream), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502);
    answer.on("data", (bytes) => outgoing.write(bytes));
    answer.once("error", () => outgoing.end());
    answer.once("end", () => outgoing.end());
  });
  asked.once("error", () => outgoing.end());
  incoming.pipe(asked);
}

/** A proxy as one writes it first. */
function startNaiveProxy(upstream: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((incoming, outgoing) => forward(upstream, incoming, outgoing));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = Object(server.address());
      resolve({ url: `http://127.0.0.1:${port}`, close });
    });
  });
}

describe("the rules about proxies", () => {
  it("are kept without a proxy, except for the host name of the request", async () => {
    const direct = (url: string) => Promise.resolve({ url, close: () => undefined });
    assertEquals(await brokenBehind(direct), ["P-HOST-1"]);
  });

  it("are broken by a proxy that only hands on what it gets", async () => {
    assertEquals(await brokenBehind(startNaiveProxy), proxyRules.map(({ id }) => id));
  });
});
