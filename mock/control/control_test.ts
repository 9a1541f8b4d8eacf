/**
 * Shows that a test can do over HTTP what it can do in process, and that bad input is refused with its place
 * and harms nobody. Every answer is held against the OpenAPI document.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { beginPull, post, pullText, readLine, SMALL } from "../test_helpers.ts";
import { createMockServer } from "../mod.ts";
import { ControlledTest } from "./control_test_helpers.ts";

const OF_SMALL = { models: [SMALL] };

describe("The set-up over HTTP", () => {
  it("is told, and replaced as a whole", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    assertEquals((await ask("GET", "/setup")).json, { models: [SMALL], clock: "virtual" });
    await pullText(server);
    const setup = {
      models: ["tiny", { name: "large", size: "40GB" }],
      installed: ["tiny", { name: "there", size: "1KiB", details: { parameter_size: "7B" } }],
      dialect: "v0.33",
      rate: "1GB/s",
      clock: "virtual",
    };
    assertStrictEquals((await ask("PUT", "/setup", setup)).status, 200);
    assertEquals(server.requests, []);
    const { models } = await (await server.fetch("http://localhost/api/tags")).json();
    assertEquals(models.map(({ name }: { name: string }) => name), ["tiny:latest", "there:latest"]);
    assertStrictEquals(models[1].details.parameter_size, "7B");
    assertMatch(await pullText(server, "large"), /"total":40000000000.*success/s);
    assertMatch(await pullText(server, "small"), /file does not exist/);
  });

  it("is taken as it is told", async () => {
    const { ask } = bound(await ControlledTest.begin({ ...OF_SMALL, bytesPerSecond: Infinity }));
    const registry = { requireToken: true, rate: "2MiB/s", faults: [{ kind: "slow", ms: 5 }] };
    for (
      const setup of [{}, { faults: ["cut@50%"], registry }, { faults: { chance: 0.5 }, seed: 7 }]
    ) {
      const { json } = await ask("PUT", "/setup", setup);
      assertEquals((await ask("PUT", "/setup", json)).json, json);
      assertEquals((await ask("GET", "/setup")).json, json);
    }
  });

  it("plays recordings, which it tells as they were given", async () => {
    const text = [
      '{"format":"ollama-pull-recording","version":1,"recordedAt":"2026-11-29T15:00:00.000Z","recordedBy":"x"}',
      '{"exchange":1,"startedAtMs":0,"request":{"url":"http://127.0.0.1/api/pull","body":{"model":"r"}}}',
      '{"exchange":1,"atMs":5,"answer":{"status":200,"contentType":"application/x-ndjson"}}',
      '{"exchange":1,"atMs":9,"text":"{\\"status\\":\\"success\\"}\\n"}',
      '{"exchange":1,"atMs":9,"end":"whole"}',
      "",
    ].join("\n");
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    const setup = { models: [], recordings: [text], replaySpeed: "unlimited", clock: "virtual" };
    assertEquals((await ask("PUT", "/setup", setup)).json, setup);
    assertStrictEquals(await pullText(server, "r"), '{"status":"success"}\n');
    const { json } = await ask("PUT", "/setup", { recordings: [text, "Hello"] });
    assertMatch(json.error, /^recordings\[1\]: Cannot read the recording: line 1 is not JSON/);
  });

  it("is that of the start again after a reset", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    const first = await pullText(server);
    const before = (await ask("GET", "/setup")).json;
    await ask("PUT", "/setup", { models: ["tiny"], dialect: "v0.5", faults: ["cut"] });
    await ask("POST", "/reset");
    assertEquals((await ask("GET", "/setup")).json, before);
    assertEquals((await ask("GET", "/faults")).json, { faults: [], unstruck: [] });
    assertStrictEquals(await pullText(server), first);
  });

  it("stays as it is where a new one cannot be used", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    const text = await pullText(server);
    for (const bad of [{ models: ["nix"] }, { faults: ["cut,model=nix"] }, { rate: "fast" }]) {
      assertStrictEquals((await ask("PUT", "/setup", bad)).status, 400);
    }
    assertStrictEquals(server.requests.length, 1);
    server.reset();
    assertStrictEquals(await pullText(server), text);
  });

  it("names the place of each problem", async () => {
    const { ask } = bound(await ControlledTest.begin(OF_SMALL));
    const placesOf = async (setup: unknown) =>
      (await ask("PUT", "/setup", setup)).json.problems.map(({ place }: { place: string }) =>
        place
      );
    assertEquals(await placesOf({ modles: [], tickMs: 0 }), ["tickMs", "modles"]);
    assertEquals(await placesOf({ models: ["tiny", { name: "x", size: {} }] }), ["models[1].size"]);
    assertEquals(await placesOf({ models: [{ size: 1 }] }), ["models[0].name"]);
    assertEquals(await placesOf({ models: ["tiny", "tiny"] }), ["models[1]"]);
    assertEquals(await placesOf({ models: [{ name: "x", size: "1 XB" }] }), ["models[0].size"]);
    assertEquals(await placesOf({ installed: ["nix"] }), ["installed[0]"]);
    assertEquals(await placesOf({ faults: ["cut", { kind: "cut", tims: 1 }] }), ["faults[1].tims"]);
    assertEquals(await placesOf({ faults: [{ kind: "cut", at: { line: 0 } }] }), [
      "faults[0].at.line",
    ]);
    assertEquals(await placesOf({ faults: ["cut", "cut@x"] }), ["faults[1]"]);
    assertEquals(await placesOf({ faults: { chance: 2 } }), ["faults.chance"]);
    assertEquals(await placesOf({ registry: { faults: [{ kind: "nix" }] } }), [
      "registry.faults[0].kind",
    ]);
    assertEquals(await placesOf({ registry: { faults: [{ kind: "slow", text: "" }] } }), [
      "registry",
    ]);
    assertEquals(await placesOf({ fallback: "ftp://x" }), ["fallback"]);
    assertEquals(await placesOf({ clock: "slow" }), ["clock"]);
    assertEquals(await placesOf([]), [""]);
  });
});

describe("Faults over HTTP", () => {
  it("are added, listed, replaced and taken away", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    const cut = { kind: "cut", at: { completed: "50%" }, times: 1 };
    assertEquals(await ask("POST", "/faults", "cut@50%,times=1"), { status: 201, json: cut });
    assertEquals((await ask("POST", "/faults", { kind: "crlf" })).status, 201);
    assertEquals((await ask("GET", "/faults")).json.unstruck, [cut, { kind: "crlf" }]);
    assert(!(await pullText(server)).includes("success"));
    assertMatch(await pullText(server), /success"}\r\n$/);
    assertEquals((await ask("GET", "/faults")).json.unstruck, []);
    assertEquals((await ask("PUT", "/faults", ["error"])).json.faults, [{ kind: "error" }]);
    assertEquals((await ask("PUT", "/faults", { chance: 1, kinds: ["cut"] })).json, {
      faults: { chance: 1, kinds: ["cut"] },
      unstruck: [],
    });
    await ask("DELETE", "/faults");
    assertMatch(await pullText(server), /success"}\n$/);
    assertEquals(server.requests.map(({ outcome }) => outcome), [
      "faulted",
      "finished",
      "finished",
    ]);
  });

  it("name the fault and the field that cannot be used", async () => {
    const { ask } = bound(await ControlledTest.begin(OF_SMALL));
    const errorOf = async (body: unknown) => (await ask("POST", "/faults", body)).json.error;
    assertStringIncludes(await errorOf(5), "fault: Cannot use 5: it must be a string or an object");
    assertStringIncludes(
      await errorOf({ kind: "cut", ms: 5 }),
      "fault.ms: Unknown field: it must be one of kind",
    );
    assertStringIncludes(await errorOf({ kind: "cat" }), "fault.kind: ");
    assertStringIncludes(
      await errorOf({ kind: "http-error", status: 200 }),
      "fault: Cannot use the status",
    );
    assertStringIncludes(await errorOf("cut,model=nix"), 'fault: Cannot use the model "nix"');
    assertMatch((await ask("PUT", "/faults", ["cut", "cat"])).json.error, /^faults\[1\]: /);
  });
});

describe("A hold over HTTP", () => {
  it("has a pull wait until it is let go on", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    const at = { layer: 0, completed: "50%" };
    assertEquals((await ask("POST", "/holds", { at })).json, { id: 1, at, isReached: false });
    const early = await ask("GET", "/holds/1/reached?timeoutMs=1");
    assertEquals(early, {
      status: 504,
      json: { error: "No pull reached hold 1 within 1 ms" },
    });
    const pulling = pullText(server);
    assertEquals((await ask("GET", "/holds/1/reached")).json, { id: 1, at, isReached: true });
    assertEquals((await ask("GET", "/downloads")).json, { active: 1 });
    await ask("POST", "/holds/1/release");
    assertMatch(await pulling, /"completed":10000000\}.*success/s);
    assertEquals((await ask("GET", "/downloads")).json, { active: 0 });
  });

  it("is half-way unless told, and may be let go on before", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    assertEquals((await ask("POST", "/holds")).json, { id: 1, isReached: false });
    await ask("POST", "/holds/1/release");
    assertMatch(await pullText(server), /success/);
    assertEquals((await ask("GET", "/holds")).json.holds.length, 1);
  });

  it("is let go on by a reset", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await ask("POST", "/holds", { at: { line: 2 } });
    const pulling = pullText(server);
    await ask("GET", "/holds/1/reached");
    await ask("POST", "/reset");
    assertMatch(await pulling, /success/);
    assertEquals((await ask("GET", "/holds")).json, { holds: [] });
  });

  it("is refused where there is none such", async () => {
    const { ask } = bound(await ControlledTest.begin(OF_SMALL));
    assertStrictEquals((await ask("GET", "/holds/1/reached")).status, 404);
    assertStrictEquals((await ask("POST", "/holds/1/release")).status, 404);
    assertStrictEquals((await ask("POST", "/holds/x/release")).status, 400);
    assertMatch(
      (await ask("POST", "/holds", { at: { layer: 9 } })).json.error,
      /^hold: Cannot use the layer 9/,
    );
    assertMatch(
      (await ask("POST", "/holds", { at: {} })).json.error,
      /^hold: Cannot use the point/,
    );
  });
});

describe("The requests over HTTP", () => {
  it("are listed with their bodies, those of a path by themselves", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await server.fetch("http://localhost/api/version");
    const fields = { model: "small", stream: false };
    await (await post(server, "/api/pull", fields, { headers: { "X-A": "b" } })).text();
    const { requests } = (await ask("GET", "/requests")).json;
    assertEquals(requests.map(({ path }: { path: string }) => path), ["/api/version", "/api/pull"]);
    const [pull] = (await ask("GET", "/requests?path=/api/pull")).json.requests;
    assertEquals(pull.body, fields);
    assertStrictEquals(pull.headers["x-a"], "b");
    assertStrictEquals(pull.outcome, "finished");
    await ask("DELETE", "/requests");
    assertEquals((await ask("GET", "/requests")).json, { requests: [] });
  });

  it("are waited for until one has ended", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await server.fetch("http://localhost/api/version");
    const late = await ask("GET", "/requests/1?path=/api/pull&timeoutMs=1");
    assertStrictEquals(
      late.json.error,
      "Request 1 of /api/pull did not arrive within 1 ms: there are 0",
    );
    const reader = await beginPull(server, 2);
    const running = await ask("GET", "/requests/1?path=/api/pull&timeoutMs=1");
    assertStrictEquals(
      running.json.error,
      "Request 1 of /api/pull did not end within 1 ms: it is still running",
    );
    const ended = ask("GET", "/requests/1?path=/api/pull");
    await reader.cancel();
    assertStrictEquals((await ended).json.outcome, "cancelled");
    assertStrictEquals((await ask("GET", "/requests/1")).json.path, "/api/version");
    assertStrictEquals((await ask("GET", "/requests/0")).status, 400);
  });
});

describe("The clock over HTTP", () => {
  it("is moved step by step", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await ask("PUT", "/setup", { ...OF_SMALL, clock: "step" });
    assertEquals((await ask("GET", "/clock")).json.mode, "step");
    const reader = await beginPull(server, 2);
    const line = readLine(reader);
    assertStrictEquals((await ask("POST", "/clock/advance", { ms: 60 })).json.now, 60);
    assertMatch(await line ?? "", /"completed":6000000\}$/);
    await reader.cancel();
  });

  it("moves on by itself where it is no such clock", async () => {
    const { ask } = bound(await ControlledTest.begin(OF_SMALL));
    assertStrictEquals((await ask("POST", "/clock/advance", { ms: 1 })).status, 409);
    assertStrictEquals((await ask("POST", "/clock/advance", { ms: -1 })).status, 400);
  });
});

describe("The registry over HTTP", () => {
  it("offers models and takes them back", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await ask("POST", "/models", { name: "my/model:7b", size: "1KiB" });
    assertEquals((await ask("GET", "/models")).json, { models: ["small:latest", "my/model:7b"] });
    assertMatch(await pullText(server, "my/model:7b"), /"total":1024.*success/s);
    assertStrictEquals((await ask("DELETE", "/models?model=my/model:7b")).status, 204);
    assertStrictEquals((await ask("DELETE", "/models?model=my/model:7b")).status, 404);
    assertStrictEquals((await ask("DELETE", "/models?model=..")).status, 400);
    assertStrictEquals(
      (await ask("DELETE", "/models")).json.error,
      "model: This parameter is missing",
    );
    assertMatch(
      (await ask("POST", "/models", "nix")).json.error,
      /^model: Cannot use the preset "nix"/,
    );
  });

  it("installs models at once", async () => {
    const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
    await ask("POST", "/installed", "small");
    const { models } = await (await server.fetch("http://localhost/api/tags")).json();
    assertEquals(models.map(({ name }: { name: string }) => name), ["small:latest"]);
    assert(!(await pullText(server)).includes('"completed":0'));
    assertMatch(
      (await ask("POST", "/installed", { name: "x", size: -1 })).json.error,
      /^model\.size: /,
    );
  });
});

describe("The control interface", () => {
  it("says what is wrong with a body, a path or a method", async () => {
    const server = createMockServer({ control: true });
    const ask = async (method: string, path: string, body?: string) => {
      const response = await server.fetch(`http://localhost/__mock${path}`, {
        method,
        ...(body && { body }),
      });
      return `${response.status} ${(await response.json()).error}`;
    };
    assertMatch(await ask("PUT", "/setup", "{models"), /^400 The body is not JSON: /);
    assertStrictEquals(await ask("PUT", "/setup"), "400 The body is missing: send JSON");
    assertStrictEquals(
      await ask("GET", "/nix"),
      "404 There is no /__mock/nix: see /__mock/openapi.json",
    );
    assertStrictEquals(await ask("POST", "/setup"), "405 /__mock/setup takes GET, PUT, not POST");
  });

  it("takes JSON that does not say so, as `curl -d` sends it", async () => {
    const server = createMockServer({ control: true });
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const init = { method: "POST", headers, body: '"cut"' };
    assertStrictEquals((await server.fetch("http://localhost/__mock/faults", init)).status, 201);
  });

  it("logs none of its own requests", async () => {
    const { server, ask } = bound(await ControlledTest.begin());
    await ask("GET", "/setup");
    assertEquals(server.requests, []);
  });

  it("disturbs no pull that it does not name, whatever is sent to it", async () => {
    const undisturbed = await pullText(createMockServer(OF_SMALL));
    const call = fc.record({
      route: fc.constantFrom(
        "PUT /setup",
        "POST /reset",
        "PUT /faults",
        "POST /faults",
        "DELETE /faults",
        "POST /holds",
        "POST /holds/1/release",
        "DELETE /requests",
        "POST /clock/advance",
        "POST /models",
        "DELETE /models?model=tiny",
        "POST /installed",
      ),
      body: fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom<unknown>(
          {},
          [],
          "cut@0",
          "http-error",
          "tiny",
          ["reset"],
          { models: ["tiny"] },
          { clock: "step" },
          { name: "x", size: 5 },
          { chance: 1 },
          { ms: 1_000 },
          { dialect: "tensor", rate: "1KB/s" },
          { at: { line: 1 }, model: "tiny" },
          { models: [{ ...SMALL, layers: [] }] },
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 8 }), fc.nat(8), async (calls, lines) => {
        const { server, ask } = bound(await ControlledTest.begin(OF_SMALL));
        const reader = (await post(server, "/api/pull", { model: "small" })).body!.getReader();
        let text = "";
        for (let line = 0; line < lines; line++) text += `${await readLine(reader)}\n`;
        for (const { route, body } of calls) {
          const [method, path] = route.split(" ") as [string, string];
          const { status } = await ask(method, path, body);
          assert(status < 500, `${route} ${JSON.stringify(body)}: ${status}`);
        }
        for (let line = await readLine(reader); line !== undefined; line = await readLine(reader)) {
          text += `${line}\n`;
        }
        assertStrictEquals(text, undisturbed);
      }),
      { numRuns: 60 },
    );
  });
});

/** The parts of a test, so that they can be used by themselves. */
function bound(test: ControlledTest) {
  const ask: ControlledTest["ask"] = (...parameters) => test.ask(...parameters);
  return { server: test.server, ask };
}
