/**
 * Shows that the mock can be served and stopped, says what it does, and refuses what it cannot be.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { faultKinds } from "../../mock/mod.ts";
import { EXIT, Interruption, UsageError } from "../command.ts";
import { main } from "../main.ts";
import { Recorder, serve, TestContext } from "../test_helpers.ts";
import { parseModel } from "./mock.ts";
import { describeRequest } from "./mock_run.ts";

describe("describeRequest", () => {
  it("is one line, without what would steer a terminal", () => {
    const line = describeRequest({
      id: 1,
      method: "POST",
      path: "/api/pull",
      headers: new Headers(),
      body: undefined,
      model: "a\u001b[2Jb\n",
      status: 200,
      outcome: "faulted",
      error: undefined,
      faults: ["cut"],
      bytesSent: 1_400,
      startedAt: 0,
      endedAt: 1,
    });
    assertMatch(
      line,
      /^\d\d:\d\d:\d\d {2}POST {2}\/api\/pull {2}ab {2}200 {2}faulted {2}1\.4 kB {2}faults: cut$/,
    );
  });
});

describe("parseModel", () => {
  const parse = (text: string) => parseModel(text, "--model", ["tiny", "llama3.2"]);

  it("takes a preset by any of its names", () => {
    for (const name of ["tiny", "Tiny:latest", "library/tiny"]) assertEquals(parse(name), "tiny");
  });

  it("takes any other name, and a size", () => {
    assertEquals(parse("dummy"), { name: "dummy" });
    assertEquals(parse("tiny:2b"), { name: "tiny:2b" });
    assertEquals(parse("my/name:tag=40GB"), { name: "my/name:tag", size: 40e9 });
    assertEquals(parse("tiny=1KiB"), { name: "tiny", size: 1_024 });
  });

  it("refuses names and sizes that cannot be used", () => {
    assertThrows(() => parse("dummy=large"), UsageError, '--model: Cannot use the size "large"');
    assertThrows(() => parse("dummy=1=2"), UsageError, '--model: Cannot use the size "1=2"');
    for (const text of ["", "../x", "=1GB"]) assertThrows(() => parse(text), UsageError);
  });
});

describe("mock", () => {
  /** Serves a mock, calls back with its address, and returns its exit code. */
  async function withMock(
    args: readonly string[],
    use: (url: string) => Promise<void>,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const context = new TestContext(new Recorder());
    const { promise: started, resolve } = Promise.withResolvers<string>();
    context.stdout.onWrite = () => {
      const [, url] = /(http:[\d./:]+)/.exec(context.stdout.text) ?? [];
      if (url !== undefined) resolve(url);
    };
    const ended = main(["mock", "--port", "0", ...args], context);
    const used = started.then(use).finally(() => {
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
    });
    const code = await ended;
    if (code === EXIT.success) await used;
    return { code, stdout: context.stdout.text, stderr: context.stderr.text };
  }

  const pull = async (url: string, model: string) => {
    const body = JSON.stringify({ model, stream: false });
    return await (await fetch(`${url}/api/pull`, { method: "POST", body })).json();
  };

  const list = async (url: string): Promise<[name: string, size: number][]> => {
    const { models } = await (await fetch(`${url}/api/tags`)).json();
    return models.map(({ name, size }: { name: string; size: number }) => [name, size]);
  };

  it("offers the models that it is given, of any name and size, and no other", async () => {
    const args = ["--model", "dummy", "--model", "x/y:7b=40GB", "--rate", "unlimited"];
    const { code } = await withMock(args, async (url) => {
      assertEquals(await pull(url, "dummy"), { status: "success" });
      assertEquals(await pull(url, "x/y:7b"), { status: "success" });
      assertStringIncludes((await pull(url, "tiny")).error, "file does not exist");
      assertEquals((await list(url))[0], ["x/y:7b", 40_000_002_086]);
    });
    assertEquals(code, EXIT.success);
  });

  it("offers any model, and has those that are installed", async () => {
    const args = ["--any-model", "--installed", "tiny", "--installed", "there"];
    args.push("--model", "there=1GB"); // of which it is the size in both places
    const { code } = await withMock(args, async (url) => {
      const models = await list(url);
      assertEquals(models.map(([name]) => name), ["tiny:latest", "there:latest"]);
      assertEquals(models[1]![1], 1_000_002_086);
      assertEquals(await pull(url, "anything"), { status: "success" });
    });
    assertEquals(code, EXIT.success);
  });

  it("says what it offers, in which dialect, with which faults, and which never struck", async () => {
    const args = [
      "--model",
      "tiny",
      "--any-model",
      "--fault",
      "cut@line:1000",
      "--fault",
      "reset@50%",
    ];
    const { code, stdout, stderr } = await withMock(args, async (url) => {
      await pull(url, "tiny").catch(() => {});
      await pull(url, "../x");
    });
    assertEquals(code, EXIT.success);
    const [offers, dialect, listens, ...requests] = stdout.split("\n");
    assertEquals(offers, "Models: tiny, any other model");
    assertEquals(dialect, "Dialect: spec, with the faults cut@line:1000; reset@50%");
    assertMatch(listens!, /^The mock listens on http:\/\/127\.0\.0\.1:\d+; Ctrl-C stops it$/);
    assertMatch(requests[0]!, / tiny {2}200 {2}faulted .* faults: reset$/);
    assertMatch(requests[1]!, / 400 {2}finished {2}error: invalid model name$/);
    assertEquals(stderr, "Faults that never struck: cut@line:1000\n");
  });

  it("writes the address and each request as lines of JSON for a program, without secrets", async () => {
    const args = ["--json", "--model", "tiny", "--rate", "unlimited", "--fault", "cut@line:1000"];
    const { code, stdout, stderr } = await withMock(args, async (url) => {
      await pull(url, "tiny");
      await pull(url, "gone");
    });
    assertEquals([code, stderr], [EXIT.success, ""]);
    const [first, ...rest] = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(Object.keys(first)[0], "url");
    assertEquals(first.models, ["tiny"]);
    assertEquals(rest.map(({ request }) => request && [request.model, request.error]), [
      ["tiny", undefined],
      ["gone", "pull model manifest: file does not exist"],
      undefined,
    ]);
    assertEquals("headers" in rest[0].request || "body" in rest[0].request, false);
    assertEquals(rest[2], { unstruckFaults: [{ kind: "cut", at: { line: 1_000 } }] });
  });

  it("ends with the program that holds it: when standard input ends, and for programs only", async () => {
    const asked: string[] = [];
    for (const args of [["--json"], []]) {
      const context = new TestContext(new Recorder());
      context.onInputEnd = (end) => {
        asked.push(args.join());
        queueMicrotask(end);
        return () => asked.push("stopped");
      };
      if (args.length === 0) context.interruption.abort(new Interruption("", EXIT.interrupted));
      assertEquals(await main(["mock", "--port", "0", ...args], context), EXIT.success);
      assertEquals(context.callbacks.size, 0);
    }
    assertEquals(asked, ["--json", "stopped"]);
  });

  it("lets pages of an origin call it", async () => {
    await withMock(["--origin", "https://app.test"], async (url) => {
      const headers = { Origin: "https://app.test" };
      const response = await fetch(`${url}/api/version`, { headers });
      await response.body?.cancel();
      assertEquals(response.headers.get("Access-Control-Allow-Origin"), "https://app.test");
    });
  });

  it("lists all kinds of faults, and how they are written", async () => {
    const context = new TestContext(new Recorder());
    assertEquals(await main(["mock", "--list-faults"], context), EXIT.success);
    for (const kind of Object.keys(faultKinds)) {
      assertMatch(context.stdout.text, new RegExp(`^${kind} `, "m"));
    }
    assertStringIncludes(context.stdout.text, "sends nothing for a time (ms=60000)");
  });

  it("says what is wrong with a model or a rate", async () => {
    const refuse = async (args: readonly string[], message: string) => {
      const { code, stderr } = await withMock(args, () => Promise.resolve());
      assertEquals(code, EXIT.usage);
      assertStringIncludes(stderr, message);
    };
    await refuse(["--model", "x=big"], '--model: Cannot use the size "big"');
    await refuse(
      ["--installed", "a", "--installed", "a=1GB"],
      'install the model "a:latest" twice',
    );
    await refuse(["--rate", "fast"], "such as 100MB/s or 2MiB/s, or unlimited");
    await refuse(
      ["--fallback", "ftp://x"],
      'error: Cannot forward requests: Cannot use the host "ftp://x": the scheme must be http or https',
    );
  });

  it("takes a set-up from a file, of which options replace parts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mock-"));
    const file = join(folder, "mock.json");
    const setup = { models: [{ name: "a", size: "5GB" }], rate: "1GB/s", clock: "virtual" };
    await writeFile(file, JSON.stringify({ ...setup, faults: ["crlf"], dialect: "v0.5" }));
    const { stdout } = await withMock(["--config", file], async (url) => {
      const init = { method: "POST", body: '{"model":"a"}' };
      assertMatch(await (await fetch(`${url}/api/pull`, init)).text(), /"total":5000000000.*\r\n/);
    });
    assertStringIncludes(stdout, "Models: a\nDialect: v0.5, with the faults crlf\n");
    const options = ["--model", "b", "--dialect", "spec", "--fault", "cut"];
    const other = await withMock(["--config", file, ...options], () => Promise.resolve());
    assertStringIncludes(
      other.stdout,
      "Models: b\nDialect: spec, with the faults cut\n",
    );
    const refuse = async (text: string, message: RegExp) => {
      await writeFile(file, text);
      const { code, stderr } = await withMock(["--config", file], () => Promise.resolve());
      assertEquals(code, EXIT.usage);
      assertMatch(stderr, message);
    };
    await refuse("{", /--config .*mock.json: It is not JSON: /);
    await refuse('{"model":"a"}', /--config .*mock.json: model: Unknown field: it must be one of /);
    await refuse(
      '{"faults":["cat"]}',
      /--config .*mock.json: faults\[0\]: Cannot use the fault "cat"/,
    );
    await refuse('{"models":["nix"]}', /models\[0\]: Cannot use the preset "nix"/);
    await rm(folder, { recursive: true });
    await refuseMissing(file);
  });

  const refuseMissing = async (file: string) => {
    const { code, stderr } = await withMock(["--config", file], () => Promise.resolve());
    assertEquals(code, EXIT.usage);
    assertMatch(stderr, /--config .*mock.json: .*ENOENT|os error 2/);
  };

  it("is steered by tests where it is to be, and by nobody else", async () => {
    const { stdout } = await withMock(["--control", "--json", "--model", "tiny"], async (url) => {
      const init = { method: "POST", body: '"error"' };
      assertEquals((await fetch(`${url}/__mock/faults`, init)).status, 201);
      assertMatch((await pull(url, "tiny")).error, /max retries exceeded/);
    });
    const { url, control } = JSON.parse(stdout.split("\n")[0]!);
    assertEquals(control, `${url}/__mock`);
    assertEquals(stdout.split("\n").length, 2, "a program that steers it need not read on");
    await withMock([], async (url) => {
      assertEquals((await fetch(`${url}/__mock/faults`)).status, 404);
    });
  });

  it("lives by a time that passes at once, or that a test moves", async () => {
    const slow = ["--model", "a=100GB", "--rate", "100MB/s", "--json"];
    await withMock([...slow, "--clock", "virtual"], async (url) => {
      assertEquals(await pull(url, "a"), { status: "success" });
    });
    await withMock([...slow, "--clock", "step", "--control"], async (url) => {
      const post = async (path: string, body: unknown) => {
        const init = { method: "POST", body: JSON.stringify(body) };
        return await (await fetch(`${url}/__mock${path}`, init)).json();
      };
      const hold = { at: { completed: 0 } }; // so that the pull is known to have begun
      await post("/holds", hold);
      const pulling = pull(url, "a");
      assertEquals(await (await fetch(`${url}/__mock/holds/1/reached`)).json(), {
        ...hold,
        id: 1,
        isReached: true,
      });
      await fetch(`${url}/__mock/holds/1/release`, { method: "POST" });
      assertEquals((await post("/clock/advance", { ms: 1_001_000 })).now, 1_001_000);
      assertEquals(await pulling, { status: "success" });
    });
    const { code, stderr } = await withMock(["--clock", "fast"], () => Promise.resolve());
    assertEquals(code, EXIT.usage);
    assertStringIncludes(
      stderr,
      '--clock: Cannot use "fast": it must be one of real, virtual, step',
    );
  });

  it("forwards what it does not serve, and logs it like the rest", async () => {
    const upstream = await serve((response) => response.end("chatted"));
    const { stdout } = await withMock(["--fallback", upstream.url], async (url) => {
      const init = { method: "POST", body: '{"model":"x"}' };
      assertEquals(await (await fetch(`${url}/api/chat`, init)).text(), "chatted");
      assertEquals(await (await fetch(url)).text(), "Ollama is running");
    });
    await upstream.close();
    assertEquals(upstream.bodies, [{ model: "x" }]);
    const [chat, root] = stdout.trim().split("\n").slice(-2);
    assertMatch(chat!, / {2}POST {2}\/api\/chat {2}200 {2}finished {2}7 B$/);
    assertMatch(root!, / {2}GET {2}\/ {2}200 {2}finished$/);
  });
});
