import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { assertSpyCalls, spy, stub } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  hostileLines,
  ndjsonBytes,
  pullSessions,
} from "../../conformance/generators/mod.ts";
import { PullError } from "../errors.ts";
import { decodeProgress } from "../progress.ts";
import type { PullProgress } from "../snapshot.ts";
import type { PullModelOptions, PullOptions } from "./options.ts";
import { pull, pullModel } from "./pull.ts";
import {
  asPullError,
  isSettled,
  lines,
  outcomeOf,
  pullErrorOf,
  rejectionOf,
  settle,
  standingStill,
  streamOf,
  TestSource,
  unhandledRejections,
  utf8,
  VirtualClock,
  watchedSignal,
} from "../stream_test_helpers.ts";
import {
  type Answer,
  answer,
  DONE,
  layer,
  MANIFEST,
  pullFrom,
  silence,
  streaming,
  SUCCESS,
  TestServer,
  unreachable,
} from "./test_helpers.ts";

const ENDPOINT = "http://127.0.0.1:11434/api/pull";

describe("the request of pull", () => {
  it("is made when the stream is first read, and once", async () => {
    const server = new TestServer(answer(DONE));
    const stream = pull("llama3.2", server);
    await settle();
    assertEquals(server.requests.length, 0);
    await outcomeOf(stream);
    assertEquals(server.requests.length, 1);
  });

  it("is a POST of the model as JSON", async () => {
    const server = new TestServer(answer(DONE));
    await outcomeOf(pull("hf.co/a/b:Q4", server));
    const { method, url, headers } = server.request;
    assertEquals([method, url], ["POST", "http://127.0.0.1:11434/api/pull"]);
    assertEquals(headers.get("Content-Type"), "application/json");
    assertEquals(headers.get("Authorization"), null);
    assertEquals(await server.request.json(), {
      model: "hf.co/a/b:Q4",
      name: "hf.co/a/b:Q4",
      stream: true,
    });
  });

  it("has insecure only if the caller sets it, and the caller's stream", async () => {
    const bodies: [PullOptions & { stream?: boolean }, unknown][] = [
      [{ insecure: true }, { model: "m", name: "m", insecure: true, stream: true }],
      [{ insecure: false }, { model: "m", name: "m", insecure: false, stream: true }],
      [{ stream: false }, { model: "m", name: "m", stream: false }],
      [{ stream: true }, { model: "m", name: "m", stream: true }],
    ];
    for (const [options, body] of bodies) {
      const server = new TestServer(answer(DONE));
      await pullModel("m", { ...options, ...server });
      assertEquals(await server.request.json(), body);
    }
  });

  it("goes to the host, with the path of the host in front", async () => {
    const hosts: [string | URL, string][] = [
      ["http://localhost:11434", "http://localhost:11434/api/pull"],
      ["http://localhost", "http://localhost/api/pull"],
      ["HTTP://LOCALHOST:80/", "http://localhost/api/pull"],
      ["http://localhost:11434/", "http://localhost:11434/api/pull"],
      ["https://example.com/ollama", "https://example.com/ollama/api/pull"],
      ["https://example.com/ollama/", "https://example.com/ollama/api/pull"],
      ["https://example.com/ollama?a=b#c", "https://example.com/ollama/api/pull"],
      ["http://[::1]:11434", "http://[::1]:11434/api/pull"],
      [new URL("https://example.com/a/b"), "https://example.com/a/b/api/pull"],
    ];
    for (const [host, url] of hosts) {
      const server = new TestServer(answer(DONE));
      const before = String(host);
      await outcomeOf(pull("m", { ...server, host }));
      assertEquals(server.request.url, url);
      assertEquals(String(host), before);
    }
  });

  it("has the user name and password of the host as basic authentication", async () => {
    const hosts: [string, string][] = [
      ["http://user:secret@localhost", "user:secret"],
      ["http://us%40er:s%3Aecret@localhost", "us@er:s:ecret"],
      ["http://jörg:größe@localhost", "jörg:größe"],
      ["http://user:100%@localhost", "user:100%"],
      ["http://user@localhost", "user:"],
      ["http://:secret@localhost", ":secret"],
    ];
    for (const [host, credentials] of hosts) {
      const server = new TestServer(answer(DONE));
      await outcomeOf(pull("m", { ...server, host }));
      const expected = `Basic ${btoa(String.fromCharCode(...utf8(credentials)))}`;
      assertEquals(server.request.headers.get("Authorization"), expected, credentials);
      assertEquals(server.request.url, "http://localhost/api/pull");
    }
  });

  it("has the caller's headers besides those of the protocol", async () => {
    const server = new TestServer(answer(DONE));
    const headers = { authorization: "Bearer t", "X-Trace": "1", "content-type": "text/html" };
    await outcomeOf(pull("m", { ...server, headers, host: "http://user:secret@localhost" }));
    const sent = server.request.headers;
    assertEquals(sent.get("Authorization"), "Bearer t");
    assertEquals(sent.get("X-Trace"), "1");
    assertEquals(sent.get("Content-Type"), "application/json");
  });

  it("is made by the runtime's fetch by default", async () => {
    using fetch = stub(globalThis, "fetch", () => Promise.resolve(new Response(DONE)));
    await pullModel("m");
    assertSpyCalls(fetch, 1);
  });

  it("is rejected for a model without a name, and for a host that is not an http address", () => {
    for (const model of ["", undefined, 5] as string[]) {
      assertThrows(() => pull(model), TypeError, "Cannot ");
    }
    for (
      const host of ["ftp://user:secret@localhost", "user:secret@localhost:http", "http://a b"]
    ) {
      const error = assertThrows(() => pull("m", { host }), TypeError, "Cannot use the host");
      assert(!error.message.includes("secret"));
    }
  });

  it("is rejected for headers that no request can have", () => {
    for (
      const headers of [{ Authorization: "secret\n1" }, { "a secret": "c" }, { a: "secret\u20ac" }]
    ) {
      const name = Object.keys(headers)[0]!.charAt(0);
      const { message } = assertThrows(() => pull("m", { headers }), TypeError);
      assertStringIncludes(message, `Cannot send the header "${name}`);
      assert(!message.includes("secret"), message);
    }
  });

  it("always asks for a stream, whatever else is in the options", async () => {
    const server = new TestServer(answer(DONE));
    const options: PullModelOptions = { fetch: server.fetch, stream: false };
    await outcomeOf(pull("m", options));
    assertEquals(await server.request.json(), { model: "m", name: "m", stream: true });
  });

  it("calls fetch in the usual way, so that wrappers can add headers", async () => {
    const calls: [input: string | URL, init: RequestInit | undefined][] = [];
    const wrapper = (input: string | URL, init?: RequestInit) => {
      calls.push([input, { ...init, headers: { ...init?.headers, "x-key": "1" } }]);
      return Promise.resolve(new Response(DONE));
    };
    await pullModel("m", { fetch: wrapper });
    const [[input, init]] = calls as [typeof calls[0]];
    const { headers, method } = new Request(input, init);
    assertEquals([input, method], ["http://127.0.0.1:11434/api/pull", "POST"]);
    assertEquals([headers.get("content-type"), headers.get("x-key")], ["application/json", "1"]);
  });

  it("is rejected by pullModel with a promise", async () => {
    assertInstanceOf(await rejectionOf(pullModel("")), TypeError);
  });
});

describe("the progress of pull", () => {
  const anyBytes = fc.oneof(
    pullSessions({ endings: ["success", "error", "cut"] })
      .chain(({ statuses }) => ndjsonBytes(statuses)),
    fc.array(hostileLines()).map((all) => utf8(all.join("\n"))),
  ).chain(chunkings);

  it("is what decodeProgress gives for the answer, up to success", async () => {
    await fc.assert(fc.asyncProperty(anyBytes, async (chunks) => {
      const response = new Response(streamOf(chunks));
      const decoded = await outcomeOf(decodeProgress(response, { now: standingStill }));
      const pulled = await outcomeOf(pullFrom([answer(streamOf(chunks))]));
      assertEquals(pulled.values, decoded.values);
      const succeeded = decoded.values.at(-1)?.phase === "success";
      const [a, b] = [pulled, decoded].map(({ failure }) =>
        failure && asPullError(failure.error).message.replace(` of ${ENDPOINT}`, "")
      );
      assertEquals(a, succeeded ? undefined : b);
    }));
  });

  it("ends at success although the body stays open, and releases the connection", async () => {
    const source = new TestSource(utf8(DONE));
    const server = new TestServer(streaming(source));
    const { values, failure } = await outcomeOf(pull("m", server));
    assertEquals(values.map(({ phase }) => phase), ["manifest", "success"]);
    assertEquals(failure, undefined);
    await settle();
    assertEquals(source.cancels.length, 1);
    assert(server.request.signal.aborted);
  });

  it("ignores everything after success, in its chunk or later", async () => {
    const follow = [lines({ error: "late" }), "<html>\n", "[]\n", "x".repeat(2_000_000), '{"cut'];
    for (const rest of follow) {
      for (const chunks of [[DONE + rest], [DONE, rest]]) {
        const { values, failure } = await outcomeOf(pullFrom([answer(streamOf(chunks.map(utf8)))]));
        assertEquals(values.at(-1)?.phase, "success");
        assertEquals(failure, undefined);
      }
    }
  });

  it("succeeds even if the last line has no newline", async () => {
    const { values, failure } = await outcomeOf(pullFrom([answer(DONE.trimEnd())]));
    assertEquals([values.at(-1)?.phase, failure], ["success", undefined]);
  });

  it("reads at most one chunk ahead", async () => {
    const source = new TestSource(...[10, 20, 30].map((bytes) => utf8(lines(layer(bytes)))));
    const reader = pullFrom([streaming(source)]).getReader();
    for (const reads of [1, 2, 3]) {
      await reader.read();
      await settle();
      assert(source.reads <= reads + 1, `${source.reads} for ${reads}`);
    }
    await reader.cancel();
  });

  it("knows the total of given layers from the first update", async () => {
    const layers = [{ digest: "sha256:aaaa", size: 100 }, { digest: "sha256:bbbb", size: 900 }];
    const { values } = await outcomeOf(pullFrom([answer(DONE)], { layers }));
    assertEquals(values[0]?.total, 1000);
  });
});

describe("a pull that fails", () => {
  it("says what the server answered, if the status is an error", async () => {
    const error = '{"error":"invalid model name"}';
    const answers: [number, string, BodyInit | null, RegExp][] = [
      [400, "Bad Request", error, /^HTTP 400 Bad Request: invalid model name$/],
      [400, "", error, /^HTTP 400: invalid model name$/],
      [500, "", '{"error":""}', /^HTTP 500/],
      [
        502,
        "Bad Gateway",
        "<html>\n502</html>",
        /^HTTP 502 Bad Gateway, .*"<html>\\n502<\/html>"$/,
      ],
      [503, "", "", /^HTTP 503$/],
      [404, "", null, /^HTTP 404$/],
      [401, "", " \n ", /^HTTP 401$/],
      [502, "", "<html><TITLE>\n Bad  day</TITLE>", /^HTTP 502, not from Ollama: "Bad day"$/],
      [404, "", '{"detail":[{"loc":[0],"msg":"a"},{"msg":"b"}]}', /^HTTP 404: a; b$/],
      [400, "", "null", /^HTTP 400, not from Ollama: "null"$/],
      [400, "", '{"error":5}', /^HTTP 400, not from Ollama: /],
      [504, "", "x".repeat(1_000_000), /^HTTP 504, .{1,200}$/],
    ];
    for (const [status, statusText, body, message] of answers) {
      const error = await pullErrorOf(pullFrom([answer(body, { status, statusText })]));
      assertEquals([error.code, error.status], ["http", status]);
      assertMatch(error.message, message);
    }
  });

  it("reads no more of such an answer than it shows, and releases it", async () => {
    const source = new TestSource(...Array(100).fill(new Uint8Array(8192).fill(0x78)));
    const fails = answer(source.stream, { status: 502 });
    assertEquals((await pullErrorOf(pullFrom([fails]))).code, "http");
    assert(source.reads < 10, `${source.reads} reads`);
    assertEquals(source.cancels.length, 1);
  });

  it("says what the server answered even if the connection breaks within it", async () => {
    const source = new TestSource(utf8("<html>"));
    const outcome = outcomeOf(pullFrom([answer(source.stream, { status: 502 })]));
    await settle();
    source.fail(new TypeError("reset"));
    const error = asPullError((await outcome).failure?.error);
    assertEquals([error.code, error.status], ["http", 502]);
  });

  it("says what the server answered even if the answer stalls, and does not retry a 4xx for it", async () => {
    for (const [status, requests] of [[404, 1], [503, 2]] as const) {
      const clock = new VirtualClock();
      const source = new TestSource(utf8('{"error":"mod'));
      const server = new TestServer(
        answer(source.stream, { status }),
        answer("", { status }),
      );
      const options = { ...server, ...clock, stallTimeoutMs: 1000, retries: 1 };
      const outcome = outcomeOf(pull("m", options));
      await clock.advance(10_000);
      const error = asPullError((await outcome).failure?.error);
      assertEquals([error.code, error.status], ["http", status]);
      assertEquals([server.requests.length, source.cancels.length], [requests, 1]);
      assertEquals(clock.sleepers, 0);
    }
  });

  it("fails with the reason of its signal if that aborts while such an answer is read", async () => {
    const controller = new AbortController();
    const source = new TestSource(utf8("<html>"));
    const fails = answer(source.stream, { status: 502 });
    const options = { signal: controller.signal, retries: 3 };
    const outcome = outcomeOf(pullFrom([fails, answer(DONE)], options));
    await settle();
    controller.abort("enough");
    assertStrictEquals((await outcome).failure?.error, "enough");
    assertEquals(source.cancels, ["enough"]);
  });

  it("says that the server cannot be reached, and why, but no password", async () => {
    const cause = new TypeError("fetch failed", { cause: new Error("connection refused") });
    const host = "http://user:secret@localhost:1";
    for (
      const fetch of [() => Promise.reject(cause), () => {
        throw cause;
      }]
    ) {
      const error = await pullErrorOf(pull("m", { fetch, host }));
      assertEquals(error.code, "network");
      assertEquals(error.message, "Cannot reach http://localhost:1: connection refused");
      assertStrictEquals(error.cause, cause);
    }
    const failing = await pullErrorOf(
      pull("m", { fetch: () => new Response("", { status: 401 }), host }),
    );
    assert(!failing.message.includes("secret"));
  });

  it("says why a connection failed, even if the causes form a cycle", async () => {
    const looped: Error = new Error("refused");
    looped.cause = looped;
    const pair = new Error("outer", { cause: new Error("inner") });
    Object.assign(pair.cause as Error, { cause: pair });
    const causes: [cause: unknown, words: string][] = [
      [looped, "refused"],
      [pair, "inner"],
      ["text", "text"],
      [undefined, "undefined"],
      [Object.assign(new Error(""), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
    ];
    for (const [cause, words] of causes) {
      const error = await pullErrorOf(pull("m", { fetch: () => Promise.reject(cause) }));
      assertEquals(error.message, `Cannot reach http://127.0.0.1:11434: ${words}`);
    }
  });

  it("says that the connection broke, after the progress before it", async () => {
    const source = new TestSource(utf8(lines(MANIFEST, layer(10)) + '{"sta'));
    const outcome = outcomeOf(pullFrom([streaming(source)]));
    await settle();
    const cause = new TypeError("reset by peer");
    source.fail(cause);
    const { values, failure } = await outcome;
    const error = asPullError(failure?.error);
    assertEquals(values.map(({ completed }) => completed), [0, 10]);
    assertEquals([error.code, error.message], ["network", "The connection broke: reset by peer"]);
    assertStrictEquals(error.cause, cause);
  });

  it("says what is wrong with the stream, after the progress before it", async () => {
    const endings: [string, string, RegExp][] = [
      [
        "",
        "truncated",
        /^The stream ended without success, after "pulling manifest"$/,
      ],
      ['{"status":"succ', "truncated", /^The stream ended in the middle of line 2/],
      [lines({ error: "disk full" }), "server", /^disk full$/],
      ["<html>\n", "malformed", /^Line 2 is not JSON/],
      ["[]\n", "malformed", /^Line 2 is not a status object/],
    ];
    for (const [ending, code, message] of endings) {
      const { values, failure } = await outcomeOf(
        pullFrom([answer(lines(MANIFEST) + ending)]),
      );
      const error = asPullError(failure?.error);
      assertEquals(values.length, 1);
      assertEquals(error.code, code);
      assertMatch(error.message, message);
      assertEquals(error.attempts, undefined);
    }
    assertEquals((await pullErrorOf(pullFrom([answer(null)]))).code, "truncated");
  });

  it("skips malformed lines, if told to", async () => {
    const body = `<p>\n${DONE}`;
    const { failure } = await outcomeOf(pullFrom([answer(body)], { onMalformed: "skip" }));
    assertEquals(failure, undefined);
  });

  it("releases its connection", async () => {
    for (const chunk of ["<html><title>a</title>\n", lines({ error: "disk full" })]) {
      const source = new TestSource(utf8(chunk));
      const server = new TestServer(streaming(source));
      await outcomeOf(pull("m", server));
      await settle();
      assertEquals(source.cancels.length, 1);
      assert(server.request.signal.aborted);
    }
  });

  it("goes on failing with the same error", async () => {
    const reader = pullFrom([unreachable]).getReader();
    const error = await rejectionOf(reader.read());
    assertStrictEquals(await rejectionOf(reader.read()), error);
    assertStrictEquals(await rejectionOf(reader.closed), error);
  });
});

describe("a pull that is cancelled", () => {
  it("makes no request if it is cancelled before it is read", async () => {
    const server = new TestServer(answer(DONE));
    const stream = pull("m", server);
    await stream.cancel("enough");
    await settle();
    assertEquals(server.requests.length, 0);
  });

  it("aborts an unanswered request, with the reason", async () => {
    const server = new TestServer(silence);
    const reader = pull("m", server).getReader();
    const read = reader.read();
    await settle();
    await reader.cancel("enough");
    assertEquals(await read, { done: true, value: undefined });
    assertEquals([server.request.signal.aborted, server.request.signal.reason], [true, "enough"]);
  });

  it("releases a body that comes too late", async () => {
    let respond = (_: Response) => {};
    const server = new TestServer(() => new Promise((resolve) => respond = resolve));
    const reader = pull("m", server).getReader();
    void reader.read();
    await settle();
    await reader.cancel("enough");
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    respond(new Response(source.stream));
    await settle();
    assertEquals(source.cancels, ["enough"]);
  });

  it("releases the body between updates and in the middle of a line", async () => {
    for (const waits of [true, false]) {
      const source = new TestSource(utf8(lines(MANIFEST) + '{"status":'));
      const server = new TestServer(streaming(source));
      const reader = pull("m", server).getReader();
      await reader.read();
      const read = waits ? reader.read() : undefined;
      await settle();
      await reader.cancel("enough");
      await settle();
      assertEquals(source.cancels, ["enough"]);
      assertEquals(server.request.signal.reason, "enough");
      if (read) assertEquals(await read, { done: true, value: undefined });
    }
  });

  it("releases the connection whenever it is cancelled, even if fetch ignores the signal", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const source = new TestSource<Uint8Array<ArrayBuffer>>();
      const server = new TestServer(streaming(source));
      const reader = pull("m", server).getReader();
      void reader.read();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await reader.cancel("enough");
      await settle();
      if (server.requests.length === 0) continue;
      assertEquals(source.cancels.length, 1, `after ${turns} turns`);
    }
  });

  it("can be cancelled twice, and after its end", async () => {
    const source = new TestSource(utf8(lines(MANIFEST)));
    const early = pullFrom([streaming(source)]).getReader();
    await early.read();
    await early.cancel("once");
    await early.cancel("twice");
    assertEquals(await early.read(), { done: true, value: undefined });
    await settle();
    assertEquals(source.cancels, ["once"]);

    const late = pullFrom([answer(DONE)]).getReader();
    while (!(await late.read()).done);
    await late.cancel("late");
  });

  it("is not retried", async () => {
    const server = new TestServer(unreachable, answer(DONE));
    const clock = new VirtualClock();
    const reader = pull("m", { ...server, ...clock, retries: 5 }).getReader();
    const read = reader.read();
    await settle();
    assertEquals(clock.sleepers, 1);
    await reader.cancel("enough");
    assertEquals(await read, { done: true, value: undefined });
    await clock.advance(100_000);
    assertEquals([server.requests.length, clock.sleepers], [1, 0]);
  });
});

describe("the signal of pull", () => {
  const reason = new DOMException("The operation timed out", "TimeoutError");

  it("fails the pull with its own reason, if it has aborted before, without a request", async () => {
    const server = new TestServer(answer(DONE));
    const stream = pull("m", { ...server, signal: AbortSignal.abort(reason) });
    assertStrictEquals((await outcomeOf(stream)).failure?.error, reason);
    assertEquals(server.requests.length, 0);
    assertStrictEquals(
      await rejectionOf(pullModel("m", { ...server, signal: AbortSignal.abort(reason) })),
      reason,
    );
  });

  it("fails the pull with its own reason while it waits for headers", async () => {
    const heeding: Answer = ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("some other")))
      );
    for (const respond of [silence, heeding]) {
      const server = new TestServer(respond);
      const controller = new AbortController();
      const outcome = outcomeOf(pull("m", { ...server, signal: controller.signal }));
      await settle();
      controller.abort(reason);
      assertStrictEquals((await outcome).failure?.error, reason);
      assertStrictEquals(server.request.signal.reason, reason);
    }
  });

  it("fails the pull with its own reason in the middle of the stream, read or not", async () => {
    for (const waits of [true, false]) {
      const source = new TestSource(utf8(lines(MANIFEST)));
      const controller = new AbortController();
      const reader = pullFrom([streaming(source)], { signal: controller.signal }).getReader();
      await reader.read();
      const early = waits ? rejectionOf(reader.read()) : undefined;
      await settle();
      controller.abort(reason);
      assertStrictEquals(await (early ?? rejectionOf(reader.read())), reason);
      await settle();
      assertEquals(source.cancels, [reason]);
    }
  });

  it("fails the pull whenever it aborts, even if fetch ignores the signal", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const source = new TestSource<Uint8Array<ArrayBuffer>>();
      const controller = new AbortController();
      const outcome = outcomeOf(pullFrom([streaming(source)], { signal: controller.signal }));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort(reason);
      assert(await isSettled(outcome), `hangs when aborted after ${turns} turns`);
      assertStrictEquals((await outcome).failure?.error, reason);
    }
  });

  it("fails the pull with its own reason while it waits for a retry", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const options = { ...clock, signal: controller.signal, retries: 3 };
    const outcome = outcomeOf(pullFrom([unreachable], options));
    await settle();
    assertEquals(clock.sleepers, 1);
    controller.abort(reason);
    assertStrictEquals((await outcome).failure?.error, reason);
    assertEquals(clock.sleepers, 0);
  });

  it("ends the wait for a retry at once, even on the runtime's clock", async () => {
    const controller = new AbortController();
    const { fetch } = new TestServer(unreachable);
    const onRetry = () => controller.abort(reason);
    const options = { fetch, signal: controller.signal, retries: 1, onRetry, random: () => 0 };
    const outcome = outcomeOf(pull("m", options));
    assert(await isSettled(outcome), "it waits for a second, although it was aborted");
    assertStrictEquals((await outcome).failure?.error, reason);
  });

  it("fails the pull with its own reason, even if that looks like a transient failure", async () => {
    const lookalike = new PullError("network", "unplugged");
    const controller = new AbortController();
    const onRetry = spy();
    const server = new TestServer(unreachable, silence, answer(DONE));
    const options = { ...server, sleep: () => Promise.resolve(), retries: 9, onRetry };
    const outcome = outcomeOf(pull("m", { ...options, signal: controller.signal }));
    await settle();
    controller.abort(lookalike);
    assertStrictEquals((await outcome).failure?.error, lookalike);
    assertSpyCalls(onRetry, 1);
    assertEquals(server.requests.length, 2);
  });

  it("changes nothing once the pull has succeeded", async () => {
    const controller = new AbortController();
    const reader = pullFrom([answer(DONE)], { signal: controller.signal }).getReader();
    assertEquals((await reader.read()).value?.phase, "manifest");
    assertEquals((await reader.read()).value?.phase, "success");
    controller.abort(reason);
    assertEquals((await reader.read()).done, true);
  });

  it("delivers first what came before it", async () => {
    const controller = new AbortController();
    const source = new TestSource(utf8(lines(MANIFEST, layer(10))));
    const reader = pullFrom([streaming(source)], { signal: controller.signal }).getReader();
    await reader.read();
    controller.abort(reason);
    assertEquals((await reader.read()).value?.completed, 10);
    assertStrictEquals(await rejectionOf(reader.read()), reason);
  });

  it("has no listener left after the pull, however it ended", async () => {
    const endings: Record<string, Answer> = {
      "success": answer(DONE),
      "success without a newline": answer(DONE.trimEnd()),
      "success after which the body stays open": streaming(new TestSource(utf8(DONE))),
      "an answer that is no success": answer("", { status: 400 }),
      "no server": unreachable,
      "an error object": answer(lines({ error: "disk full" })),
      "a malformed line": answer("<html>\n"),
      "an end without success": answer(lines(MANIFEST)),
    };
    for (const [ending, respond] of Object.entries(endings)) {
      const { signal, listeners } = watchedSignal();
      await outcomeOf(pullFrom([respond], { signal }));
      await settle();
      assertEquals(listeners.size, 0, ending);
    }
  });

  it("has no listener left after a cancel or an abort", async () => {
    const cancelled = watchedSignal();
    const reader = pullFrom([silence], cancelled).getReader();
    void reader.read();
    await settle();
    await reader.cancel();
    assertEquals(cancelled.listeners.size, 0);

    const aborted = watchedSignal();
    const outcome = outcomeOf(pullFrom([silence], aborted));
    await settle();
    aborted.controller.abort(reason);
    await outcome;
    assertEquals(aborted.listeners.size, 0);
  });
});

describe("pullModel", () => {
  it("resolves at success, after reporting the same progress as pull", async () => {
    const told: PullProgress[] = [];
    const body = lines(MANIFEST, layer(10), layer(100), SUCCESS);
    const { fetch } = new TestServer(answer(body));
    const onProgress = (progress: PullProgress) => void told.push(progress);
    const result: unknown = await pullModel("m", { fetch, now: standingStill, onProgress });
    assertEquals(result, undefined);
    assertEquals(told, (await outcomeOf(pullFrom([answer(body)]))).values);
  });

  it("needs no onProgress", async () => {
    await pullModel("m", new TestServer(answer(DONE)));
  });

  it("accepts the single object of an answer that is not streamed", async () => {
    const phases: string[] = [];
    const onProgress = ({ phase }: PullProgress) => void phases.push(phase);
    for (const body of ['{"status":"success"}', '{"status":"success"}\n']) {
      await pullModel("m", { ...new TestServer(answer(body)), stream: false, onProgress });
    }
    assertEquals(phases, ["success", "success"]);
    const failing = new TestServer(answer('{"error":"file does not exist"}', { status: 500 }));
    const error = asPullError(await rejectionOf(pullModel("m", { ...failing, stream: false })));
    assertEquals([error.code, error.message], ["http", "HTTP 500: file does not exist"]);
  });

  it("rejects as the pull fails", async () => {
    const server = new TestServer(answer(lines({ error: "disk full" })));
    assertEquals(asPullError(await rejectionOf(pullModel("m", server))).message, "disk full");
  });

  it("rejects with what onProgress throws, and cancels the pull", async () => {
    const thrown = new Error("enough");
    const source = new TestSource(utf8(lines(MANIFEST, layer(1), SUCCESS)));
    const server = new TestServer(streaming(new TestSource(utf8(lines(MANIFEST)))));
    const onProgress = spy(() => {
      throw thrown;
    });
    assertStrictEquals(await rejectionOf(pullModel("m", { ...server, onProgress })), thrown);
    assertSpyCalls(onProgress, 1);
    assertStrictEquals(server.request.signal.reason, thrown);

    const whole = new TestServer(streaming(source));
    assertStrictEquals(await rejectionOf(pullModel("m", { ...whole, onProgress })), thrown);
    await settle();
    assertEquals(source.cancels.length, 1);
  });
});

describe("a pull", () => {
  it("leaves no rejection unhandled, however it ends", async () => {
    const aborted = new AbortController();
    const works: Record<string, () => Promise<unknown>> = {
      "success": () => outcomeOf(pullFrom([answer(DONE)])),
      "no server": () => outcomeOf(pullFrom([unreachable, unreachable], { retries: 1 })),
      "a stall": async () => {
        const clock = new VirtualClock();
        const outcome = outcomeOf(pullFrom([silence], { ...clock, stallTimeoutMs: 10 }));
        await clock.advance(10);
        await outcome;
      },
      "an abort": async () => {
        const outcome = outcomeOf(pullFrom([silence], { signal: aborted.signal }));
        await settle();
        aborted.abort();
        await outcome;
      },
      "an abort that nobody reads of": async () => {
        const controller = new AbortController();
        const source = new TestSource(utf8(lines(MANIFEST)));
        const reader = pullFrom([streaming(source)], { signal: controller.signal }).getReader();
        await reader.read();
        controller.abort();
      },
      "an abort before it is read": () => {
        const controller = new AbortController();
        pullFrom([silence], { signal: controller.signal });
        controller.abort();
        return settle();
      },
      "a body that fails after success": async () => {
        const source = new TestSource(utf8(DONE));
        const outcome = outcomeOf(pullFrom([streaming(source)]));
        await outcome;
      },
      "a body that cannot be cancelled": () => {
        const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
          pull: (controller) => controller.enqueue(utf8("<html>\n")),
          cancel: () => Promise.reject(new Error("cannot")),
        });
        return outcomeOf(pullFrom([answer(body)]));
      },
      "a fetch that fails after the cancel": async () => {
        let fail = (_: Error) => {};
        const late = () => new Promise<never>((_, reject) => fail = reject);
        const reader = pullFrom([late]).getReader();
        void reader.read();
        await settle();
        await reader.cancel();
        fail(new Error("late"));
      },
    };
    for (const [ending, work] of Object.entries(works)) {
      assertEquals(await unhandledRejections(work), [], ending);
    }
  });
});
