import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { PULL_LINES, Recorder, Screen, sendLines, serve, TestContext } from "../test_helpers.ts";
import { runDemo } from "./demo.ts";

async function startServer(lines: readonly string[]) {
  const { url, close } = await serve(sendLines(lines));
  return { url, close: spy(close) };
}

describe("demo", () => {
  it("pulls from a server of its own, and stops it", async () => {
    const server = await startServer(PULL_LINES);
    const context = new TestContext(new Screen(80, 24));
    assertEquals(await runDemo(context, false, () => Promise.resolve(server)), 0);
    const seen = await context.stdout.look();
    assertStringIncludes(seen[0]!, `Pulling from a mock server at ${server.url}; nothing`);
    assertEquals(seen.at(-2), "success");
    assertSpyCalls(server.close, 1);
  });

  it("stops its server after a failure too", async () => {
    const server = await startServer([PULL_LINES[0]!, '{"error":"a"}\n']);
    const context = new TestContext(new Recorder());
    assertEquals(await runDemo(context, false, () => Promise.resolve(server)), 1);
    assertSpyCalls(server.close, 1);
  });

  it("writes nothing but JSON when it is asked to", async () => {
    const server = await startServer(PULL_LINES);
    const context = new TestContext(new Recorder());
    await runDemo(context, true, () => Promise.resolve(server));
    assertEquals(JSON.parse(context.stdout.lines.at(-1)!).phase, "success");
    for (const line of context.stdout.lines) JSON.parse(line);
  });
});
