import { PullError } from "@ollama-pull/kit";
import { createMockServer, type MockServerOptions } from "@ollama-pull/kit/mock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDownloads, type MainPort } from "./main.ts";
import { followDownloads } from "./window.ts";

const MODELS = ["m", "n"].map((name) => ({ name, layers: [{ size: 500_000_000 }] }));

/** A port as the main process has it, and a function that reports the closing of the window. */
function mainPort(port: MessagePort): MainPort & { loseWindow(): void } {
  const onClose: (() => void)[] = [];
  return {
    postMessage: (message) => port.postMessage(message),
    on: (type, listener) => {
      if (type === "close") onClose.push(listener as () => void);
      else port.addEventListener(type, listener as (event: MessageEvent) => void);
    },
    start: () => port.start(),
    loseWindow: () => onClose.forEach((tell) => tell()),
  };
}

/** An app with one window, which pulls from a mock. */
function startApp(options: MockServerOptions) {
  const server = createMockServer({ models: MODELS, ...options });
  const { port1, port2 } = new MessageChannel();
  const main = mainPort(port1);
  createDownloads({ ...server.client, maxConcurrent: 1 })(main);
  const downloads = followDownloads(port2);

  /** Waits until the window shows a download in a given state. */
  const shows = async (model: string, state: string) => {
    for (;;) {
      const entry = downloads.getSnapshot().find((each) => each.model === model);
      if (entry?.state === state) return entry;
      await new Promise<void>((resolve) => {
        const leave = downloads.subscribe(() => {
          leave();
          resolve();
        });
      });
    }
  };
  const close = () => [port1, port2].forEach((port) => port.close());
  return { server, main, downloads, shows, [Symbol.dispose]: close };
}

test("a window follows a download to its end", async () => {
  using app = startApp({});
  const fractions: number[] = [];
  app.downloads.subscribe(() => {
    fractions.push(app.downloads.getSnapshot()[0]?.progress?.fraction ?? 0);
  });
  app.downloads.send("start", "m");
  const { progress } = await app.shows("m", "succeeded");
  assert.deepEqual([progress!.phase, progress!.completed], ["success", progress!.total]);
  assert.ok(fractions.some((fraction) => fraction > 0 && fraction < 1));
  assert.deepEqual(fractions, fractions.toSorted((one, other) => one - other));
  app.downloads.send("dismiss", "m");
  app.downloads.send("start", "n");
  await app.shows("n", "succeeded");
  assert.equal(app.downloads.getSnapshot().length, 1);
});

test("an error keeps all that is known of it on its way to a window", async () => {
  using app = startApp({ faults: [{ kind: "disk-full" }] });
  app.downloads.send("start", "m");
  const error = PullError.from((await app.shows("m", "failed")).error);
  assert.deepEqual([error?.reason, error?.retryable], ["disk-full", false]);
  assert.match(error!.message, /no space left on device/);
});

test("a name that cannot be used is a failure with words for the user", async () => {
  using app = startApp({});
  app.downloads.send("start", "no name!");
  assert.match(
    (await app.shows("no name!", "failed")).error!.message,
    /^Cannot use the model name/,
  );
});

test("a window cancels a download, and the next one begins", async () => {
  using app = startApp({});
  const hold = app.server.hold({ at: { completed: "50%" } });
  app.downloads.send("start", "m");
  app.downloads.send("start", "n");
  await hold.reached;
  await app.shows("n", "waiting");
  app.downloads.send("cancel", "m");
  assert.equal((await app.shows("m", "cancelled")).error!.name, "AbortError");
  await app.shows("n", "succeeded");
});

test("a window that is closed is told nothing more, and its downloads go on", async () => {
  using app = startApp({});
  const hold = app.server.hold({ at: { completed: "50%" } });
  app.downloads.send("start", "m");
  await app.shows("m", "running");
  let messages = 0;
  app.main.postMessage = () => void messages++;
  app.main.loseWindow();
  hold.release();
  assert.equal((await app.server.requestEnded(1)).outcome, "finished");
  await app.server.clock.sleep(1_000);
  assert.equal(messages, 0);
});
