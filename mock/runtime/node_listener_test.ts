/**
 * Shows what holds of a mock behind a server that somebody else made.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { LoggedRequest } from "../exchange/request_log.ts";
import type { MockServer, MockServerOptions } from "../options.ts";
import { createMockServer } from "../server.ts";

/** A server of somebody else's, with a mock. */
async function open(
  toListener: (mock: MockServer) => RequestListener,
  options: MockServerOptions = {},
) {
  let notify = (_: LoggedRequest) => {};
  const ended = new Promise<LoggedRequest>((resolve) => notify = resolve);
  const models = [
    { name: "tiny", layers: [{ size: 1_000 }] },
    { name: "large", layers: [{ size: 1e12 }] },
  ];
  const mock = createMockServer({ models, onRequest: (request) => notify(request), ...options });
  const server = createServer(toListener(mock));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { mock, url, ended, [Symbol.asyncDispose]: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function pull(url: string, model: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/api/pull`, { method: "POST", body: JSON.stringify({ model }), ...init });
}

/** Answers with what was asked for. */
async function echo(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of incoming) body += chunk;
  outgoing.end(`${incoming.method} ${incoming.url} ${body}`);
}

/** A mock that passes on what it does not serve. */
const besideRoutes = (mock: MockServer): RequestListener => {
  const listener = mock.nodeListener();
  return (incoming, outgoing) =>
    listener(incoming, outgoing, (error) => {
      if (error) outgoing.writeHead(500).end((error as Error).message);
      else void echo(incoming, outgoing);
    });
};

/** Reads the body of each request before a listener gets it. */
const afterReading =
  (toListener: (mock: MockServer) => RequestListener) => (mock: MockServer): RequestListener => {
    const listener = toListener(mock);
    return async (incoming, outgoing) => {
      for await (const _ of incoming);
      listener(incoming, outgoing);
    };
  };

describe("A mock behind a server of node:http", () => {
  it("answers as a mock that listens, in real time", async () => {
    await using server = await open((mock) => mock.nodeListener());
    const response = await pull(server.url, "tiny");
    assertStrictEquals(response.headers.get("Content-Type"), "application/x-ndjson");
    assertStrictEquals(
      (await response.text()).trimEnd().split("\n").at(-1),
      '{"status":"success"}',
    );
    assert(Math.abs((await server.ended).startedAt - Date.now()) < 60_000);
    assertStrictEquals((await fetch(`${server.url}/nowhere`)).status, 404);
  });

  it("passes on what the mock does not serve, with its body, and does not log it", async () => {
    await using server = await open(besideRoutes);
    const init = { method: "POST", body: "hello" };
    const asked = async (path: string) => await (await fetch(server.url + path, init)).text();
    assertStrictEquals(await asked("/api/chat?a=b"), "POST /api/chat?a=b hello");
    assertStrictEquals(await asked("/nowhere"), "POST /nowhere hello");
    assertStrictEquals((await fetch(`${server.url}/api/version`)).status, 200);
    assertStrictEquals((await fetch(`${server.url}/api/pull`)).status, 405);
    assertEquals(server.mock.requests.map(({ path }) => path), ["/api/version", "/api/pull"]);
  });

  it("passes nothing on where the mock has a fallback", async () => {
    const fallback = () => new Response("from the fallback");
    await using server = await open(besideRoutes, { fallback });
    assertStrictEquals(await (await fetch(`${server.url}/api/chat`)).text(), "from the fallback");
  });

  it("notices that a client leaves", async () => {
    await using server = await open((mock) => mock.nodeListener());
    const leaving = new AbortController();
    const { body } = await pull(server.url, "large", { signal: leaving.signal });
    await body!.getReader().read();
    leaving.abort();
    assertStrictEquals((await server.ended).outcome, "cancelled");
    assertStrictEquals(server.mock.activeDownloads, 0);
  });

  it("breaks the connection where a fault says so", async () => {
    const faults = [{ kind: "reset", at: { line: 2 } }] as const;
    await using server = await open((mock) => mock.nodeListener(), { faults });
    await assertRejects(async () => await (await pull(server.url, "tiny")).text());
    assertStrictEquals((await server.ended).outcome, "faulted");
  });

  it("says that a body was read before it", async () => {
    const message =
      "Cannot answer POST /api/pull: its body was read already; put the mock before " +
      "middleware that reads bodies, such as express.json()";
    await using alone = await open(afterReading((mock) => mock.nodeListener()));
    const answer = await pull(alone.url, "tiny");
    assertEquals([answer.status, await answer.json()], [500, { error: message }]);
    await using beside = await open(afterReading(besideRoutes));
    const passedOn = await pull(beside.url, "tiny");
    assertEquals([passedOn.status, await passedOn.text()], [500, message]);
  });
});
