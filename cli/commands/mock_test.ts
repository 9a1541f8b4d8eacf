/**
 * Shows that the mock can be served and stopped, says what it does, and refuses what it cannot be.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { main } from "../main.ts";
import { Recorder, serve, TestContext } from "../test_helpers.ts";
import { describeRequest } from "./mock.ts";

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
      faults: ["cut"],
      bytesSent: 1_400,
      startedAt: 0,
      endedAt: 1,
    });
    assertMatch(
      line,
      /^\d\d:\d\d:\d\d {2}POST {2}\/api\/pull {2}ab {2}200 {2}faulted {2}1\.4 KB {2}faults: cut$/,
    );
  });
});

/** Runs `mock` on a free port, has something done with its address, and returns what it wrote. */
async function runMock(args: string[], use: (url: string) => Promise<void>): Promise<string[]> {
  const context = new TestContext(new Recorder());
  const url = new Promise<string>((resolve) => {
    context.stdout.onWrite = () => {
      const [, url] = /listens on (\S+);/.exec(context.stdout.text) ?? [];
      if (url) resolve(url);
    };
  });
  const ended = main(["mock", "--port", "0", ...args], context);
  await use(await url);
  context.interruption.abort();
  assertEquals(await ended, 0);
  return context.stdout.lines;
}

describe("mock --fallback", () => {
  it("forwards what the mock does not serve, and logs it like the rest", async () => {
    const upstream = await serve((response) => response.end("chatted"));
    const lines = await runMock(["--fallback", upstream.url], async (url) => {
      const init = { method: "POST", body: '{"model":"x"}' };
      assertEquals(await (await fetch(`${url}/api/chat`, init)).text(), "chatted");
      assertEquals(await (await fetch(url)).text(), "Ollama is running");
    });
    await upstream.close();
    assertEquals(upstream.bodies, [{ model: "x" }]);
    assertMatch(lines[1]!, / {2}POST {2}\/api\/chat {2}200 {2}finished {2}7 B$/);
    assertMatch(lines[2]!, / {2}GET {2}\/ {2}200 {2}finished$/);
  });

  it("refuses an address that cannot be used", async () => {
    const context = new TestContext(new Recorder());
    assertEquals(await main(["mock", "--fallback", "ftp://x"], context), 2);
    assertStringIncludes(
      context.stderr.text,
      'error: Cannot forward requests: Cannot use the host "ftp://x": the scheme must be http or https',
    );
  });
});
