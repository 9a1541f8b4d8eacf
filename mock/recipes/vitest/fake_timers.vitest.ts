import { pull, type PullProgress } from "@ollama-pull/kit";
import { createMockServer, realClock } from "@ollama-pull/kit/mock";
import { afterEach, expect, test, vi } from "vitest";

// Code with its own timers, such as a spinner or a timeout, is tested in the runner's fake time. With
// `realClock`, the mock uses it too: it takes the current timers whenever it waits.
afterEach(() => void vi.useRealTimers());

test("a download of 20 s is half done after 10 s", async () => {
  vi.useFakeTimers();
  const models = [{ name: "m", layers: [{ size: 2_000_000_000 }], config: { size: 0 } }];
  const server = createMockServer({ models, clock: realClock });

  let latest: PullProgress | undefined;
  const pulling = (async () => {
    for await (latest of pull("m", server.client));
  })();

  await vi.advanceTimersByTimeAsync(10_000);
  expect(latest?.fraction).toBeCloseTo(0.5, 1);
  await vi.advanceTimersByTimeAsync(11_000);
  await pulling;
  expect(latest?.phase).toBe("success");
});
