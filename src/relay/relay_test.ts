import { assert, assertEquals, assertMatch, assertThrows, fail } from "@std/assert";
import fc from "fast-check";
import process from "node:process";
import { describe, it } from "node:test";
import type { PullError } from "../errors.ts";
import { PullManager } from "../manager/manager.ts";
import { collectGarbage } from "../manager/test_helpers.ts";
import type { PullRequestInit } from "../pull/options.ts";
import {
  lines,
  outcomeOf,
  pullErrorOf,
  settle,
  TestSource,
  utf8,
  VirtualClock,
} from "../stream_test_helpers.ts";
import { redactError } from "./redaction.ts";
import { createRelay } from "./relay.ts";
import type { RelayOptions, RelayQuestion } from "./relay_options.ts";
import { fromResponse } from "./response.ts";

const BASE = "http://relay.test";
const OWN = { Origin: BASE };
const FOREIGN = { Origin: "https://evil.test" };
const APP = "https://app.test";

const layer = (completed: number) => ({ status: "a", digest: "sha256:a", total: 100, completed });
const DONE = lines({ status: "pulling manifest" }, { status: "success" });

/** A relay, its clock, and the server that it pulls from. */
function relayWith(options: Partial<RelayOptions> = {}) {
  const clock = new VirtualClock();
  const upstream = new Map<string, TestSource<Uint8Array>>();
  let fetches = 0;
  const fetch = (_: string, init: RequestInit) => {
    const { body, signal } = init as PullRequestInit;
    fetches++;
    const source = new TestSource<Uint8Array>();
    upstream.set(JSON.parse(body).model, source);
    signal.addEventListener("abort", () => source.cancels.push(signal.reason));
    return new Response(source.stream);
  };
  const errors: unknown[] = [];
  const relay = createRelay({
    allow: () => true,
    onError: (error) => errors.push(error),
    fetch,
    now: clock.now,
    sleep: clock.sleep,
    ...options,
  });
  const ask = (method: string, path: string, init: RequestInit = {}) =>
    relay(new Request(BASE + path, { method, ...init }));
  /** Has the server send something for a model. */
  const send = async (model: string, ...values: unknown[]) => {
    await settle();
    upstream.get(model)!.give(utf8(lines(...values)));
    await settle();
  };
  const finish = async (model: string) => {
    await settle();
    upstream.get(model)!.give(utf8(DONE));
    upstream.get(model)!.end();
    await settle();
  };
  return { relay, ask, send, finish, upstream, clock, errors, fetches: () => fetches };
}

/** What a refusal says. */
async function refusalOf(response: Response): Promise<unknown[]> {
  assertEquals(response.headers.get("Content-Type"), "application/json");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  const { error, code, ...rest } = await response.json();
  assertEquals(rest, {});
  return [response.status, code, error];
}

describe("createRelay", () => {
  it("starts a pull, and shows it to all who watch, with its end", async () => {
    const { ask, send, finish, fetches } = relayWith();
    const started = await ask("POST", "/pulls/m");
    await send("m", layer(10));
    const watched = await ask("GET", "/pulls/m");
    const joined = await ask("POST", "/pulls/library%2Fm:latest");
    const outcomes = [started, watched, joined].map((response) => {
      assertEquals(response.status, 200);
      return outcomeOf(fromResponse(response));
    });
    await finish("m");
    for (const { values, failure } of await Promise.all(outcomes)) {
      assertEquals([values.at(-1)?.phase, failure], ["success", undefined]);
    }
    assertEquals(fetches(), 1);
  });

  it("answers with events, first of all with how long to wait before another connection", async () => {
    const { ask, finish } = relayWith({ retryMs: 5 });
    const response = await ask("POST", "/pulls/m");
    assertEquals(Object.fromEntries(response.headers), {
      "cache-control": "no-store, no-transform",
      "content-type": "text/event-stream",
      "vary": "Accept, Origin",
      "x-accel-buffering": "no",
    });
    const text = response.text();
    await finish("m");
    assertMatch(
      await text,
      /^retry: 5\n\nid: 1\ndata: {.*}\n\n(?:id: \d\ndata: {.*}\n\n)*id: end\ndata: {.*}\n\n$/,
    );
  });

  it("answers with lines to whoever accepts those", async () => {
    const { ask, finish } = relayWith();
    const headers = { Accept: "application/x-ndjson" };
    const response = await ask("POST", "/pulls/m", { headers });
    assertEquals(response.headers.get("Content-Type"), "application/x-ndjson");
    const text = response.text();
    await finish("m");
    assertMatch(await text, /^\n({.*}\n)+$/);
  });

  it("goes on with a pull that nobody watches", async () => {
    const { ask, send, upstream } = relayWith();
    const response = await ask("POST", "/pulls/m");
    await send("m", layer(10));
    await response.body!.cancel();
    await send("m", layer(20));
    assertEquals(upstream.get("m")!.cancels, []);
    const reader = fromResponse(await ask("GET", "/pulls/m")).getReader();
    assertEquals((await reader.read()).value?.completed, 20);
  });

  it("ends one that nobody watches for as long as it is told to wait", async () => {
    const { ask, send, upstream, clock } = relayWith({ lingerMs: 1_000 });
    const response = await ask("POST", "/pulls/m");
    await send("m", layer(10));
    await response.body!.cancel();
    await clock.advance(999);
    assertEquals(upstream.get("m")!.cancels.length, 0);
    await clock.advance(1);
    assert(upstream.get("m")!.cancels.length > 0);
  });

  it("cancels a pull for all, who are told so", async () => {
    const { ask, send, upstream } = relayWith();
    const outcome = outcomeOf(fromResponse(await ask("POST", "/pulls/m")));
    await send("m", layer(10));
    const cancelled = await ask("DELETE", "/pulls/M:latest");
    assertEquals([cancelled.status, cancelled.body], [204, null]);
    assert(upstream.get("m")!.cancels.length > 0);
    assertEquals(((await outcome).failure?.error as Error).name, "AbortError");
    assertEquals((await refusalOf(await ask("DELETE", "/pulls/m"))).slice(0, 2), [
      404,
      "unknown-pull",
    ]);
  });

  it("tells of a pull that has ended for some time, and then knows it no more", async () => {
    const { ask, finish, clock, fetches } = relayWith();
    await ask("POST", "/pulls/m");
    await finish("m");
    await clock.advance(59_999);
    for (let time = 0; time < 2; time++) {
      const { values } = await outcomeOf(fromResponse(await ask("GET", "/pulls/m")));
      assertEquals(values.map(({ phase }) => phase), ["success"]);
    }
    await clock.advance(1);
    for (let time = 0; time < 2; time++) {
      assertEquals(await refusalOf(await ask("GET", "/pulls/m")), [
        404,
        "unknown-pull",
        'Nobody pulls "m"; POST starts it',
      ]);
    }
    await ask("POST", "/pulls/m");
    await settle();
    assertEquals(fetches(), 2);
  });

  it("pulls again when that is asked for after the end", async () => {
    const { ask, finish, clock, fetches } = relayWith();
    await ask("POST", "/pulls/m");
    await finish("m");
    await clock.advance(59_000);
    const second = await ask("POST", "/pulls/m");
    await settle();
    assertEquals(fetches(), 2);
    const outcome = outcomeOf(fromResponse(second));
    await finish("m");
    assertEquals((await outcome).failure, undefined);
    await clock.advance(2_000); // the first one is forgotten, and the second one is not
    assertEquals((await ask("GET", "/pulls/m")).status, 200);
  });

  it("stops an `EventSource` that has seen the end, and gives any other a snapshot", async () => {
    const { ask, send, finish } = relayWith();
    await ask("POST", "/pulls/m");
    await send("m", layer(10));
    const again = (id: string) => ask("GET", "/pulls/m", { headers: { "Last-Event-ID": id } });
    const reader = fromResponse(await again("1")).getReader();
    assertEquals((await reader.read()).value?.completed, 10);
    await finish("m");
    assertEquals([(await again("end")).status, (await again("1")).status], [204, 200]);
  });

  it("shows the pulls of a manager, and leaves them there", async () => {
    const { ask, clock, upstream } = relayWith();
    void ask;
    const sources = [new TestSource<Uint8Array>(utf8(DONE)), new TestSource<Uint8Array>()];
    const manager = new PullManager({ fetch: () => new Response(sources.shift()!.stream) });
    const relay = createRelay({ allow: () => true, manager, ...clock });
    await manager.start("m").done;
    const get = () => relay(new Request(`${BASE}/pulls/m`));
    const { values } = await outcomeOf(fromResponse(await get()));
    assertEquals([values.at(-1)?.phase, upstream.size], ["success", 0]);
    await clock.advance(60_000);
    assertEquals((await get()).status, 404);
    assertEquals(manager.get("m")?.state, "succeeded");
  });

  it("has no timer while nobody watches", async () => {
    const { ask, finish, clock } = relayWith();
    const response = await ask("POST", "/pulls/m");
    assertEquals(clock.sleepers, 1);
    await response.body!.cancel();
    await settle();
    assertEquals(clock.sleepers, 0);
    await finish("m");
    assertEquals(clock.sleepers, 0);
  });

  it("lets a viewer go when the signal of its request aborts, if it is told to follow that", async () => {
    const { ask, send, upstream, clock } = relayWith({ followSignal: true });
    const controller = new AbortController();
    const response = await ask("POST", "/pulls/m", { signal: controller.signal });
    await send("m", layer(10));
    controller.abort();
    await settle();
    assertEquals([clock.sleepers, upstream.get("m")!.cancels.length], [0, 0]);
    assertEquals((await pullErrorOf(fromResponse(response))).code, "truncated");
  });

  it("does not touch the signal of a request otherwise, since Deno warns of that", async () => {
    const { relay } = relayWith();
    const request = new Request(`${BASE}/pulls/m`, { method: "POST" });
    Object.defineProperty(request, "signal", {
      get() {
        throw new Error("The signal was touched");
      },
    });
    assertEquals((await relay(request)).status, 200);
  });

  it("holds ten thousand viewers in less than 100 MB, with one timer", async () => {
    if (!await collectGarbage()) return;
    const { ask, send, finish, clock } = relayWith();
    await ask("POST", "/pulls/m");
    await send("m", layer(10));
    const before = process.memoryUsage().heapUsed;
    const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
    while (readers.length < 9_999) readers.push((await ask("GET", "/pulls/m")).body!.getReader());
    let ends = 0;
    const all = readers.map(async (reader) => {
      while (!(await reader.read()).done);
      ends++;
    });
    await send("m", layer(20));
    await clock.advance(100);
    await collectGarbage();
    assert(process.memoryUsage().heapUsed - before < 100e6);
    assertEquals([clock.sleepers, (await ask("GET", "/pulls/m")).status], [1, 429]);
    await finish("m");
    await Promise.all(all);
    assertEquals(ends, 9_999);
  });
});

describe("the paths and methods of a relay", () => {
  it("are below the base path", async () => {
    const { ask } = relayWith({ basePath: "/a/b" });
    assertEquals((await ask("POST", "/a/b/pulls/m")).status, 200);
    for (const path of ["/pulls/m", "/a/pulls/m", "/a/b/pulls", "/a/bb/pulls/m", "/A/b/pulls/m"]) {
      assertEquals((await refusalOf(await ask("GET", path))).slice(0, 2), [404, "unknown-path"]);
    }
  });

  it("are refused with what is wrong and what to do", async () => {
    const { ask, fetches } = relayWith();
    const refusals: Record<string, unknown[]> = {
      "/": [404, "unknown-path", 'There is nothing at "/": the form is /pulls/{model}'],
      "/pulls/": [404, "unknown-path", 'There is nothing at "/pulls/": the form is /pulls/{model}'],
      "/pulls/a/b": [
        404,
        "unknown-path",
        'There is nothing at "/pulls/a/b": the form is /pulls/{model}; write "/" in the name of a model as %2F',
      ],
      "/pulls/%ff": [
        400,
        "invalid-name",
        'Cannot read the model name "%ff": it is not percent-encoded UTF-8; use encodeURIComponent',
      ],
      "/pulls/%00": [
        400,
        "invalid-name",
        'Cannot use the model name "\\u0000": the model contains "\\u0000"; it may contain a-z, A-Z, 0-9, "_", "-" and "."',
      ],
      "/pulls/file:%2F%2Fa%2Fb%2Fc": [
        400,
        "invalid-name",
        'Cannot use the model name: it begins with the scheme "file"; only https and http are used',
      ],
    };
    for (const [path, refusal] of Object.entries(refusals)) {
      assertEquals(await refusalOf(await ask("POST", path)), refusal);
    }
    const put = await ask("PUT", "/pulls/m");
    assertEquals(put.headers.get("Allow"), "GET, POST, DELETE, OPTIONS");
    assertEquals(await refusalOf(put), [
      405,
      "method-not-allowed",
      "Cannot PUT a pull: use GET to watch, POST to start, DELETE to cancel",
    ]);
    assertEquals(fetches(), 0);
  });

  it("lead nowhere else, whatever tricks they contain, and never crash the relay", async () => {
    const part = fc.constantFrom(
      ...["/", "..", ".", "%2e%2E", "%2F", "%5C", "\\", "%", "%00", "%ff", "?", "#", ":", "@"],
      ...["pulls", "//", "m", "%0d%0a", "é", "%25", " ", ";", "http:", "constructor", "<script>"],
    );
    const path = fc.array(fc.oneof(part, fc.string()), { maxLength: 6 }).map((parts) =>
      parts.join("")
    );
    const prefix = fc.constantFrom("/", "/pulls/", "/pulls", "/pulls/../", "/pulls/m/");
    const method = fc.constantFrom("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "X");
    await fc.assert(fc.asyncProperty(method, prefix, path, async (method, prefix, path) => {
      const url = `${BASE}${prefix}${path}`;
      if (!URL.canParse(url)) return;
      const asked: RelayQuestion[] = [];
      const allow = (_: Request, question: RelayQuestion) => asked.push(question) < 0;
      const { relay, fetches, errors } = relayWith({ allow });
      const response = await relay(new Request(url, { method }));
      await settle();
      assertEquals([fetches(), errors], [0, []]);
      if (method === "OPTIONS") return assertEquals(response.status, 204);
      assert([400, 403, 404, 405].includes(response.status), String(response.status));
      const text = await response.text();
      assert(!/\p{Cc}/u.test(text), text);
      assert(typeof JSON.parse(text).error === "string");
      // What `allow` is asked about is a name that Ollama could have.
      for (const { model } of asked) assertMatch(String(model), /^[\w.:/-]+$/);
      assertEquals(asked.length, response.status === 403 ? 1 : 0);
    }));
  });

  it("may have a small body, which is not read, but not a large one", async () => {
    const { relay, ask, fetches } = relayWith();
    const chunks = (count: number, size: number) => {
      let left = count;
      return new ReadableStream<Uint8Array>({
        pull: (controller) =>
          left-- > 0 ? controller.enqueue(new Uint8Array(size)) : controller.close(),
      });
    };
    const streamed = (body: BodyInit) => ({ body, duplex: "half" }) as RequestInit;
    for (const body of ["x".repeat(16_385), chunks(17, 1_000), chunks(Infinity, 100)]) {
      assertEquals(await refusalOf(await ask("POST", "/pulls/m", streamed(body))), [
        413,
        "body-too-large",
        "The body is larger than 16384 bytes; leave it out, it is not read",
      ]);
    }
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("x")) });
    const refusal = await refusalOf(await ask("POST", "/pulls/m", streamed(broken)));
    assertEquals(refusal.slice(0, 2), [400, "bad-request"]);
    const told = { headers: { "Content-Length": "99999" } };
    assertEquals((await ask("POST", "/pulls/m", told)).status, 413);
    assertEquals(fetches(), 0);
    const locked = new Request(`${BASE}/pulls/m`, { method: "POST", body: "read by others" });
    locked.body!.getReader();
    assertEquals((await relay(locked)).status, 200);
    for (const body of ["", '{"model":"other"}', "x".repeat(16_384), chunks(3, 1_000)]) {
      assertEquals((await ask("POST", "/pulls/m", streamed(body))).status, 200);
    }
  });
});

describe("a request that says that it has no body", () => {
  it("is not asked for one, of which some runtimes would keep a stream", async () => {
    const { relay } = relayWith();
    const headers = { "Content-Length": "0" };
    const request = new Request(`${BASE}/pulls/m`, { method: "POST", headers });
    Object.defineProperty(request, "body", { get: () => fail("The body was asked for") });
    assertEquals((await relay(request)).status, 200);
  });
});

describe("allow", () => {
  it("is required", () => {
    for (const options of [{}, { allow: true }, undefined]) {
      const { message } = assertThrows(() => createRelay(options as RelayOptions), TypeError);
      assertMatch(message, /^Cannot make a relay without the option allow: /);
    }
  });

  it("gets the action, and the model in its parts", async () => {
    const asked: unknown[] = [];
    const { ask } = relayWith({
      allow(request, { action, model, ...rest }) {
        const { host, namespace, model: name, tag } = model;
        asked.push([request.method, action, host, namespace, name, tag, rest]);
        return true;
      },
    });
    const path = `/pulls/${encodeURIComponent("hf.co/who/what:1b")}`;
    for (const method of ["POST", "POST", "GET", "DELETE"]) await ask(method, path);
    const name = ["hf.co", "who", "what", "1b", {}];
    assertEquals(asked, [
      ["POST", "start", ...name],
      ["POST", "start", ...name],
      ["GET", "watch", ...name],
      ["DELETE", "cancel", ...name],
    ]);
  });

  it("refuses everything unless it returns `true`", async () => {
    const answers = [false, undefined, null, 1, "yes", {}, Promise.resolve(false)];
    const { ask, send } = relayWith({
      allow: (request) =>
        request.headers.get("X") === null || answers[Number(request.headers.get("X"))] as boolean,
    });
    await ask("POST", "/pulls/m");
    await send("m", layer(10));
    for (const index of answers.keys()) {
      for (const method of ["GET", "POST", "DELETE"]) {
        for (const path of ["/pulls/m", "/pulls/other"]) {
          const refusal = await refusalOf(
            await ask(method, path, { headers: { X: String(index) } }),
          );
          assertEquals(refusal.slice(0, 2), [403, "not-allowed"]);
        }
      }
    }
    assertEquals((await ask("GET", "/pulls/other")).status, 404);
    assertEquals((await ask("DELETE", "/pulls/m")).status, 204);
  });

  it("may answer itself", async () => {
    const { ask } = relayWith({
      origins: [APP],
      allow: (_, { action }) =>
        action === "watch"
          ? Response.redirect("http://login.test/")
          : new Response("log in", { status: 401 }),
    });
    const redirect = await ask("GET", "/pulls/m", { headers: { Origin: APP } });
    assertEquals([redirect.status, redirect.headers.get("Location")], [302, "http://login.test/"]);
    assertEquals(redirect.headers.get("Access-Control-Allow-Origin"), APP);
    const { ask: fail } = relayWith({ allow: () => Response.error() });
    assert(await fail("POST", "/pulls/m") instanceof Response); // what it is differs by runtime
    const unauthorized = await ask("POST", "/pulls/m");
    assertEquals([unauthorized.status, await unauthorized.text()], [401, "log in"]);
  });

  it("reports what it throws to `onError` alone", async () => {
    const secret = new Error("hunter2");
    const ways: RelayOptions["allow"][] = [
      () => {
        throw secret;
      },
      () => Promise.reject(secret),
    ];
    for (const allow of ways) {
      const { ask, errors, fetches } = relayWith({ allow });
      const response = await ask("POST", "/pulls/m");
      assertEquals(await refusalOf(response), [500, "internal", "The relay has failed"]);
      assertEquals([errors, fetches()], [[secret], 0]);
      const failing = relayWith({
        allow,
        onError() {
          throw secret;
        },
      });
      assertEquals((await failing.ask("POST", "/pulls/m")).status, 500);
    }
  });
});

describe("pages of other origins", () => {
  /** Where a browser says that a request comes from, if not from the relay's own pages. */
  const foreign = fc.oneof(
    fc.constantFrom<Record<string, string>>(
      FOREIGN,
      { Origin: "null" },
      { Origin: "https://relay.test" },
      { Origin: "http://relay.test:81" },
      { Origin: "http://relay.test.evil.test" },
      { Origin: "http://evilrelay.test" },
      { Origin: `${APP}.evil.test` },
      { Origin: "http://app.test" },
      { Origin: "" },
      { ...FOREIGN, "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
    ),
    fc.webUrl().map((url) => ({ Origin: new URL(url).origin })),
  );

  it("start, watch and cancel nothing, and never reach `allow`", async () => {
    await fc.assert(fc.asyncProperty(
      foreign,
      fc.constantFrom("GET", "POST", "DELETE", "OPTIONS", "PUT"),
      fc.constantFrom("/pulls/m", "/pulls/other", "/", "/pulls/%ff"),
      async (headers, method, path) => {
        let questions = 0;
        const allow = () => ++questions > 0;
        const { ask, send, fetches, upstream } = relayWith({ allow, origins: [APP] });
        await ask("POST", "/pulls/m");
        await send("m", layer(10));
        const response = await ask(method, path, { headers });
        assertEquals((await refusalOf(response)).slice(0, 2), [403, "foreign-origin"]);
        assertEquals(response.headers.get("Access-Control-Allow-Origin"), null);
        assertEquals([questions, fetches(), upstream.get("m")!.cancels.length], [1, 1, 0]);
      },
    ));
  });

  it("are those that are not the relay's own", async () => {
    const { ask } = relayWith();
    const own: Record<string, string>[] = [
      {},
      OWN,
      { "Sec-Fetch-Site": "same-origin" },
      { "Sec-Fetch-Site": "none" },
      // A proxy that ends TLS calls the relay by another address.
      { Origin: "https://relay.test", "Sec-Fetch-Site": "same-origin" },
    ];
    for (const headers of own) {
      const response = await ask("POST", "/pulls/m", { headers });
      assertEquals([response.status, response.headers.get("Vary")], [200, "Accept, Origin"]);
      assertEquals(response.headers.get("Access-Control-Allow-Origin"), null);
    }
  });

  it("may do what they are configured for, and read every answer", async () => {
    const { ask } = relayWith({ origins: [APP], maxPulls: 1 });
    const headers = { Origin: APP, "Sec-Fetch-Site": "cross-site" };
    const statuses: number[] = [];
    for (const [method, path] of [["POST", "m"], ["GET", "m"], ["GET", "x"], ["POST", "x"]]) {
      const response = await ask(method!, `/pulls/${path}`, { headers });
      statuses.push(response.status);
      assertEquals(response.headers.get("Access-Control-Allow-Origin"), APP);
      assertEquals(response.headers.get("Access-Control-Allow-Credentials"), "true");
      assertEquals(response.headers.get("Access-Control-Expose-Headers"), "Retry-After");
      assertMatch(response.headers.get("Vary")!, /\bOrigin$/);
    }
    assertEquals(statuses, [200, 200, 404, 429]);
  });

  it("are told by a preflight what they may do, if they are configured", async () => {
    const { ask } = relayWith({ allow: () => false, origins: [APP] });
    const headers = { Origin: APP, "Access-Control-Request-Headers": "authorization,x-a" };
    const response = await ask("OPTIONS", "/pulls/m", { headers });
    assertEquals([response.status, Object.fromEntries(response.headers)], [204, {
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "authorization,x-a",
      "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
      "access-control-allow-origin": APP,
      "access-control-expose-headers": "Retry-After",
      "access-control-max-age": "600",
      "allow": "GET, POST, DELETE, OPTIONS",
      "vary": "Origin",
    }]);
    const own = await ask("OPTIONS", "/pulls/m", { headers: OWN });
    assertEquals(Object.fromEntries(own.headers), {
      allow: "GET, POST, DELETE, OPTIONS",
      vary: "Origin",
    });
  });

  it("are allowed by `origins`, and by nothing else", () => {
    for (const origin of ["*", "app.test", `${APP}/`, `${APP}/a`, "null", "", "HTTPS://app.test"]) {
      const { message } = assertThrows(
        () => createRelay({ allow: () => true, origins: [origin] }),
        TypeError,
      );
      assertMatch(message, /^Cannot use the origin ".*": write scheme, host and port as a browser/);
    }
  });
});

describe("the limits of a relay", () => {
  it("cap the running pulls, but any number of viewers can join one", async () => {
    const { ask, finish, fetches } = relayWith({ maxPulls: 2 });
    for (const model of ["a", "b", "a", "b:latest"]) {
      assertEquals((await ask("POST", `/pulls/${model}`)).status, 200);
    }
    const refused = await ask("POST", "/pulls/c");
    assertEquals(refused.headers.get("Retry-After"), "10");
    assertEquals(await refusalOf(refused), [
      429,
      "too-many-pulls",
      "2 models are pulled already, which is the limit",
    ]);
    await finish("a");
    assertEquals([(await ask("POST", "/pulls/c")).status, (await ask("POST", "/pulls/a")).status], [
      200,
      429,
    ]);
    await settle();
    assertEquals(fetches(), 3);
  });

  it("cap the viewers, whatever they watch", async () => {
    const { ask, fetches } = relayWith({ maxWatchers: 2 });
    const first = await ask("POST", "/pulls/a");
    await ask("GET", "/pulls/a");
    for (const [method, model] of [["GET", "a"], ["POST", "a"], ["POST", "b"]]) {
      const refused = await ask(method!, `/pulls/${model}`);
      assertEquals(refused.headers.get("Retry-After"), "10");
      assertEquals((await refusalOf(refused)).slice(0, 2), [429, "too-many-watchers"]);
    }
    assertEquals(fetches(), 1);
    await first.body!.cancel();
    assertEquals((await ask("POST", "/pulls/b")).status, 200);
  });

  it("are numbers that make sense, as are the other options", () => {
    const allow = () => true;
    const numbers = ["maxPulls", "maxWatchers", "keepEndedMs", "heartbeatMs", "idleMs", "retryMs"];
    for (const name of [...numbers, "updateEveryMs"]) {
      for (const value of [-1, NaN]) {
        const { message } = assertThrows(() => createRelay({ allow, [name]: value }), RangeError);
        assertMatch(
          message,
          new RegExp(`^Cannot use the ${name} (-1|NaN): it must be at least [01]$`),
        );
      }
    }
    for (const basePath of ["a", "/a/", "/", "/a?b", "/a#b"]) {
      assertThrows(() => createRelay({ allow, basePath }), TypeError, "Cannot use the basePath");
    }
    assertThrows(() => createRelay({ allow, host: "ftp://x" }), TypeError, "Cannot use the host");
  });
});

describe("what viewers are told of a failure", () => {
  const failing = (options: Partial<RelayOptions> = {}) =>
    relayWith({
      host: "http://me:hunter2@gpu.test",
      headers: { Authorization: "Bearer hunter2" },
      fetch: () => new Response('{"error":"no: hunter2"}', { status: 500 }),
      ...options,
    });

  it("is why, without what the server said", async () => {
    const lost = new TypeError("lost http://me:hunter2@gpu.test/?key=hunter2");
    const fetches: [string, RelayOptions["fetch"]][] = [
      ["network", () => Promise.reject(lost)],
      ["http", () => new Response('{"error":"no","key":"hunter2"}', { status: 500 })],
      ["malformed", () => new Response("<html>hunter2</html>")],
    ];
    for (const [code, fetch] of fetches) {
      const { ask } = failing({ fetch });
      const text = await (await ask("POST", "/pulls/m")).text();
      assert(text.includes(`"code":"${code}"`), text);
      assert(!text.includes("hunter2"), text);
    }
  });

  it("is what the app makes of it, or the default if that fails", async () => {
    const told: unknown[] = [];
    const { ask } = failing({
      redactError(error) {
        told.push((error as PullError).body);
        return Object.assign(redactError(error), { message: "Sorry" });
      },
    });
    const response = await ask("POST", "/pulls/m");
    assertEquals((await pullErrorOf(fromResponse(response))).message, "Sorry");
    assertEquals(told, [{ error: "no: hunter2" }]);
    const secret = new Error("hunter3");
    const broken = failing({
      redactError() {
        throw secret;
      },
    });
    const text = await (await broken.ask("POST", "/pulls/m")).text();
    assertMatch(text, /"code":"http"/);
    assert(!text.includes("hunter3"));
    assertEquals(broken.errors, [secret]);
  });
});
