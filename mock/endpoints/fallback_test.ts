/**
 * Shows that what the mock does not serve is handed on, and how it comes back.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import { ConfigurationError } from "../configuration_error.ts";
import { listen } from "../runtime/listen.ts";
import { createMockServer } from "../server.ts";
import { mockOfSmall, post, pullText, readLine } from "../test_helpers.ts";
import { type Fallback, forwardTo } from "./fallback.ts";

const utf8 = new TextEncoder();

/** An answer that sends a line, and then nothing until it is told to. */
function silentAnswer() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let notify = () => {};
  const left = new Promise<void>((resolve) => notify = resolve);
  const body = new ReadableStream<Uint8Array>({
    start(started) {
      controller = started;
      started.enqueue(utf8.encode("first\n"));
    },
    cancel: () => notify(),
  });
  return { response: new Response(body), controller, left };
}

/** A mock whose clients reach another server, both on the network. */
async function forwarding(answer: (request: Request) => Response | Promise<Response>) {
  const upstream = await listen(async (request) => await answer(request));
  const server = mockOfSmall({ fallback: forwardTo(`${upstream.url}/base`) });
  const { url } = await server.listen();
  const close = async () => {
    await server[Symbol.asyncDispose]();
    await upstream.close();
  };
  return { server, url, upstream: upstream.url, [Symbol.asyncDispose]: close };
}

describe("A fallback", () => {
  it("gets what the mock does not serve, as it came", async () => {
    const seen: string[] = [];
    const fallback: Fallback = async (request) => {
      const { method, url, headers } = request;
      seen.push(`${method} ${url} ${headers.get("X-Key")} ${await request.text()}`);
      return new Response("made", { status: 201, headers: { "X-Answer": "yes" } });
    };
    const server = mockOfSmall({ fallback });
    const headers = { "X-Key": "k" };
    const response = await post(server, "/api/chat?a=b", { model: "x" }, { headers });
    assertEquals([response.status, response.headers.get("X-Answer")], [201, "yes"]);
    assertEquals(await response.text(), "made");
    assertEquals((await server.fetch("http://localhost/nowhere")).status, 201);
    assertEquals(seen, [
      'POST http://localhost/api/chat?a=b k {"model":"x"}',
      "GET http://localhost/nowhere null ",
    ]);
  });

  it("is not asked about the paths of the mock, whatever the method and the slashes", async () => {
    const server = mockOfSmall({
      fallback: ({ url }) => {
        throw new Error(`asked about ${url}`);
      },
    });
    assertMatch(await pullText(server), /success/);
    const status = async (method: string, path: string) =>
      (await server.fetch(`http://localhost${path}`, { method })).status;
    assertEquals(await status("GET", "/v1/models/small"), 200);
    assertEquals(await status("GET", "/v2/library/small/manifests/latest"), 200);
    assertEquals(await status("HEAD", "/api/tags"), 200);
    assertEquals(await status("GET", "/api/pull"), 405);
    assertEquals(await status("HEAD", "/api/ps"), 405);
    assertEquals(await status("POST", "/api/pull/"), 307);
  });

  it("is logged like the mock itself, with the bytes that were sent", async () => {
    const server = mockOfSmall({ fallback: () => new Response("12345") });
    await (await post(server, "/api/chat", {})).text();
    await server.fetch("http://localhost/api/chat", { method: "HEAD" });
    assertEquals(
      server.requests.map(({ method, path, status, outcome, bytesSent }) => ({
        ...{ method, path, status, outcome, bytesSent },
      })),
      [
        { method: "POST", path: "/api/chat", status: 200, outcome: "finished", bytesSent: 5 },
        { method: "HEAD", path: "/api/chat", status: 200, outcome: "finished", bytesSent: 0 },
      ],
    );
  });

  it("streams: each chunk is there before the next one, and one that is left ends", async () => {
    const { response, controller, left } = silentAnswer();
    const server = mockOfSmall({ fallback: () => response });
    const reader = (await post(server, "/api/chat", {})).body!.getReader();
    assertStrictEquals(await readLine(reader), "first");
    controller.enqueue(utf8.encode("second\n"));
    assertStrictEquals(await readLine(reader), "second");
    assertStrictEquals(server.requests[0]!.outcome, "running");
    await reader.cancel();
    await left;
    assertStrictEquals(server.requests[0]!.outcome, "cancelled");
  });

  it("that breaks off breaks off for the client, too", async () => {
    const { response, controller } = silentAnswer();
    const server = mockOfSmall({ fallback: () => response });
    const reader = (await post(server, "/api/chat", {})).body!.getReader();
    await reader.read();
    controller.error(new Error("gone"));
    await assertRejects(() => reader.read(), Error, "gone");
    assertStrictEquals(server.requests[0]!.outcome, "faulted");
  });

  it("gets and gives no headers that are about one connection", async () => {
    const seen: string[][] = [];
    const fallback: Fallback = ({ headers }) => {
      seen.push([...headers.keys()]);
      return new Response("x", {
        headers: { "Connection": "x-once", "X-Once": "1", "Keep-Alive": "9", "X-Kept": "1" },
      });
    };
    const { headers } = await post(mockOfSmall({ fallback }), "/api/chat", {}, {
      headers: { "Connection": "X-Hop", "X-Hop": "1", "TE": "trailers", "X-Kept": "1" },
    });
    assert(!seen[0]!.some((name) => ["connection", "x-hop", "te"].includes(name)));
    assert(seen[0]!.includes("x-kept"));
    assertEquals(
      ["connection", "x-once", "keep-alive", "x-kept"].map((name) => headers.get(name)),
      [
        null,
        null,
        null,
        "1",
      ],
    );
  });

  it("that fails is a 502 that says why", async () => {
    const failures: Fallback[] = [
      () => Promise.reject(new Error("no such thing")),
      () => {
        throw new Error("no such thing");
      },
    ];
    for (const fallback of failures) {
      const response = await post(mockOfSmall({ fallback }), "/api/chat", {});
      assertEquals([response.status, await response.json()], [502, {
        error: "Cannot pass POST /api/chat to the fallback: no such thing",
      }]);
    }
  });

  it("takes a body that is larger than the mock takes itself", async () => {
    const fallback: Fallback = async (request) =>
      new Response(String((await request.arrayBuffer()).byteLength));
    const server = mockOfSmall({ fallback, maxBodyBytes: 1_000 });
    const body = "x".repeat(100_000);
    const init = { method: "POST", body };
    const response = await server.fetch("http://localhost/api/blobs/sha256:a", init);
    assertStrictEquals(await response.text(), "100000");
  });

  it("must be a function", () => {
    assertThrows(
      () => createMockServer({ fallback: "http://localhost" as unknown as Fallback }),
      ConfigurationError,
      'Cannot use the fallback "http://localhost": it must be a function that answers a Request, such as',
    );
  });
});

describe("Forwarding to a server", () => {
  it("keeps the method, the path below its own, the query, the body and the answer", async () => {
    const answer = async (request: Request) => {
      const { pathname, search } = new URL(request.url);
      const parts = [request.method, pathname + search, request.headers.get("Host")];
      return new Response([...parts, await request.text()].join(" "), { status: 418 });
    };
    await using mock = await forwarding(answer);
    const init = { method: "PUT", body: "hello" };
    const response = await fetch(`${mock.url}/api/chat?a=b`, init);
    assertStrictEquals(response.status, 418);
    const { host } = new URL(mock.upstream);
    assertStrictEquals(await response.text(), `PUT /base/api/chat?a=b ${host} hello`);
    const head = await fetch(`${mock.url}/nowhere`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [418, ""]);
  });

  it("returns redirects, and unpacks what is packed", async () => {
    const packed = new Response("hello ".repeat(1_000)).body!
      .pipeThrough(new CompressionStream("gzip"));
    const answer = ({ url }: Request) =>
      url.endsWith("/moved")
        ? new Response(null, { status: 307, headers: { Location: "/elsewhere" } })
        : new Response(packed, { headers: { "Content-Encoding": "gzip" } });
    await using mock = await forwarding(answer);
    const moved = await fetch(`${mock.url}/moved`, { redirect: "manual" });
    await moved.body?.cancel();
    assertEquals([moved.status, moved.headers.get("Location")], [307, "/elsewhere"]);
    assertStrictEquals(await (await fetch(`${mock.url}/packed`)).text(), "hello ".repeat(1_000));
  });

  it("keeps all cookies apart", async () => {
    const answer = () => {
      const headers = new Headers();
      for (const cookie of ["a=1; Path=/", "b=2"]) headers.append("Set-Cookie", cookie);
      return new Response("x", { headers });
    };
    await using mock = await forwarding(answer);
    const response = await fetch(`${mock.url}/api/chat`);
    assertEquals(response.headers.getSetCookie(), ["a=1; Path=/", "b=2"]);
    await response.text();
  });

  it("streams the answer, and leaves when the client does", async () => {
    const { response, left } = silentAnswer();
    await using mock = await forwarding(() => response);
    const leaving = new AbortController();
    const init = { method: "POST", body: "{}", signal: leaving.signal };
    const { body } = await fetch(`${mock.url}/api/chat`, init);
    assertStrictEquals(await readLine(body!.getReader()), "first");
    leaving.abort();
    await left;
  });

  it("streams the request: the server reads its start before its end was sent", async () => {
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => arrive = resolve);
    const answer = async ({ body }: Request) => {
      const reader = body!.getReader();
      await reader.read();
      arrive();
      while (!(await reader.read()).done);
      return new Response("all of it");
    };
    await using mock = await forwarding(answer);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(utf8.encode("start")),
      async pull(controller) {
        await arrived;
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" };
    const response = await fetch(`${mock.url}/api/blobs/sha256:a`, init as RequestInit);
    assertStrictEquals(await response.text(), "all of it");
  });

  it("names the server that it cannot reach", async () => {
    const upstream = await listen(() => Promise.reject(new Error("unused")));
    await upstream.close();
    const server = mockOfSmall({ fallback: forwardTo(upstream.url) });
    const response = await post(server, "/api/chat", {});
    assertStrictEquals(response.status, 502);
    const { error } = await response.json();
    assert(
      error.startsWith(
        `Cannot pass POST /api/chat to the fallback: Cannot reach ${upstream.url}: `,
      ),
      error,
    );
    assertEquals(server.requests[0]!.outcome, "finished");
  });

  it("notices when it forwards to itself", async () => {
    let port = 0;
    const server = createMockServer({
      fallback: (request) => toItself(request),
    });
    await using _ = server;
    const { url } = await server.listen();
    port = Number(new URL(url).port);
    const toItself = forwardTo(`:${port}`);
    const response = await fetch(`${url}/api/chat`, { method: "POST" });
    assertEquals([response.status, await response.json()], [508, {
      error: `Cannot forward to ${url}: that address is the mock itself`,
    }]);
  });

  it("needs an address that can be used, without a password", () => {
    assertThrows(
      () => forwardTo("ftp://x"),
      ConfigurationError,
      "the scheme must be http or https",
    );
    const { message } = assertThrows(
      () => forwardTo("http://me:secret@localhost"),
      ConfigurationError,
      "leave out user name and password",
    );
    assert(!message.includes("secret"));
  });
});
