import { describe, it } from "node:test";
import { assert, assertArrayIncludes, assertEquals, assertStringIncludes } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { pull, type PullProgress } from "../../mod.ts";
import { createMockServer } from "../../mock/mod.ts";
import { PULL_LINES, Recorder, Screen, sendLines, serve, TestContext } from "../test_helpers.ts";
import { DEMO_SETUP, runDemo } from "./demo.ts";

/** A server of lines, other ones for each request, and of a model with one layer more than those are about. */
async function startServer(...answers: (readonly string[])[]) {
  const { url, close } = await serve((response) => sendLines(answers.shift() ?? [])(response));
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
    assertStringIncludes(seen[0]!, `A mock of Ollama listens on ${server.url}; nothing`);
    assertArrayIncludes(seen, ["success"]);
    assertSpyCalls(server.close, 1);
  });

  it("stops its server after a failure too", async () => {
    const server = await startServer([PULL_LINES[0]!, '{"error":"a"}\n']);
    const context = new TestContext(new Recorder());
    assertEquals(await runDemo(context, false, () => Promise.resolve(server)), 1);
    assertSpyCalls(server.close, 1);
  });

  it("says above the bars where the mock listens, and what happens when the connection breaks", async () => {
    const server = await startServer(PULL_LINES.slice(0, 2), PULL_LINES);
    const context = new TestContext(new Screen(80, 24));
    assertEquals(await runDemo(context, false, () => Promise.resolve(server)), 0);
    const seen = await context.stdout.look();
    const lineOf = (words: string) => seen.findIndex((line) => line.includes(words));
    const places = [server.url, "attempt 2", "The mock has lost", "▏", "You have seen"].map(lineOf);
    assertEquals(places, places.toSorted((a, b) => a - b));
    assertEquals(places[0], 0);
  });

  it("says at the end what was shown and what to do next, unless the pull has failed", async () => {
    for (const lines of [PULL_LINES, [PULL_LINES[0]!, '{"error":"a"}\n']]) {
      const server = await startServer(lines);
      const context = new TestContext(new Recorder());
      const exitCode = await runDemo(context, false, () => Promise.resolve(server));
      assertEquals(context.stdout.text.includes("ollama-pull pull llama3.2"), exitCode === 0);
    }
  });

  it("shows a retry, a layer that is there and a bar that never falls, in 10 to 15 seconds", async () => {
    const { client, registry } = createMockServer(DEMO_SETUP);
    const { layers, config } = await registry.manifest("llava");
    const startedAt = client.now();
    const snapshots: PullProgress[] = [];
    const retries: string[] = [];
    const progress = pull("llava", {
      ...client,
      layers: [...layers, config],
      retries: 3,
      onRetry: ({ error }) => retries.push(error.code),
    });
    for await (const snapshot of progress) snapshots.push(snapshot);
    const seconds = (client.now() - startedAt) / 1000;
    assert(seconds > 10 && seconds < 15, `It takes ${seconds} s`);
    assertEquals(retries, ["network"]);
    const [first] = snapshots.find(({ phase }) => phase === "downloading")!.layers;
    assertEquals([first!.done, first!.completed], [true, layers[0]!.size]);
    const fractions = snapshots.map(({ fraction }) => fraction);
    assertEquals(fractions, fractions.toSorted((a, b) => a - b));
    assertEquals(fractions.at(-1), 1);
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
