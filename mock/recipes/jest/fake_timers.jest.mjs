import { jest } from "@jest/globals";
import { pull, pullModel } from "@ollama-pull/kit";
import { createMockServer, realClock } from "@ollama-pull/kit/mock";

// The package consists of ES modules, which Jest loads if Node runs it with --experimental-vm-modules. A CommonJS
// test then uses `await import("@ollama-pull/kit")` or, since Node 24.9, `require`.
afterEach(() => void jest.useRealTimers());

test("a download in virtual time is over at once, though all timers are faked", async () => {
  jest.useFakeTimers();
  const server = createMockServer({ models: ["llama3.2"] });

  await pullModel("llama3.2", server.client);
});

test("with `realClock`, a download of 20 s is half done after 10 s of Jest's time", async () => {
  jest.useFakeTimers();
  const models = [{ name: "m", layers: [{ size: 2_000_000_000 }], config: { size: 0 } }];
  const server = createMockServer({ models, clock: realClock });

  let latest;
  const pulling = (async () => {
    for await (latest of pull("m", server.client));
  })();

  await jest.advanceTimersByTimeAsync(10_000);
  expect(latest.fraction).toBeCloseTo(0.5, 1);
  await jest.advanceTimersByTimeAsync(11_000);
  await pulling;
  expect(latest.phase).toBe("success");
});
