import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { describe, it } from "node:test";
import type { DialectName } from "../../src/dialects.ts";
import { realClock } from "../clock/real.ts";
import { VirtualClock } from "../clock/virtual.ts";
import type { MockServer } from "../options.ts";
import { createMockServer } from "../server.ts";
import {
  A,
  B,
  beginPull,
  C,
  CHANGED,
  D,
  mockOfSmall,
  post,
  pullText,
  readLine,
  requestPull,
  SMALL,
  transcript,
} from "../test_helpers.ts";

/** How the requests ended, in order. */
function outcomesOf(server: MockServer): string[] {
  return server.requests.map(({ outcome }) => outcome);
}

/** Sends a body as it is, and returns the status and the JSON of the answer. */
async function sendText(server: MockServer, body: BodyInit | null): Promise<[number, unknown]> {
  const response = await server.fetch("http://localhost/api/pull", { method: "POST", body });
  return [response.status, await response.json()];
}

/** A body that comes in one chunk after another, and says nothing of its length. */
function bodyOf(...chunks: string[]): RequestInit {
  const body = ReadableStream.from(chunks).pipeThrough(new TextEncoderStream());
  return { method: "POST", body, duplex: "half" } as RequestInit;
}

describe("A pull", () => {
  it("streams lines of JSON, one chunk each", async () => {
    const response = await requestPull(mockOfSmall());
    assertStrictEquals(response.status, 200);
    assertStrictEquals(response.headers.get("Content-Type"), "application/x-ndjson");
    for await (const chunk of response.body!) {
      const line = new TextDecoder().decode(chunk);
      assert(line.endsWith("\n") && !line.slice(0, -1).includes("\n"));
      JSON.parse(line);
    }
  });

  it("answers once at the end where it is not to stream", async () => {
    const server = mockOfSmall();
    const response = await requestPull(server, "small", { stream: false });
    assertStrictEquals(response.status, 200);
    assertStrictEquals(response.headers.get("Content-Type"), "application/json");
    assertStrictEquals(await response.text(), '{"status":"success"}');
    assertStrictEquals(Math.round(server.clock.now()), 230);
    assertEquals(outcomesOf(server), ["finished"]);
  });

  it("takes the name from the field that has one", async () => {
    const server = mockOfSmall();
    const bodies = [
      { model: "small" },
      { name: "small" },
      { model: "", name: "small", username: "", password: "" },
      { model: "small", name: "other" },
      { MODEL: "Small:Latest" },
      { model: " library/small " },
    ];
    for (const body of bodies) {
      const response = await post(server, "/api/pull", { ...body, stream: false });
      assertStrictEquals(response.status, 200, JSON.stringify(body));
    }
  });

  it("does not care for the type of the content", async () => {
    for (const type of ["application/json", "application/x-www-form-urlencoded", "text/html"]) {
      const init = { headers: { "Content-Type": type } };
      const response = await requestPull(mockOfSmall(), "small", { stream: false }, init);
      assertStrictEquals(response.status, 200);
    }
  });

  it("of an unknown model fails after its first line", async () => {
    assertStrictEquals(
      await pullText(mockOfSmall(), "other"),
      '{"status":"pulling manifest"}\n{"error":"pull model manifest: file does not exist"}\n',
    );
  });

  it("of an unknown model fails with a status where it is not to stream", async () => {
    const server = mockOfSmall();
    const response = await requestPull(server, "other", { stream: false });
    assertStrictEquals(response.status, 500);
    assertEquals(await response.json(), { error: "pull model manifest: file does not exist" });
    assertEquals(outcomesOf(server), ["finished"]);
  });

  it("from a registry without TLS requires insecure", async () => {
    const name = "http://localhost:5000/library/small";
    const models = [{ ...SMALL, name }];
    const failures: Partial<Record<DialectName, string>> = {
      "v0.1": '{"error":"insecure protocol http"}\n',
      "v0.33": '{"status":"pulling manifest"}\n' +
        '{"error":"pull model manifest: Get \\"https://localhost:5000/v2/library/small/manifests/' +
        'latest\\": http: server gave HTTP response to HTTPS client"}\n',
    };
    for (const [dialect, failure] of Object.entries(failures) as [DialectName, string][]) {
      const server = createMockServer({ models, dialect });
      assertEquals(await pullText(server, name), failure);
      assertStrictEquals((await requestPull(server, name, { stream: false })).status, 500);
      const allowed = await pullText(server, name, { insecure: true });
      assertEquals(allowed.trimEnd().split("\n").at(-1), '{"status":"success"}');
    }
  });

  it("fails with a code where the dialect has one, without a newline", async () => {
    const server = mockOfSmall({
      dialect: "client2",
      faults: [{ kind: "error", message: "full" }],
    });
    const last = async (model: string) => (await pullText(server, model)).split("\n").at(-1);
    assertEquals(await last("none"), '{"code":"not_found","error":"model \\"none\\" not found"}');
    assertEquals(await last("small"), '{"code":"internal_error","error":"full"}');
  });

  it("of 40 GB takes no real time, and the same virtual time always", async () => {
    const models = [{ name: "large", layers: [{ size: 40_000_000_000 }] }];
    const startedAt = performance.now();
    const [a, b] = [createMockServer({ models }), createMockServer({ models })];
    assertStrictEquals(await pullText(a, "large"), await pullText(b, "large"));
    assertStrictEquals(a.clock.now(), b.clock.now());
    assertStrictEquals(Math.round(a.clock.now()), 400_000);
    assert(performance.now() - startedAt < 60_000);
  });

  it("goes on while its client reads slowly, and then reports where it is", async () => {
    const server = mockOfSmall({ dialect: "v0.33", bytesPerSecond: 10_000_000 });
    const reader = await beginPull(server, 2); // the first tick, at 60 ms
    const next = async () => JSON.parse((await readLine(reader))!).completed;
    await server.clock.sleep(250);
    // Of the ticks that were missed, one is made up for.
    assertEquals([await next(), await next(), await next()], [3_100_000, 3_600_000, 4_200_000]);
    await reader.cancel();
  });

  it("is timed by the clock that is passed in", async () => {
    const clock = new VirtualClock();
    const server = mockOfSmall({ clock });
    await pullText(server);
    assertStrictEquals(server.clock, clock);
    assertStrictEquals(Math.round(clock.now()), 230);
  });

  it("ticks at the configured interval", async () => {
    const server = mockOfSmall({ dialect: "v0.33", tickMs: 20 });
    const completed = (await pullText(server)).match(/(?<="completed":)\d+/g)!.map(Number);
    assertEquals(completed.slice(0, 4), [2_000_000, 4_000_000, 6_000_000, 8_000_000]);
  });
});

describe("A request for a pull", () => {
  it("is refused without a body", async () => {
    const missing = [400, { error: "missing request body" }] as [number, unknown];
    for (const body of [null, "", " \n"]) {
      assertEquals(await sendText(mockOfSmall(), body), missing);
    }
  });

  it("is refused when it is not JSON, or has fields of wrong types", async () => {
    const server = mockOfSmall();
    assertEquals(await sendText(server, "<html>"), [400, {
      error: "invalid character '<' looking for beginning of value",
    }]);
    assertEquals(await sendText(server, '\ufeff{"model":"small"}'), [400, {
      error: "invalid character 'ï' looking for beginning of value",
    }]);
    assertEquals(await sendText(server, '{"model":["small"]}'), [400, {
      error: "json: cannot unmarshal array into Go struct field PullRequest.model of type string",
    }]);
    assertEquals(await sendText(server, '{"model":"small","stream":"no"}'), [400, {
      error: "json: cannot unmarshal string into Go struct field PullRequest.stream of type bool",
    }]);
  });

  it("is refused with an invalid name, path tricks included", async () => {
    const names = ["", "../../etc/passwd", "a/../b", "a/b/c/d", "x:", "%2e%2e/x", "x\u0000y", "é"];
    for (const model of names) {
      const response = await requestPull(mockOfSmall(), model);
      assertStrictEquals(response.status, 400, model);
      assertEquals(await response.json(), { error: "invalid model name" });
    }
  });

  it("is not confused by keys that every object inherits", async () => {
    const server = mockOfSmall();
    const [status] = await sendText(
      server,
      '{"__proto__":{"model":"evil"},"constructor":5,"toString":1,"model":"small","stream":false}',
    );
    assertStrictEquals(status, 200);
    assertStrictEquals(({} as Record<string, unknown>).model, undefined);
    for (const model of ["__proto__", "constructor", "toString"]) {
      assertEquals((await pullText(server, model)).split("\n").length, 3, model);
    }
  });

  it("has a size limit, with and without a Content-Length", async () => {
    const server = mockOfSmall({ maxBodyBytes: 1_000 });
    const long = JSON.stringify({ model: "small", padding: "x".repeat(1_000) });
    const answer = [413, { error: "http: request body too large" }] as [number, unknown];
    const told = await server.fetch("http://localhost/api/pull", {
      method: "POST",
      body: long,
      headers: { "Content-Length": String(long.length) },
    });
    assertEquals([told.status, await told.json()], answer);
    assertStrictEquals(told.headers.get("Connection"), "close");
    const untold = await server.fetch(
      "http://localhost/api/pull",
      bodyOf(long.slice(0, 500), long.slice(500)),
    );
    assertEquals([untold.status, await untold.json()], answer);
    const allowed = bodyOf('{"model":"sm', 'all","stream":false}');
    assertStrictEquals((await server.fetch("http://localhost/api/pull", allowed)).status, 200);
  });

  it("may have 10 MB, whole and in pieces", async () => {
    const server = mockOfSmall();
    const start = `{${" ".repeat(5_000_000)}`;
    const end = `${" ".repeat(5_000_000)}"model":"small","stream":false}`;
    assertEquals(await sendText(server, start + end), [200, { status: "success" }]);
    const inPieces = await server.fetch("http://localhost/api/pull", bodyOf(start, end));
    assertEquals([inPieces.status, await inPieces.json()], [200, { status: "success" }]);
  });

  it("that is hostile does not affect other pulls", async () => {
    const quiet = await pullText(mockOfSmall());
    const server = mockOfSmall();
    const reader = await beginPull(server, 2);
    await sendText(server, "{");
    await sendText(server, "[".repeat(100_000));
    await requestPull(server, "../x");
    await server.fetch("http://localhost/api/pull", { method: "DELETE" });
    const lines = quiet.trimEnd().split("\n").slice(2);
    for (const line of lines) assertStrictEquals(await readLine(reader), line);
    assertEquals(outcomesOf(server), Array(5).fill("finished"));
  });
});

describe("The download of a blob", () => {
  it("is shared by two callers, which both get reports at their own ticks", async () => {
    const server = mockOfSmall({ dialect: "v0.33" });
    const first = await beginPull(server, 2); // at 60 ms, 6 MB are there
    const second = await beginPull(server, 1);
    const read = async (reader: ReadableStreamDefaultReader<Uint8Array>) =>
      JSON.parse((await readLine(reader))!).completed;
    assertEquals(await Promise.all([read(second), read(first)]), [12_000_000, 12_000_000]);
    assertStrictEquals(server.activeDownloads, 2);
    // Both get all of the bandwidth, for it is the same download.
    assertEquals(await Promise.all([read(second), read(first)]), [18_000_000, 18_000_000]);
    await Promise.all([first.cancel(), second.cancel()]);
    assertStrictEquals(server.activeDownloads, 0);
  });

  it("goes on while one caller is left, is kept when the last one leaves, and resumes", async () => {
    const server = mockOfSmall({ dialect: "v0.33" });
    const first = await beginPull(server, 2);
    const second = await beginPull(server, 1);
    const line = readLine(second);
    await first.cancel();
    assertStrictEquals(server.activeDownloads, 1);
    assertStrictEquals(JSON.parse((await line)!).completed, 12_000_000);
    await second.cancel();
    assertStrictEquals(server.activeDownloads, 0);
    await server.clock.sleep(60_000);
    const third = await beginPull(server, 1);
    assertStrictEquals(JSON.parse((await readLine(third))!).completed, 18_000_000);
    await third.cancel();
    assertEquals(outcomesOf(server), ["cancelled", "cancelled", "cancelled"]);
  });

  it("is left at once by a client that is gone", async () => {
    const server = mockOfSmall();
    const reader = await beginPull(server, 2);
    assertStrictEquals(server.activeDownloads, 1);
    void reader.cancel();
    assertStrictEquals(server.activeDownloads, 0);
  });

  it("is not repeated for another model with the same layer", async () => {
    const other = { name: "other", layers: [{ size: 20_000_000, digest: A }] };
    const server = createMockServer({ models: [SMALL, other], dialect: "v0.33" });
    await pullText(server);
    const startedAt = server.clock.now();
    assertStrictEquals(
      (await transcript(server, "other")).split("\n")[1],
      '{"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}',
    );
    assert(server.clock.now() - startedAt < 1);
  });

  it("shares the bandwidth with that of other blobs", async () => {
    const models = ["x", "y"].map((name) => ({ name, layers: [{ size: 10_000_000 }] }));
    const server = createMockServer({ models, dialect: "v0.33" });
    const texts = await Promise.all([pullText(server, "x"), pullText(server, "y")]);
    for (const text of texts) {
      const completed = text.match(/(?<="completed":)\d+/g)!.map(Number);
      assertEquals(completed, [3_000_000, 6_000_000, 9_000_000]);
    }
    assertStrictEquals(Math.round(server.clock.now()), 200);
  });
});

describe("Pulls at the same time", () => {
  it("take turns in the same order in every run and runtime", async () => {
    const models = ["x", "y", "z"].map((name, index) => ({
      name,
      layers: [{ size: 4_000_000 * (index + 1) }],
    }));
    const server = createMockServer({ models, dialect: "v0.33" });
    const order: string[] = [];
    const pull = async (model: string, delayMs: number) => {
      await server.clock.sleep(delayMs);
      const reader = (await requestPull(server, model)).body!.getReader();
      for (let line = await readLine(reader); line !== undefined; line = await readLine(reader)) {
        const { status, completed = "" } = JSON.parse(line);
        const words = status.replace(/^pulling [0-9a-f]{12}/, "").replace(/ .*/, "");
        order.push(`${model}@${Math.round(server.clock.now())} ${words}${completed}`);
      }
    };
    await Promise.all([pull("z", 0), pull("x", 25), pull("y", 50), pull("z", 70)]);
    assertEquals(order, [
      "z@0 pulling",
      "x@25 pulling",
      "y@50 pulling",
      "z@60 4083333",
      "z@70 pulling",
      "x@85 2416666",
      "y@110 2000000",
      "z@120 6083333",
      "z@130 6416666",
      "x@133 verifying",
      "x@133 writing",
      "x@133 success",
      "y@170 4624719",
      "z@180 8874719",
      "z@190 9374719",
      "y@230 7624719",
      "y@238 verifying",
      "y@238 writing",
      "y@238 success",
      "z@240 11998877",
      "z@240 verifying",
      "z@240 writing",
      "z@240 success",
      "z@243 561",
      "z@243 verifying",
      "z@243 writing",
      "z@243 success",
    ]);
  });
});

describe("A model that has changed", () => {
  const blobsThere = async (server: MockServer) => {
    const text = await transcript(server);
    return text.match(/(?<="digest":")[A-D](?=","total":\d+,"completed")/g);
  };

  it("loses the layers that are not used any more", async () => {
    const server = mockOfSmall({ dialect: "v0.33" });
    await pullText(server);
    server.registry.publish(CHANGED);
    await pullText(server);
    server.registry.publish(SMALL);
    // The second layer is fetched anew, which takes less than a tick.
    assertEquals(await blobsThere(server), ["A", "C"]);
  });

  it("keeps layers that another model uses, although it reports removing them", async () => {
    const other = { name: "other", layers: [{ size: 3_000_000, digest: B }] };
    const server = createMockServer({ models: [SMALL, other], dialect: "v0.33" });
    await pullText(server);
    await pullText(server, "other");
    server.registry.publish(CHANGED);
    assert((await pullText(server)).includes("removing unused layers"));
    server.registry.publish(SMALL);
    assertEquals(await blobsThere(server), ["A", "B", "C"]);
  });

  it("removes nothing where layers were only added", async () => {
    const server = mockOfSmall({ dialect: "v0.33" });
    await pullText(server);
    const layers = [...SMALL.layers, { size: 5, digest: D }];
    server.registry.publish({ ...SMALL, layers });
    assert(!(await pullText(server)).includes("removing"));
  });
});

describe("A pull that its client aborts", () => {
  it("is not even begun where the signal has aborted before", async () => {
    const server = mockOfSmall();
    const signal = AbortSignal.abort(new Error("changed my mind"));
    await assertRejects(() => requestPull(server, "small", {}, { signal }), Error, "changed");
    assertEquals(server.requests.length, 0);
  });

  it("rejects at once while it is waiting for the answer", async () => {
    const server = mockOfSmall();
    const controller = new AbortController();
    const pull = requestPull(server, "small", { stream: false }, { signal: controller.signal });
    await server.clock.sleep(100);
    controller.abort(new Error("changed my mind"));
    assertStrictEquals(server.activeDownloads, 0);
    await assertRejects(() => pull, Error, "changed my mind");
    assertStrictEquals(server.clock.now(), 100);
    assertEquals(outcomesOf(server), ["cancelled"]);
  });

  it("rejects at once although its body never ends", async () => {
    const server = mockOfSmall();
    const controller = new AbortController();
    const body = new ReadableStream<Uint8Array>();
    const init = { method: "POST", body, signal: controller.signal, duplex: "half" };
    const pull = server.fetch("http://localhost/api/pull", init as RequestInit);
    await server.clock.sleep(100);
    controller.abort(new Error("changed my mind"));
    await assertRejects(() => pull, Error, "changed my mind");
    assertEquals(outcomesOf(server), ["cancelled"]);
  });

  it("fails the stream while it is being read", async () => {
    const server = mockOfSmall();
    const controller = new AbortController();
    const response = await requestPull(server, "small", {}, { signal: controller.signal });
    const reader = response.body!.getReader();
    for (let line = 0; line < 3; line++) await reader.read();
    const next = reader.read();
    controller.abort(new Error("changed my mind"));
    await assertRejects(() => next, Error, "changed my mind");
    await assertRejects(() => reader.read(), Error, "changed my mind");
    assertStrictEquals(server.activeDownloads, 0);
    assertEquals(outcomesOf(server), ["cancelled"]);
  });

  it("fails the stream that is not being read", async () => {
    const server = mockOfSmall();
    const controller = new AbortController();
    const response = await requestPull(server, "small", {}, { signal: controller.signal });
    controller.abort("a reason that is no error");
    assertStrictEquals(await response.text().catch((error) => error), "a reason that is no error");
    assertEquals(outcomesOf(server), ["cancelled"]);
  });

  it("has finished where it had before", async () => {
    const server = mockOfSmall();
    const controller = new AbortController();
    const response = await requestPull(server, "small", {}, { signal: controller.signal });
    await response.text();
    controller.abort();
    assertEquals(outcomesOf(server), ["finished"]);
  });

  it("has finished for a client that leaves after `success`", async () => {
    const server = mockOfSmall();
    const reader = (await requestPull(server)).body!.getReader();
    while (!(await readLine(reader))?.includes("success"));
    await reader.cancel();
    assertEquals(outcomesOf(server), ["finished"]);
  });

  it("leaves no timer behind in real time", async () => {
    const server = mockOfSmall({ clock: realClock });
    const [set, clear] = [spy(globalThis, "setTimeout"), spy(globalThis, "clearTimeout")];
    try {
      const readers = await Promise.all([1, 2, 3].map(() => beginPull(server, 2)));
      const reads = readers.map((reader) => reader.read());
      const waiting = requestPull(server, "small", { stream: false }, {
        signal: AbortSignal.timeout(5),
      });
      await assertRejects(() => waiting);
      await Promise.all([...readers.map((reader) => reader.cancel()), ...reads]);
      const cleared = clear.calls.map(({ args }: { args: unknown[] }) => args[0]);
      // Four pulls wait, and those share a timer that wake in the same millisecond.
      assert(set.calls.length >= 1 && set.calls.length <= 4, `${set.calls.length} timers`);
      for (const { returned } of set.calls) assert(cleared.includes(returned));
    } finally {
      set.restore();
      clear.restore();
    }
    assertStrictEquals(server.activeDownloads, 0);
  });

  it("leaves no listener behind on a signal that lives on", async () => {
    const server = mockOfSmall();
    const { signal } = new AbortController();
    const request = new Request("http://localhost/api/pull", {
      method: "POST",
      body: '{"model":"small"}',
      signal,
    });
    const [add, remove] = [
      spy(request.signal, "addEventListener"),
      spy(request.signal, "removeEventListener"),
    ];
    await (await server.fetch(request)).text();
    assert(add.calls.length > 0);
    assertSpyCalls(remove, add.calls.length);
  });
});

describe("The log of requests", () => {
  it("reports what arrived and how it ended", async () => {
    const server = mockOfSmall();
    const init = { headers: { "X-Client": "test" } };
    const text = await (await requestPull(server, "small", { extra: [1] }, init)).text();
    const { headers, ...request } = server.requests[0]!;
    assertEquals(request, {
      id: 1,
      method: "POST",
      path: "/api/pull",
      body: { model: "small", extra: [1] },
      model: "small",
      status: 200,
      outcome: "finished",
      error: undefined,
      faults: [],
      bytesSent: text.length,
      startedAt: 0,
      endedAt: server.clock.now(),
    });
    assertStrictEquals(headers.get("X-Client"), "test");
  });

  it("shows a pull while it runs", async () => {
    const server = mockOfSmall();
    const reader = await beginPull(server, 2);
    const { outcome, endedAt, status } = server.requests[0]!;
    assertEquals({ outcome, endedAt, status }, {
      outcome: "running",
      endedAt: undefined,
      status: 200,
    });
    await reader.cancel();
  });

  it("keeps bodies that are not JSON as text, and long ones not at all", async () => {
    const server = mockOfSmall();
    await sendText(server, "nonsense");
    await sendText(server, JSON.stringify({ model: "x".repeat(20_000) }));
    assertEquals(server.requests.map(({ body }) => body), ["nonsense", undefined]);
  });

  it("calls back with each request when it has ended, its status included", async () => {
    const ended: [string, number | undefined, string][] = [];
    const server = mockOfSmall({
      onRequest: ({ path, status, outcome }) => ended.push([path, status, outcome]),
    });
    await pullText(server);
    await sendText(server, "");
    await server.fetch("http://localhost/api/version");
    await server.fetch("http://localhost/nowhere");
    assertEquals(ended, [
      ["/api/pull", 200, "finished"],
      ["/api/pull", 400, "finished"],
      ["/api/version", 200, "finished"],
      ["/nowhere", 404, "finished"],
    ]);
  });
});

describe("What C is", () => {
  it("is the config, which is pulled last", async () => {
    const digests = (await pullText(mockOfSmall())).match(/(?<="digest":")[^"]+/g);
    assertStrictEquals(digests?.at(-1), C);
  });
});
