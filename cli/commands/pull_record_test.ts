/**
 * Shows that a pull can be recorded by command, whatever becomes of it, and played again by command.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { writeSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createMockServer, type Fault, parseRecording, type Recording } from "../../mock/mod.ts";
import { formatRecording } from "../../mock/recordings/format.ts";
import { EXIT, Interruption } from "../command.ts";
import { main } from "../main.ts";
import { RecordingFile, recordPulls } from "./pull_record.ts";
import type { PullTask } from "./pull_run.ts";
import { PULL_LINES, Recorder, sendLines, TestContext, withServer } from "../test_helpers.ts";

/** Calls back with the name of a file that is not there yet. */
async function withFile(use: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "recording-"));
  try {
    await use(join(folder, "pull.jsonl"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readFrom(file: string): Promise<Recording> {
  return parseRecording(await readFile(file, "utf8"));
}

/** Records a pull from a mock that listens. */
async function recordFrom(
  server: { readonly url: string },
  file: string,
  ...args: readonly string[]
): Promise<{ code: number; context: TestContext }> {
  const context = new TestContext(new Recorder());
  const host = ["--host", server.url, "--no-manifest"];
  const code = await main(["pull", "small", ...host, "--record", file, ...args], context);
  return { code, context };
}

/** A mock that listens. */
function serveMock(options: Parameters<typeof createMockServer>[0]) {
  const models = [{ name: "small", layers: [{ size: 1_000_000 }] }];
  return createMockServer({ models, bytesPerSecond: Infinity, ...options }).listen();
}

/** An answer that tells the version to those who ask for it, and else the one that is given. */
function answerVersion(answer: Answer): Answer {
  return (response, request) =>
    request.url === "/api/version"
      ? void response.end('{"version":"0.34.1"}')
      : answer(response, request);
}

type Answer = Parameters<typeof withServer>[0];

/** What came of each attempt: its status, its bytes, and how it ended. */
function attemptsOf({ exchanges }: Recording) {
  return exchanges.map(({ answer, chunks, end }) => [
    answer?.status,
    chunks.map(({ bytes }) => new TextDecoder().decode(bytes)).join(""),
    // A client that has read of the success may leave before the end.
    end.how === "broken" ? "broken" : "ended",
  ]);
}

describe("pull --record", () => {
  it("stores each attempt, which a mock plays again to the byte, by command", async () => {
    const faults: Fault[] = [
      { kind: "http-error", status: 503, times: 1 },
      { kind: "cut", at: { completed: "50%" }, times: 2 },
    ];
    await withFile(async (file) => {
      await using server = await serveMock({ faults });
      const recorded = await recordFrom(server, file);
      assertEquals(recorded.code, EXIT.success);
      const recording = await readFrom(file);
      assertEquals(recording.exchanges.length, 4);
      assertEquals(recording.exchanges[0]?.answer?.status, 503);
      assert(/^\d+\.\d+\.\d+/.test(recording.server!));

      const { outputs, again } = await replay(file, async (url) => {
        const copy = `${file}.again`;
        const { code } = await recordFrom({ url }, copy);
        assertEquals(code, EXIT.success);
        const { models } = await (await fetch(`${url}/api/tags`)).json();
        assertEquals(models.map(({ name }: { name: string }) => name), ["small:latest"]);
        return await readFrom(copy);
      });
      assertEquals(attemptsOf(again), attemptsOf(recording));
      assertStringIncludes(outputs, "Replayed: small\n");
    });
  });

  it("stores no credentials", async () => {
    await withFile(async (file) => {
      await withServer(answerVersion(sendLines(PULL_LINES)), async ({ url }) => {
        const secret = { url: `${url.replace("//", "//me:hunter2@")}/?key=hunter2#hunter2` };
        const { code } = await recordFrom(secret, file, "--header", "X-Key: hunter2");
        assertEquals(code, EXIT.success);
        const text = await readFile(file, "utf8");
        assertEquals(text.includes("hunter2"), false);
        const [exchange] = parseRecording(text).exchanges;
        assertEquals(exchange?.request, {
          url: `${url}/api/pull`,
          body: { model: "small", name: "small", insecure: false, stream: true },
        });
      });
    });
  });

  it("stores what came before the pull was interrupted", async () => {
    await withFile(async (file) => {
      let context: TestContext | undefined;
      const interrupt = (response: ServerResponse) => {
        response.writeHead(200);
        response.write(PULL_LINES.slice(0, 2).join(""));
      };
      await withServer(answerVersion(interrupt), async ({ url }) => {
        context = new TestContext(new Recorder());
        context.stdout.onWrite = () => {
          if (!/[1-9]/.test(context!.stdout.text)) return;
          context!.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
        };
        const args = ["--host", url, "--no-manifest", "--record", file];
        assertEquals(await main(["pull", "small", ...args], context), EXIT.interrupted);
        // To run it again would not do: the file is there.
        assertEquals(context.stderr.text.includes("--record"), false);
      });
      const { exchanges } = await readFrom(file);
      assertEquals(exchanges.map(({ end }) => end.how), ["left"]);
      const [exchange] = exchanges;
      const text = exchange!.chunks.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
      assertEquals(text, PULL_LINES.slice(0, 2).join(""));
    });
  });

  it("stores that the pull was interrupted before it was answered", async () => {
    await withFile(async (file) => {
      const context = new TestContext(new Recorder());
      const interrupt = () => {
        context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
      };
      await withServer(answerVersion(interrupt), async ({ url }) => {
        const args = ["--host", url, "--no-manifest", "--record", file];
        assertEquals(await main(["pull", "small", ...args], context), EXIT.interrupted);
      });
      const lines = (await readFile(file, "utf8")).split("\n");
      assertEquals(lines.length, 4); // the last of which is empty
      assertStringIncludes(lines[2]!, '"end":"left"');
    });
  });

  it("stores that a pull has failed, and that no server was there", async () => {
    await withFile(async (file) => {
      const { code } = await recordFrom({ url: "http://127.0.0.1:1" }, file, "--retry-for=off");
      assertEquals(code, EXIT.failure);
      const { server, exchanges } = await readFrom(file);
      assertEquals([server, exchanges.length], [undefined, 1]);
      assertEquals([exchanges[0]?.answer, exchanges[0]?.end.how], [undefined, "broken"]);
    });
  });

  it("begins no pull if the file cannot be made, or is there already", async () => {
    await withFile(async (file) => {
      await writeFile(file, "kept");
      const refused = await recordFrom({ url: "http://127.0.0.1:1" }, file);
      assertEquals(refused.code, EXIT.usage);
      assertEquals(
        refused.context.stderr.text,
        `error: --record: ${file} already exists: name another file, or delete it\n`,
      );
      assertEquals(await readFile(file, "utf8"), "kept");
      const nowhere = await recordFrom({ url: "http://127.0.0.1:1" }, join(file, "x", "y"));
      assertEquals(nowhere.code, EXIT.usage);
      assertStringIncludes(nowhere.context.stderr.text, "error: --record: ");
      assertEquals([...refused.context.requests, ...nowhere.context.requests], []);
    });
  });

  it("finishes the pull if the file cannot be written any more, and says so", async () => {
    await withFile(async (path) => {
      await withServer(answerVersion(sendLines(PULL_LINES)), async ({ url }) => {
        const context = new TestContext(new Recorder());
        let lines = 0;
        const file = new RecordingFile(path, (descriptor, bytes, offset) => {
          if (++lines === 4) throw new Error("no space left on device");
          return writeSync(descriptor, bytes, offset);
        });
        const task: PullTask = {
          models: ["small"],
          host: new URL(url),
          form: "suitable",
          options: {},
          keepsBytes: true,
          again: () => "",
        };
        assertEquals(await recordPulls(task, file, context), EXIT.failure);
        assertStringIncludes(context.stdout.text, "small: 1.0 kB in 0 s");
        assertEquals(
          context.stderr.text,
          `error: The recording in ${path} is incomplete: no space left on device. ` +
            "Free some space, and record again\n",
        );
        assertEquals((await readFrom(path)).exchanges.length, 1);
      });
    });
  });
});

describe("mock --replay", () => {
  it("plays a recording as fast as it is told to", async () => {
    await withFile(async (file) => {
      await writeFile(file, formatRecording(HOUR));
      const { again } = await replay(file, async (url) => {
        const response = await fetch(`${url}/api/pull`, { method: "POST", body: '{"model":"m"}' });
        return await response.text();
      }, "--replay-speed=unlimited");
      assertEquals(again, '{"status":"success"}\n');
    });
  });

  it("refuses a file that is none, and names it", async () => {
    await withFile(async (file) => {
      const refuse = async (...args: readonly string[]) => {
        const context = new TestContext(new Recorder());
        assertEquals(await main(["mock", "--port=0", ...args], context), EXIT.usage);
        return context.stderr.text;
      };
      assertStringIncludes(await refuse("--replay", file), `error: --replay ${file}: `);
      await writeFile(file, "Hello\n");
      assertEquals(
        await refuse("--replay", file),
        `error: --replay ${file}: Cannot read the recording: line 1 is not JSON: "Hello"\n`,
      );
      await writeFile(file, formatRecording(HOUR));
      for (const speed of ["0", "fast", "-1"]) {
        assertStringIncludes(
          await refuse("--replay", file, `--replay-speed=${speed}`),
          `error: --replay-speed: Cannot use "${speed}": it must be a number above 0`,
        );
      }
      assertStringIncludes(
        await refuse("--replay", file, "--fault=rollback"),
        'error: faults[0]: Cannot use the fault "rollback" for the model "m:latest": its pulls are recorded',
      );
    });
  });
});

/** A pull that has taken an hour. */
const HOUR: Recording = {
  version: 1,
  recordedAt: "2026-11-29T15:00:00Z",
  recordedBy: "@ollama-pull/kit 0.1.0",
  exchanges: [{
    startedAtMs: 0,
    request: { url: "http://127.0.0.1:11434/api/pull", body: { model: "m" } },
    answer: { atMs: 0, status: 200, contentType: "application/x-ndjson" },
    chunks: [{ atMs: 3_600_000, bytes: new TextEncoder().encode('{"status":"success"}\n') }],
    end: { atMs: 3_600_000, how: "whole" },
  }],
};

/** Serves a mock that replays a file, calls back with its address, and returns what came of both. */
async function replay<Result>(
  file: string,
  use: (url: string) => Promise<Result>,
  ...args: readonly string[]
): Promise<{ outputs: string; again: Result }> {
  const context = new TestContext(new Recorder());
  const { promise: started, resolve } = Promise.withResolvers<string>();
  context.stdout.onWrite = () => {
    const [, url] = /(http:[\d./:]+)/.exec(context.stdout.text) ?? [];
    if (url !== undefined) resolve(url);
  };
  const ended = main(["mock", "--port=0", "--replay", file, ...args], context);
  const used = started.then(use).finally(() => {
    context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
  });
  const code = await ended;
  assertEquals([code, context.stderr.text], [EXIT.success, ""]);
  return { outputs: context.stdout.text, again: await used };
}
