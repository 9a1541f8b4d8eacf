import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { PULL_LINES, Recorder, Screen, sendLines, serve, TestContext } from "../test_helpers.ts";
import { runDemo } from "./demo.ts";

/** A server of lines, and of a model with one layer more than those are about. */
async function startServer(lines: readonly string[]) {
  const { url, close } = await serve(sendLines(lines));
  const { digest, total } = JSON.parse(PULL_LINES[1]!);
  const layers = [{ digest, size: total }, { digest: "sha256:more", size: 9_000 }];
  return { url, close: spy(close), layers };
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

  it("knows the whole model from the start", async () => {
    const server = await startServer(PULL_LINES);
    const context = new TestContext(new Recorder());
    await runDemo(context, true, () => Promise.resolve(server));
    const downloading = context.stdout.lines.map((line) => JSON.parse(line))
      .find(({ phase }) => phase === "downloading");
    assertEquals([downloading.total, downloading.totalIsKnown], [10_000, true]);
  });
});
