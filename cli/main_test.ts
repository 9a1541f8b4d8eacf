/**
 * The real command in a process of its own, on the runtime that runs the tests.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NO_REGISTRY, PULL_LINES, sendLines, serve, withServer } from "./test_helpers.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const RUN = "Deno" in globalThis ? ["run", "-A", "--no-check", MAIN] : [MAIN];

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Command {
  const child = spawn(process.execPath, [...RUN, ...args], {
    env: { ...process.env, OLLAMA_HOST: "", OLLAMA_PULL_REGISTRY: NO_REGISTRY, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => stdout += chunk);
  child.stderr.on("data", (chunk) => stderr += chunk);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

const run = (args: readonly string[], env?: Record<string, string>) => start(args, env).ended;

/** An address at which nobody listens: that of a server which is gone. */
async function deadAddress(): Promise<string> {
  const server = await serve(() => {});
  await server.close();
  return server.url;
}

describe("the command", () => {
  it("exits with 0 and writes plain lines when it is not on a terminal", async () => {
    await withServer(sendLines(PULL_LINES), async ({ url }) => {
      const { code, stdout, stderr } = await run(["pull", "llama3.2"], { OLLAMA_HOST: url });
      assertEquals(stderr, "");
      assertEquals(code, 0);
      const lines = stdout.trimEnd().split("\n");
      assertEquals(lines[0], "pulling manifest");
      assertEquals(lines.slice(-4, -1), ["verifying sha256 digest", "writing manifest", "success"]);
      assertMatch(lines.at(-1)!, /^llama3\.2: 1\.0 kB in \d+ s, .*400 B already present$/);
      assertEquals(stdout.includes("\x1b"), false);
    });
  });

  it("writes one snapshot a line, and nothing else, with --json", async () => {
    await withServer(sendLines(PULL_LINES), async ({ url }) => {
      const { code, stdout } = await run(["pull", "llama3.2", "--host", url, "--json"]);
      assertEquals(code, 0);
      assert(stdout.endsWith("\n"));
      const snapshots = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assertEquals(snapshots[0].phase, "manifest");
      assertEquals(snapshots.at(-1).phase, "success");
      assertEquals(snapshots.at(-1).fraction, 1);
      assertEquals(snapshots.at(-1).completed, 1000);
    });
  });

  it("exits with 1 and one line when the model is unknown", async () => {
    const lines = [PULL_LINES[0]!, '{"error":"pull model manifest: file does not exist"}\n'];
    await withServer(sendLines(lines), async ({ url }) => {
      const { code, stdout, stderr } = await run(["pull", "lama", "--host", url, "--json"]);
      assertEquals(code, 1);
      const written = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assertEquals(written.map(({ phase, error }) => phase ?? error.reason), [
        "manifest",
        "model-not-found",
      ]);
      assertEquals(
        stderr,
        'error: Model "lama" not found: pull model manifest: file does not exist. ' +
          "Check its name and tag at https://ollama.com/library\n",
      );
    });
  });

  it("exits with 1 and one line when nobody listens", async () => {
    const url = await deadAddress();
    const { code, stderr } = await run(["pull", "a", "--host", url]);
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      `error: Cannot reach ${url}: connection refused. Is Ollama running`,
    );
    assertEquals(stderr.split("\n").length, 2);
  });

  it("exits with 1 and one line when a proxy answers", async () => {
    await withServer((response) => {
      response.writeHead(502).end("<html>\n<h1>Bad Gateway</h1>\x1b[2J");
    }, async ({ url }) => {
      const { code, stderr } = await run(["pull", "a", "--host", url, "--retry-for", "off"]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "HTTP 502 Bad Gateway, not from Ollama");
      assertStringIncludes(stderr, "A proxy could not reach Ollama, or Ollama is busy");
      assertEquals([stderr.split("\n").length, stderr.includes("\x1b")], [2, false]);
    });
  });

  it("exits with 1 and says how to resume when the stream is cut", async () => {
    await withServer(sendLines(PULL_LINES.slice(0, 2)), async ({ url }) => {
      const { code, stderr } = await run(["pull", "a", "--host", url, "--retries", "0"]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "ended without success");
      assertStringIncludes(stderr, `kept; to resume, run: `);
      assertStringIncludes(stderr, ` pull a --host ${url} --retries 0\n`);
    });
  });

  it("reaches this machine directly, whatever proxy is named", async () => {
    const proxy = await deadAddress();
    await withServer(sendLines(PULL_LINES), async ({ url }) => {
      const env = { HTTP_PROXY: proxy, http_proxy: proxy, NODE_USE_ENV_PROXY: "1" };
      const { code, stderr } = await run(["pull", "a", "--host", url], env);
      assertEquals([code, stderr], [0, ""]);
    });
  });

  it("exits with 2 and a suggestion when an option is unknown", async () => {
    const { code, stdout, stderr } = await run(["pull", "a", "--jsno"]);
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr, "error: unknown option '--jsno' (Did you mean --json?)\n");
  });

  it("exits with 2 when OLLAMA_HOST makes no sense", async () => {
    const { code, stderr } = await run(["pull", "a"], { OLLAMA_HOST: "ftp://x" });
    assertEquals(code, 2);
    assertStringIncludes(stderr, "OLLAMA_HOST: Cannot use the host");
  });

  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it(`cancels the pull, says how to resume and exits with ${expected} on ${signal}`, async () => {
      let left = () => {};
      const serverLeft = new Promise<void>((resolve) => left = resolve);
      await withServer((response) => {
        response.on("close", left);
        response.write(PULL_LINES.slice(0, 2).join(""));
      }, async ({ url }) => {
        const { child, ended } = start(["pull", "llama3.2", "--host", url]);
        // Not by `child.kill`, after which Deno reports that signal instead of the exit code.
        const send = () => process.kill(child.pid!, signal);
        child.stdout!.once("data", () => {
          send();
          // Observed: npm passes on a Ctrl-C that the terminal has sent already.
          setImmediate(send);
        });
        const { code, stderr } = await ended;
        assertEquals(code, expected);
        assertStringIncludes(stderr, "Cancelled. What was downloaded is kept; to resume, run: ");
        assertStringIncludes(stderr, ` pull llama3.2 --host ${url}\n`);
        await serverLeft;
      });
    });
  }

  it("ends without a word when its output is closed", async () => {
    await withServer((response) => {
      // More and more, for as long as somebody listens.
      let completed = 0;
      const send = () => {
        if (response.destroyed) return;
        const line = { status: "pulling", digest: "sha256:a", total: 1e15, completed: ++completed };
        response.write(`${JSON.stringify(line)}\n`, () => setImmediate(send));
      };
      send();
    }, async ({ url }) => {
      const { child, ended } = start(["pull", "a", "--host", url, "--json"]);
      child.stdout!.once("data", () => child.stdout!.destroy());
      const { code, stderr } = await ended;
      assertEquals([code, stderr], [141, ""]);
    });
  });

  it("can be imported without running", async () => {
    const { main } = await import("./main.ts");
    assertEquals(typeof main, "function");
  });
});
