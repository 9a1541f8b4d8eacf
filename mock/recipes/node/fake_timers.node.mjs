import { pull } from "@ollama-pull/kit";
import { createMockServer } from "@ollama-pull/kit/mock";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import timers from "node:timers/promises"; // the whole module: its members are replaced while timers are faked

// `realClock` reads `performance.now`, which `node:test` does not fake. This clock uses what it does fake.
const testClock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => timers.setTimeout(milliseconds, undefined, { signal }),
};

/** Advances the time of the test in steps, and lets everything that is due happen after each step. */
async function advance(milliseconds, step = 10) {
  for (let passed = 0; passed < milliseconds; passed += step) {
    mock.timers.tick(step);
    await timers.setImmediate();
  }
}

test("a download of 20 s is half done after 10 s", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const models = [{ name: "m", layers: [{ size: 2_000_000_000 }], config: { size: 0 } }];
  const server = createMockServer({ models, clock: testClock });

  let latest;
  const pulling = (async () => {
    for await (latest of pull("m", server.client));
  })();

  await advance(10_000);
  assert.equal(latest.fraction.toFixed(1), "0.5");
  await advance(11_000);
  await pulling;
  assert.equal(latest.phase, "success");
  mock.timers.reset();
});
