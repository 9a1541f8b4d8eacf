import { createMockServer, type MockServerOptions } from "@ollama-pull/kit/mock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { activate } from "./extension.ts";
import { editor } from "./stub.ts";

const MODEL = { name: "m", layers: [{ size: 2_000_000_000 }, { size: 500 }, { size: 70_000_000 }] };

activate({ subscriptions: [] } as unknown as Parameters<typeof activate>[0]);

const runCommand = () => editor.commands.get("ollama.pull")!();

/** A server that stands in for Ollama. */
function startServer(options: MockServerOptions = {}) {
  const server = createMockServer({ models: [MODEL], ...options });
  vi.stubGlobal("fetch", server.fetch);
  return server;
}

beforeEach(() =>
  void Object.assign(editor, { input: "m", settings: {}, reports: [], messages: [] })
);
afterEach(() => void vi.unstubAllGlobals());

test.each(["spec", "v0.33", "client2"] as const)(
  "the percents in a notification add up to 100, in the dialect %s",
  async (dialect) => {
    startServer({ dialect, faults: [{ kind: "completed-falls", at: { completed: "50%" } }] });
    await runCommand();
    const increments = editor.reports.map(({ increment }) => increment!);
    expect(increments.every((increment) => increment >= 0)).toBe(true);
    expect(increments.reduce((sum, increment) => sum + increment, 0)).toBe(100);
    expect(editor.reports.some(({ message }) => /GB/.test(message!))).toBe(true);
    expect(editor.messages).toEqual(["m is ready to use"]);
  },
);

test("who cancels in the notification ends the download, and sees no error", async () => {
  const server = startServer();
  const hold = server.hold({ at: { completed: "50%" } });
  const run = runCommand();
  await hold.reached;
  editor.cancel();
  await run;
  expect((await server.requestEnded(1)).outcome).toBe("cancelled");
  expect(editor.messages).toEqual([]);
});

test("where nothing listens, the user reads that Ollama may not be running", async () => {
  const { url, close } = await createMockServer().listen();
  await close(); // nothing listens there any more
  editor.settings = { host: url };
  await runCommand();
  expect(editor.messages).toEqual([
    expect.stringMatching(/^Ollama may not be running: Cannot reach/),
  ]);
});

test("any other failure is told by its own words", async () => {
  startServer();
  editor.input = "unknown";
  await runCommand();
  expect(editor.messages).toEqual([expect.stringContaining("file does not exist")]);
});
