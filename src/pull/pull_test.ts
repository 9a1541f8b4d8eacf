import {
  assert,
  assertAlmostEquals,
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
import { pull, pullModel } from "./pull.ts";
import type { PullModelOptions, PullOptions, PullRequestInit } from "./options.ts";
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
} from "../stream_test_helpers.ts";

type Answer = (request: Request) => Response | Promise<Response>;

/** A server that gives one answer after another, and records what it was asked. */
class TestServer {
  readonly requests: Request[] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  readonly fetch = (url: string, init: PullRequestInit): Response | Promise<Response> => {
    const request = new Request(url, init);
    this.requests.push(request);
    const answer = this.#answers.shift();
    if (!answer) throw new Error("There is no further answer");
    return answer(request);
  };

  /** The only request that was made. */
  get request(): Request {
    assertEquals(this.requests.length, 1);
    return this.requests[0]!;
  }
}

const answer = (body: BodyInit | null, init?: ResponseInit): Answer => () =>
  new Response(body, init);

const streaming = (source: TestSource<Uint8Array<ArrayBuffer>>): Answer => answer(source.stream);

const unreachable = (): Promise<never> => Promise.reject(new TypeError("refused"));

/** An answer that does not come, whatever the signal says. */
const silence = (): Promise<never> => new Promise(() => {});

const MANIFEST = { status: "pulling manifest" };
const SUCCESS = { status: "success" };
const DONE = lines(MANIFEST, SUCCESS);

/** A status about a layer of 100 bytes. */
const layer = (completed: number) => ({
  status: "pulling aaaa",
  digest: "sha256:aaaa",
  total: 100,
  completed,
});

/** Pulls from answers with a clock that is not waited for. */
function pullFrom(answers: Answer[], options: PullOptions = {}): ReadableStream<PullProgress> {
  const { fetch } = new TestServer(...answers);
  return pull("m", { fetch, now: standingStill, sleep: () => Promise.resolve(), ...options });
}

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

  it("names insecure only if the caller does, and stream as the caller wants it", async () => {
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

  it("goes to the host, below its path", async () => {
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

  it("has the headers that it is given, besides those of the protocol", async () => {
    const server = new TestServer(answer(DONE));
    const headers = { authorization: "Bearer t", "X-Trace": "1", "content-type": "text/html" };
    await outcomeOf(pull("m", { ...server, headers, host: "http://user:secret@localhost" }));
    const sent = server.request.headers;
    assertEquals(sent.get("Authorization"), "Bearer t");
    assertEquals(sent.get("X-Trace"), "1");
    assertEquals(sent.get("Content-Type"), "application/json");
  });

  it("is made by the runtime's fetch, if by no other", async () => {
    using fetch = stub(globalThis, "fetch", () => Promise.resolve(new Response(DONE)));
    await pullModel("m");
    assertSpyCalls(fetch, 1);
  });

  it("is refused for a model without a name, and for a host that is no http address", () => {
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

  it("is refused for headers that no request can have", () => {
    for (
      const headers of [{ Authorization: "secret\n1" }, { "a secret": "c" }, { a: "secret\u20ac" }]
    ) {
      const name = Object.keys(headers)[0]!.charAt(0);
      const { message } = assertThrows(() => pull("m", { headers }), TypeError);
      assertStringIncludes(message, `Cannot send the header "${name}`);
      assert(!message.includes("secret"), message);
    }
  });

  it("always asks for a stream, whatever else the options of a caller hold", async () => {
    const server = new TestServer(answer(DONE));
    const options: PullModelOptions = { fetch: server.fetch, stream: false };
    await outcomeOf(pull("m", options));
    assertEquals(await server.request.json(), { model: "m", name: "m", stream: true });
  });

  it("is made as everybody calls fetch, so that wrappers may add headers", async () => {
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

  it("is refused by a rejection of pullModel", async () => {
    assertInstanceOf(await rejectionOf(pullModel("")), TypeError);
  });
});

describe("the progress of pull", () => {
  const anyBytes = fc.oneof(
    pullSessions({ endings: ["success", "error", "cut"] })
      .chain(({ statuses }) => ndjsonBytes(statuses)),
    fc.array(hostileLines()).map((all) => utf8(all.join("\n"))),
  ).chain(chunkings);

  it("is what decodeProgress makes of the body, up to success", async () => {
    await fc.assert(fc.asyncProperty(anyBytes, async (chunks) => {
      const decoded = await outcomeOf(decodeProgress(streamOf(chunks), { now: standingStill }));
      const pulled = await outcomeOf(pullFrom([answer(streamOf(chunks))]));
      assertEquals(pulled.values, decoded.values);
      const succeeded = decoded.values.at(-1)?.phase === "success";
      const [a, b] = [pulled, decoded].map(({ failure }) =>
        failure && asPullError(failure.error).message
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

  it("does not count what follows success, in its chunk or after it", async () => {
    const follow = [lines({ error: "late" }), "<html>\n", "[]\n", "x".repeat(2_000_000), '{"cut'];
    for (const rest of follow) {
      for (const chunks of [[DONE + rest], [DONE, rest]]) {
        const { values, failure } = await outcomeOf(pullFrom([answer(streamOf(chunks.map(utf8)))]));
        assertEquals(values.at(-1)?.phase, "success");
        assertEquals(failure, undefined);
      }
    }
  });

  it("has success also where its line has no newline", async () => {
    const { values, failure } = await outcomeOf(pullFrom([answer(DONE.trimEnd())]));
    assertEquals([values.at(-1)?.phase, failure], ["success", undefined]);
  });

  it("is read no more than one chunk ahead", async () => {
    const source = new TestSource(...[10, 20, 30].map((bytes) => utf8(lines(layer(bytes)))));
    const reader = pullFrom([streaming(source)]).getReader();
    for (const reads of [1, 2, 3]) {
      await reader.read();
      await settle();
      assert(source.reads <= reads + 1, `${source.reads} for ${reads}`);
    }
    await reader.cancel();
  });

  it("knows the total of the layers that it is given from the first update", async () => {
    const layers = [{ digest: "sha256:aaaa", size: 100 }, { digest: "sha256:bbbb", size: 900 }];
    const { values } = await outcomeOf(pullFrom([answer(DONE)], { layers }));
    assertEquals(values[0]?.total, 1000);
  });
});

describe("a pull that fails", () => {
  it("says what the server answered, if that is not a success", async () => {
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
      [401, "", " \n ", /^HTTP 401, not from Ollama: " \\n "$/],
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

  it("says why a connection failed, also if the cause leads back to itself", async () => {
    const looped: Error = new Error("refused");
    looped.cause = looped;
    const pair = new Error("outer", { cause: new Error("inner") });
    Object.assign(pair.cause as Error, { cause: pair });
    const causes: [cause: unknown, words: string][] = [
      [looped, "refused"],
      [pair, "outer"],
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

  it("passes over malformed lines, if told to", async () => {
    const body = `<p>\n${DONE}`;
    const { failure } = await outcomeOf(pullFrom([answer(body)], { onMalformed: "skip" }));
    assertEquals(failure, undefined);
  });

  it("releases its connection", async () => {
    for (const chunk of ["<html>\n", lines({ error: "disk full" })]) {
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
  it("makes no request, if it was not read", async () => {
    const server = new TestServer(answer(DONE));
    const stream = pull("m", server);
    await stream.cancel("enough");
    await settle();
    assertEquals(server.requests.length, 0);
  });

  it("aborts a request that is not answered yet, with the reason", async () => {
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

  it("releases the connection at whatever moment it is cancelled, though fetch heeds no signal", async () => {
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

  /** A signal, and how many listen to it. */
  function watchedSignal() {
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = new Set<unknown>();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      const [, listener, options] = args;
      listeners.add(listener);
      // How a listener goes when its own signal aborts cannot be seen in every runtime.
      const { signal: gone } = Object(options) as AddEventListenerOptions;
      gone?.addEventListener("abort", () => listeners.delete(listener));
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove(...args);
    };
    return { controller, signal, listeners };
  }

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

  it("fails the pull with its own reason while headers are waited for", async () => {
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

  it("fails the pull at whatever moment it aborts, though fetch heeds no signal", async () => {
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

  it("fails the pull with its own reason while a retry is waited for", async () => {
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

  it("ends the wait for a retry at once, also on the runtime's clock", async () => {
    const controller = new AbortController();
    const { fetch } = new TestServer(unreachable);
    const onRetry = () => controller.abort(reason);
    const options = { fetch, signal: controller.signal, retries: 1, onRetry, random: () => 0 };
    const outcome = outcomeOf(pull("m", options));
    assert(await isSettled(outcome), "it waits for a second, although it was aborted");
    assertStrictEquals((await outcome).failure?.error, reason);
  });

  it("fails the pull with its own reason even if that looks like a failure that may pass", async () => {
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

  it("has no listener left when the pull has ended, however it did", async () => {
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

  it("has no listener left when the pull was cancelled or it has aborted", async () => {
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

describe("stallTimeoutMs", () => {
  const stallTimeoutMs = 1000;

  it("fails a pull whose headers do not come", async () => {
    const clock = new VirtualClock();
    const server = new TestServer(silence);
    const outcome = outcomeOf(pull("m", { ...server, ...clock, stallTimeoutMs }));
    await clock.advance(999);
    assertEquals(await isSettled(outcome), false);
    await clock.advance(1);
    const error = asPullError((await outcome).failure?.error);
    assertEquals([error.code, error.message], ["stalled", "The server sent nothing for 1 s"]);
    assert(server.request.signal.aborted);
    assertEquals(clock.sleepers, 0);
  });

  it("fails a pull whose bytes do not come, counted from the latest, and releases it", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const options = { ...clock, stallTimeoutMs };
    const outcome = outcomeOf(pullFrom([streaming(source)], options));
    for (let chunk = 0; chunk < 5; chunk++) {
      await clock.advance(900);
      assertEquals(await isSettled(outcome), false);
      source.give(utf8(lines(layer(chunk + 1))));
    }
    await clock.advance(999);
    assertEquals(await isSettled(outcome), false);
    await clock.advance(1);
    const { values, failure } = await outcome;
    assertEquals(values.length, 5);
    assertEquals(asPullError(failure?.error).code, "stalled");
    assertEquals(source.cancels.length, 1);
  });

  it("is counted from the latest byte, also of half a line and of a blank one", async () => {
    const body = `\n \r\n\n${DONE}`;
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const outcome = outcomeOf(pullFrom([streaming(source)], { ...clock, stallTimeoutMs }));
    for (const byte of utf8(body)) {
      await clock.advance(999);
      source.give(Uint8Array.of(byte));
    }
    assertEquals((await outcome).values.at(-1)?.phase, "success");
  });

  it("is counted from the latest byte of a failed answer, too", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const fails = answer(source.stream, { status: 500 });
    const outcome = outcomeOf(pullFrom([fails], { ...clock, stallTimeoutMs }));
    for (const byte of utf8('{"error":"disk full"}')) {
      await clock.advance(999);
      source.give(Uint8Array.of(byte));
    }
    await settle();
    source.end();
    assertEquals(asPullError((await outcome).failure?.error).message, "HTTP 500: disk full");
  });

  it("fails a pull whose failed answer does not end", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const fails = answer(source.stream, { status: 502 });
    const outcome = outcomeOf(pullFrom([fails], { ...clock, stallTimeoutMs }));
    await clock.advance(1000);
    assert(await isSettled(outcome));
    assertInstanceOf((await outcome).failure?.error, PullError);
  });

  it("does not take a slow reader for a stall", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(MANIFEST)));
    const reader = pullFrom([streaming(source)], { ...clock, stallTimeoutMs }).getReader();
    await reader.read();
    await clock.advance(100_000);
    const read = reader.read();
    await clock.advance(999);
    assertEquals(await isSettled(read), false);
    source.give(utf8(DONE));
    assertEquals((await read).value?.phase, "success");
    await reader.cancel();
  });

  it("is not watched any more when the pull has ended, however it did", async () => {
    const endings: Record<string, Answer> = {
      "success": answer(DONE),
      "success without a newline": answer(DONE.trimEnd()),
      "no server": unreachable,
      "an answer that is no success": answer("", { status: 400 }),
      "a malformed line": answer("<html>\n"),
      "an end without success": answer(lines(MANIFEST)),
    };
    for (const [ending, respond] of Object.entries(endings)) {
      const clock = new VirtualClock();
      await outcomeOf(pullFrom([respond], { ...clock, stallTimeoutMs }));
      await settle();
      assertEquals(clock.sleepers, 0, ending);
    }
  });

  it("is not watched any more when the pull was cancelled", async () => {
    const clock = new VirtualClock();
    const reader = pullFrom([silence], { ...clock, stallTimeoutMs }).getReader();
    void reader.read();
    await settle();
    assertEquals(clock.sleepers, 1);
    await reader.cancel();
    await settle();
    assertEquals(clock.sleepers, 0);
  });

  it("may be longer than a timer of the runtime can wait", async () => {
    using timer = stub(globalThis, "setTimeout", () => 0);
    const reader = pull("m", { fetch: silence, stallTimeoutMs: 2 ** 32 }).getReader();
    void reader.read();
    await settle();
    for (const { args } of timer.calls) assert(args[1] <= 2 ** 31 - 1, `${args[1]} ms`);
    await reader.cancel();
  });

  it("is endless unless told: nothing is watched", async () => {
    const sleep = spy(() => Promise.resolve());
    await outcomeOf(pullFrom([answer(DONE)], { sleep }));
    assertSpyCalls(sleep, 0);
  });
});

describe("retries", () => {
  const noWait = { now: standingStill, sleep: () => Promise.resolve() };

  /** The waits before the retries of a pull, in milliseconds. */
  async function delaysOf(random: number, ...answers: Answer[]): Promise<number[]> {
    const delays: number[] = [];
    const sleep = (milliseconds: number) => Promise.resolve(void delays.push(milliseconds));
    const retries = answers.length - 1;
    await outcomeOf(pullFrom(answers, { retries, sleep, random: () => random }));
    return delays;
  }

  const breaking: Answer = () => {
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    source.fail(new TypeError("reset"));
    return new Response(source.stream);
  };

  it("are made after a failure that may pass, and after no other", async () => {
    const failures: [Answer, passes: boolean][] = [
      [unreachable, true],
      [breaking, true],
      [answer(lines(MANIFEST)), true],
      [answer('{"status":"pul'), true],
      [answer("", { status: 500 }), true],
      [answer("<html>", { status: 503 }), true],
      [answer("", { status: 400 }), false],
      [answer("", { status: 404 }), false],
      [answer(lines({ error: "disk full" })), false],
      [answer("<html>\n"), false],
      [answer("x".repeat(2_000_000)), false],
    ];
    for (const [index, [failure, passes]] of failures.entries()) {
      const server = new TestServer(failure, answer(DONE));
      const { values, failure: failed } = await outcomeOf(
        pull("m", { ...server, ...noWait, retries: 1 }),
      );
      assertEquals(server.requests.length, passes ? 2 : 1, `failure ${index}`);
      assertEquals(failed === undefined, passes);
      if (passes) assertEquals(values.at(-1)?.phase, "success");
      else assertEquals(asPullError(failed?.error).attempts, undefined);
    }
  });

  it("are made after a stall", async () => {
    const clock = new VirtualClock();
    const server = new TestServer(silence, answer(DONE));
    const outcome = outcomeOf(
      pull("m", { ...server, ...clock, stallTimeoutMs: 1000, retries: 1, random: () => 0 }),
    );
    await clock.advance(1999);
    assertEquals(server.requests.length, 1);
    await clock.advance(1);
    assertEquals((await outcome).values.at(-1)?.phase, "success");
    assertEquals(clock.sleepers, 0);
  });

  it("are made of every other 5xx, whatever its body says", async () => {
    const bodies = [
      "",
      "<html>: model not found: insecure</html>",
      `{"error":"internal server error"}`,
    ];
    for (const status of [500, 502, 503, 504, 599]) {
      for (const body of bodies) {
        const server = new TestServer(answer(body, { status }), answer(DONE));
        await pullModel("m", { ...server, ...noWait, retries: 1 });
        assertEquals(server.requests.length, 2);
      }
    }
  });

  it("are not made unless told", async () => {
    const server = new TestServer(unreachable, answer(DONE));
    await pullErrorOf(pull("m", { ...server, ...noWait }));
    assertEquals(server.requests.length, 1);
  });

  it("wait twice as long after each failure, up to 30 s", async () => {
    const answers = Array<Answer>(8).fill(unreachable);
    assertEquals(
      await delaysOf(0, ...answers),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    );
  });

  it("leave up to half of the wait to chance", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (random) => {
        const [first, second] = await delaysOf(random, unreachable, unreachable, unreachable);
        assertAlmostEquals(first!, 1000 - 500 * random, 1e-6);
        assertAlmostEquals(second!, 2000 - 1000 * random, 1e-6);
      }),
    );
  });

  it("take their time and their chance from what they are passed, and from nothing else", async () => {
    const forbidden = () => {
      throw new Error("This is not what was passed");
    };
    using _timer = stub(globalThis, "setTimeout", forbidden as unknown as typeof setTimeout);
    using _now = stub(performance, "now", forbidden);
    using _date = stub(Date, "now", forbidden);
    using _random = stub(Math, "random", forbidden);
    const random = spy(() => 1);
    const waits: number[] = [];
    const sleep = (milliseconds: number) => Promise.resolve(void waits.push(milliseconds));
    const answers = [unreachable, answer(lines(layer(1))), answer(DONE)];
    const { failure } = await outcomeOf(pullFrom(answers, { retries: 2, sleep, random }));
    assertEquals(failure, undefined);
    assertSpyCalls(random, 2);
    assertEquals(waits, [500, 500]);
  });

  it("end when they are used up, and the error says how many attempts there were", async () => {
    const server = new TestServer(unreachable, unreachable, answer("", { status: 503 }));
    const error = await pullErrorOf(pull("m", { ...server, ...noWait, retries: 2 }));
    assertEquals(server.requests.length, 3);
    assertEquals([error.code, error.status, error.attempts], ["http", 503, 3]);
    assertEquals(error.message, "HTTP 503 (after 3 attempts)");
  });

  it("end at a failure that does not pass, and the error says how many attempts there were", async () => {
    const server = new TestServer(unreachable, answer(lines({ error: "disk full" })));
    const error = await pullErrorOf(pull("m", { ...server, ...noWait, retries: 9 }));
    assertEquals([error.code, error.attempts], ["server", 2]);
    assertEquals(error.message, "disk full (after 2 attempts)");
  });

  it("count from the start again, waits too, whenever the pull got further", async () => {
    const further = [10, 20, 30, 40].map((bytes) => answer(lines(layer(bytes))));
    const delays: number[] = [];
    const server = new TestServer(...further, unreachable, answer(lines(layer(40))), answer(DONE));
    const error = await pullErrorOf(pull("m", {
      ...server,
      now: standingStill,
      sleep: (milliseconds) => Promise.resolve(void delays.push(milliseconds)),
      random: () => 0,
      retries: 2,
    }));
    assertEquals(error.attempts, 6);
    assertEquals(delays, [1000, 1000, 1000, 1000, 2000]);
  });

  it("never let progress fall", async () => {
    const cuts = fc.array(pullSessions({ endings: ["cut"] }), { maxLength: 4 });
    await fc.assert(fc.asyncProperty(cuts, pullSessions(), async (cuts, last) => {
      const answers = [...cuts, last].map(({ statuses }) => answer(lines(...statuses)));
      const { values } = await outcomeOf(pullFrom(answers, { retries: 4 }));
      let [fraction, completed] = [0, 0];
      for (const value of values) {
        assert(value.fraction >= fraction && value.completed >= completed);
        assert(value.completed <= value.total);
        ({ fraction, completed } = value);
      }
      assertEquals(fraction, 1);
    }));
  });

  it("go on from where the pull was: what was there is not counted as speed", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const server = new TestServer(answer(lines(layer(10))), streaming(source));
    const reader = pull("m", { ...server, ...clock, retries: 1, random: () => 0 }).getReader();
    assertEquals((await reader.read()).value?.completed, 10);
    const next = reader.read();
    await clock.advance(1000);
    source.give(utf8(lines(layer(60))));
    assertEquals((await next).value?.bytesPerSecond, undefined);
    const later = reader.read();
    await clock.advance(1000);
    source.give(utf8(lines(layer(70))));
    assertEquals((await later).value?.bytesPerSecond, 10);
    await reader.cancel();
  });

  it("are told of before the wait: what failed, and how long the wait is", async () => {
    const told: unknown[] = [];
    const onRetry = ({ code }: PullError, delayMs: number) => void told.push([code, delayMs]);
    const answers = [unreachable, answer(lines(MANIFEST)), answer(DONE)];
    await outcomeOf(pullFrom(answers, { retries: 2, onRetry, random: () => 0 }));
    assertEquals(told, [["network", 1000], ["truncated", 2000]]);
  });

  it("are not made if onRetry throws, which fails the pull with what it threw", async () => {
    const thrown = new Error("enough");
    const server = new TestServer(unreachable, answer(DONE));
    const onRetry = () => {
      throw thrown;
    };
    const { failure } = await outcomeOf(pull("m", { ...server, ...noWait, retries: 2, onRetry }));
    assertStrictEquals(failure?.error, thrown);
    assertEquals(server.requests.length, 1);
  });

  it("release the connection before", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(MANIFEST)));
    const server = new TestServer(streaming(source), answer(DONE));
    const options = { ...server, ...clock, stallTimeoutMs: 500, retries: 1 };
    const outcome = outcomeOf(pull("m", options));
    await clock.advance(500);
    assert(server.request.signal.aborted);
    assertEquals(source.cancels.length, 1);
    await clock.advance(1000);
    assertEquals((await outcome).failure, undefined);
  });

  it("leave a slow reader all the time that it wants, before and after", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(layer(20))), utf8(DONE));
    const server = new TestServer(answer(lines(layer(10))), streaming(source));
    const options = { ...server, ...clock, stallTimeoutMs: 1000, retries: 1, random: () => 0 };
    const reader = pull("m", options).getReader();
    const phases: unknown[] = [];
    for (;;) {
      const read = reader.read();
      await clock.advance(1000); // the wait for the retry
      const { done, value } = await read;
      if (done) break;
      phases.push(value.phase);
      await clock.advance(1_000_000);
    }
    assertEquals(phases, ["downloading", "downloading", "manifest", "success"]);
    assertEquals(server.requests.length, 2);
  });

  it("leave nothing of the connection before, however that failed", async () => {
    for (const failure of [unreachable, breaking, answer(""), answer("", { status: 503 })]) {
      const clock = new VirtualClock();
      const server = new TestServer(failure, answer(DONE));
      const options = { ...server, ...clock, stallTimeoutMs: 500, retries: 1 };
      const outcome = outcomeOf(pull("m", options));
      await settle();
      assert(server.request.signal.aborted);
      assertEquals(clock.sleepers, 1); // the wait for the retry alone
      await clock.advance(1000);
      assertEquals((await outcome).failure, undefined);
    }
  });

  it("count the lines of each connection from 1", async () => {
    const answers = [answer(lines(MANIFEST, layer(1))), answer(`${lines(MANIFEST)}<html>\n`)];
    assertEquals((await pullErrorOf(pullFrom(answers, { retries: 1 }))).line, 2);
  });
});

describe("pullModel", () => {
  it("resolves at success, having told of the same progress as pull", async () => {
    const told: PullProgress[] = [];
    const body = lines(MANIFEST, layer(10), layer(100), SUCCESS);
    const { fetch } = new TestServer(answer(body));
    const onProgress = (progress: PullProgress) => void told.push(progress);
    const result: unknown = await pullModel("m", { fetch, now: standingStill, onProgress });
    assertEquals(result, undefined);
    assertEquals(told, (await outcomeOf(pullFrom([answer(body)]))).values);
  });

  it("needs nobody to tell of the progress", async () => {
    await pullModel("m", new TestServer(answer(DONE)));
  });

  it("takes the one object of an answer that is not streamed", async () => {
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
