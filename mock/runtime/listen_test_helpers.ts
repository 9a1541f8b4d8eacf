/**
 * What must hold of a mock that listens, through real HTTP, in every runtime: run by `listen_test.ts`
 * where that runs, and in Node.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { connect } from "node:net";
import type { LoggedRequest } from "../exchange/request_log.ts";
import type { MockServer, MockServerOptions } from "../options.ts";
import { createMockServer } from "../server.ts";
import { listen } from "./listen.ts";

const LARGE = { name: "large", layers: [{ size: 1_000_000_000_000 }] };
const TINY = { name: "tiny", layers: [{ size: 1_000 }, { size: 100_000 }] };

/** A mock that listens, and a promise of the next request that ends. */
async function open(
  options: MockServerOptions = {},
): Promise<{ server: MockServer; url: string; ended: () => Promise<LoggedRequest> }> {
  const ends: LoggedRequest[] = [];
  let notify = () => {};
  const server = createMockServer({
    models: [LARGE, TINY],
    onRequest: (request) => {
      ends.push(request);
      notify();
    },
    ...options,
  });
  const { url } = await server.listen();
  const ended = async () => {
    if (ends.length === 0) await new Promise<void>((resolve) => notify = resolve);
    return ends.shift()!;
  };
  return { server, url, ended };
}

function pull(
  url: string,
  body: Record<string, unknown>,
  init: RequestInit = {},
): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return fetch(`${url}/api/pull`, { method: "POST", body: JSON.stringify(body), headers, ...init });
}

/** The SHA-256 of bytes, as a digest. */
async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The checks, by sentences that are true. */
export const listenChecks: Readonly<Record<string, () => Promise<void>>> = {
  async "answers at the address that it returns"() {
    const { server, url } = await open();
    await using _ = server;
    assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assertStrictEquals(await (await fetch(url)).text(), "Ollama is running");
    const head = await fetch(`${url}/api/tags`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    assertStrictEquals((await fetch(`${url}/nowhere`)).status, 404);
  },

  async "streams a pull to its end, in real time"() {
    const { server, url, ended } = await open({ dialect: "spec" });
    await using _ = server;
    const startedAt = Date.now();
    const response = await pull(url, { model: "tiny" });
    assertStrictEquals(response.headers.get("Content-Type"), "application/x-ndjson");
    const lines = (await response.text()).split("\n");
    assertStrictEquals(lines.length, 12);
    assertStrictEquals(lines.at(-2), '{"status":"success"}');
    const request = await ended();
    assertStrictEquals(request.outcome, "finished");
    assertStrictEquals(request.headers.get("content-type"), "application/json");
    assert(Math.abs(request.startedAt - startedAt) < 60_000);
  },

  async "notices that a client leaves while it reads, and leaves the download"() {
    const { server, url, ended } = await open();
    await using _ = server;
    const controller = new AbortController();
    const { body } = await pull(url, { model: "large" }, { signal: controller.signal });
    const reader = body!.getReader();
    await reader.read();
    assertStrictEquals(server.activeDownloads, 1);
    controller.abort();
    await assertRejects(async () => {
      while (!(await reader.read()).done);
    });
    assertStrictEquals((await ended()).outcome, "cancelled");
    assertStrictEquals(server.activeDownloads, 0);
  },

  async "notices that a client leaves while nothing is sent"() {
    const stall = { kind: "stall", at: { line: 3 }, ms: Infinity } as const;
    const { server, url, ended } = await open({ faults: [stall] });
    await using _ = server;
    const controller = new AbortController();
    const { body } = await pull(url, { model: "large" }, { signal: controller.signal });
    await body!.getReader().read();
    controller.abort();
    const { outcome } = await ended();
    assertStrictEquals(outcome, "cancelled");
    assertStrictEquals(server.activeDownloads, 0);
  },

  async "notices that a client leaves that waits for an answer at the end"() {
    const { server, url, ended } = await open();
    await using _ = server;
    const controller = new AbortController();
    const { signal } = controller;
    const answer = pull(url, { model: "large", stream: false }, { signal });
    while (server.activeDownloads === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await assertRejects(() => answer);
    assertStrictEquals((await ended()).outcome, "cancelled");
    assertStrictEquals(server.activeDownloads, 0);
  },

  async "breaks the connection where a fault says so, and not before"() {
    for (const line of [1, 2, 4]) {
      const reset = { kind: "reset", at: { line } } as const;
      const { server, url, ended } = await open({ faults: [reset] });
      await using _ = server;
      await assertRejects(async () => await (await pull(url, { model: "tiny" })).text());
      const { outcome, faults, bytesSent } = await ended();
      assertEquals([outcome, faults], ["faulted", ["reset"]]);
      assertStrictEquals(bytesSent > 0, line > 1);
    }
  },

  async "ends a stream that is cut as if it were complete"() {
    const cut = { kind: "cut", at: { byte: 10 } } as const;
    const { server, url, ended } = await open({ faults: [cut] });
    await using _ = server;
    assertStrictEquals(await (await pull(url, { model: "tiny" })).text(), '{"status":');
    assertStrictEquals((await ended()).outcome, "faulted");
  },

  async "refuses bodies that are too large, or missing"() {
    const { server, url } = await open({ maxBodyBytes: 1_000 });
    await using _ = server;
    const large = await pull(url, { model: "x".repeat(100_000) });
    assertEquals([large.status, await large.json()], [413, {
      error: "http: request body too large",
    }]);
    const missing = await fetch(`${url}/api/pull`, { method: "POST" });
    assertEquals([missing.status, await missing.json()], [400, { error: "missing request body" }]);
  },

  async "ends what is running when it is closed"() {
    const { server, url, ended } = await open();
    const { body } = await pull(url, { model: "large" });
    const reader = body!.getReader();
    await reader.read();
    await server[Symbol.asyncDispose]();
    assertStrictEquals(server.activeDownloads, 0);
    assertStrictEquals((await ended()).outcome, "cancelled");
    await assertRejects(async () => {
      while (!(await reader.read()).done);
    });
    await assertRejects(() => fetch(url));
  },

  async "lets go of a body that has nothing to say when its client leaves"() {
    let letGo = () => {};
    const cancelled = new Promise<void>((resolve) => letGo = resolve);
    const silent = () =>
      Promise.resolve(new Response(new ReadableStream({ cancel: () => letGo() })));
    const { url, close } = await listen(silent);
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    leaving.abort();
    await response.text().catch(() => {});
    await cancelled;
    await close();
  },

  async "says which port it cannot have"() {
    const { server, url } = await open();
    await using _ = server;
    const port = Number(new URL(url).port);
    await assertRejects(
      () => createMockServer().listen({ port }),
      Error,
      `Cannot listen on http://127.0.0.1:${port}: `,
    );
  },

  async "listens in IPv6"() {
    const listener = await createMockServer().listen({ hostname: "::1" });
    assertMatch(listener.url, /^http:\/\/\[::1\]:\d+$/);
    assertStrictEquals((await fetch(listener.url)).status, 200);
    await listener.close();
  },

  async "goes on when its handler leaves a body before its end"() {
    const listener = await listen(async ({ body }) => {
      await body!.cancel();
      return new Response("enough");
    });
    for (let round = 0; round < 3; round++) {
      const response = await fetch(listener.url, { method: "POST", body: "x".repeat(100_000) });
      assertStrictEquals(await response.text(), "enough");
    }
    await listener.close();
  },

  async "breaks the connection when its handler fails"() {
    const listener = await listen(() => Promise.reject(new Error("a bug")));
    await assertRejects(() => fetch(listener.url));
    await listener.close();
  },

  async "serves blobs whose digests are right, whole and in parts, at another host name"() {
    const { server, url } = await open({ models: [TINY], realBytes: true });
    await using _ = server;
    const manifest = await (await fetch(`${url}/v2/library/tiny/manifests/latest`)).json();
    assertEquals(manifest, await server.registry.manifest("tiny"));
    for (const { digest, size } of [...manifest.layers, manifest.config]) {
      const address = `${url}/v2/library/tiny/blobs/${digest}`;
      const head = await fetch(address, { method: "HEAD" });
      assertEquals([head.status, head.headers.get("Content-Length")], [200, String(size)]);
      const sent = await fetch(address, { redirect: "manual" });
      await sent.body?.cancel();
      const location = sent.headers.get("Location")!;
      assertStrictEquals(sent.status, 307);
      assertStringIncludes(location, "http://localhost:");

      // The name may mean an address at which the mock does not listen.
      const direct = location.replace("localhost", "127.0.0.1");
      const whole = await (await fetch(direct)).arrayBuffer();
      assertStrictEquals(await digestOf(whole), digest);
      const middle = Math.floor(size / 2);
      const ranges = [`bytes=0-${middle - 1}`, `bytes=${middle}-${size - 1}`];
      const parts = await Promise.all(ranges.map(async (Range) => {
        const response = await fetch(direct, { headers: { Range } });
        assertStrictEquals(response.status, 206);
        assertStrictEquals(
          response.headers.get("Content-Range"),
          `${Range.replace("=", " ")}/${size}`,
        );
        return await response.blob();
      }));
      assertStrictEquals(await digestOf(await new Blob(parts).arrayBuffer()), digest);
    }
  },

  async "breaks a range where a fault says so"() {
    const registry = { faults: [{ kind: "broken", layer: 1, times: 1 }] } as const;
    const { server, url, ended } = await open({ models: [TINY], realBytes: true, registry });
    await using _ = server;
    const { layers } = await server.registry.manifest("tiny");
    const address = `${url}/blobs/${layers[1]!.digest}`;
    await assertRejects(async () => await (await fetch(address)).arrayBuffer());
    const { outcome, bytesSent } = await ended();
    assertEquals([outcome, bytesSent], ["faulted", 50_000]);
    assertStrictEquals((await (await fetch(address)).arrayBuffer()).byteLength, 100_000);
  },

  async "serves others while clients read slowly, send nothing, or never end"() {
    const { server, url } = await open();
    await using _ = server;
    const { port } = new URL(url);
    const post = "POST /api/pull HTTP/1.1\r\nHost: a\r\n";
    const begun = [
      `${post}Content-Length: 17\r\n\r\n{"model":"large"}`, // and read no answer
      "POST /api/pu", // half a request
      `${post}Content-Length: 100\r\n\r\n{`, // half a body
      `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`, // a body without end
    ];
    const sockets = begun.flatMap((text) =>
      Array.from(
        { length: 50 },
        () => connect(Number(port), "127.0.0.1").pause().on("error", () => {}),
      )
        .map((socket) => {
          socket.write(text);
          return socket;
        })
    );
    for (let round = 0; round < 20; round++) {
      const answer = await pull(url, { model: "tiny", stream: false });
      assertEquals(await answer.json(), { status: "success" });
    }
    for (const socket of sockets) socket.destroy();
  },

  async "refuses a body without end while it is still being sent"() {
    const { server, url } = await open({ maxBodyBytes: 1_000 });
    await using _ = server;
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const chunk = `400\r\n${"x".repeat(0x400)}\r\n`;
    const send = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("error", () => {}).on("drain", send);
    socket.write("POST /api/pull HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    send();
    const answer = await new Promise<Uint8Array>((resolve) => socket.once("data", resolve));
    // A proxy must not use the connection again: the next request would come after the rest of this one.
    assertMatch(new TextDecoder().decode(answer), /^HTTP\/1\.1 413[^]*\r\nconnection: close\r\n/i);
    socket.destroy();
  },

  async "refuses a flood of headers"() {
    const { server, url } = await open();
    await using _ = server;
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    const headers = Array.from({ length: 10_000 }, (_, index) => `X-${index}: ${index}\r\n`).join(
      "",
    );
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
    let answer = "";
    socket.on("data", (bytes: Uint8Array) => answer += new TextDecoder().decode(bytes));
    await new Promise((resolve) => socket.once("close", resolve));
    assertMatch(answer, /^(HTTP\/1\.1 4\d\d|$)/);
    assertEquals(server.requests.length, 0);
  },
};
