import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertSpyCalls, spy, stub } from "@std/testing/mock";
import { describe, it } from "node:test";
import { isSettled, rejectionOf } from "../stream_test_helpers.ts";
import { sleepOnTimer } from "./sleep.ts";

/** Timers that run when they are told to. */
function fakeTimers() {
  const timers: { run: () => void; delay: number }[] = [];
  const set = stub(
    globalThis,
    "setTimeout",
    ((run: () => void, delay: number) =>
      timers.push({ run, delay })) as unknown as typeof setTimeout,
  );
  const clear = stub(globalThis, "clearTimeout", () => {});
  return {
    timers,
    clear,
    [Symbol.dispose]() {
      set.restore();
      clear.restore();
    },
  };
}

describe("sleepOnTimer", () => {
  it("waits for the given time, however long it is", async () => {
    using fake = fakeTimers();
    const longest = 2 ** 31 - 1;
    const sleep = sleepOnTimer(longest * 2 + 5, new AbortController().signal);
    for (const delay of [longest, longest, 5]) {
      assertEquals(await isSettled(sleep), false);
      const timer = fake.timers.shift();
      assertEquals(timer?.delay, delay);
      timer?.run();
    }
    assertEquals(await sleep, undefined);
    assertEquals(fake.timers, []);
  });

  it("leaves no listener on the signal, however it ends", async () => {
    using fake = fakeTimers();
    const controller = new AbortController();
    const added = spy(controller.signal, "addEventListener");
    const removed = spy(controller.signal, "removeEventListener");
    for (let sleep = 0; sleep < 20; sleep++) {
      const done = sleepOnTimer(1, controller.signal);
      fake.timers.shift()!.run();
      await done;
    }
    assertSpyCalls(added, 20);
    assertSpyCalls(removed, 20);
  });

  it("rejects with the reason of the signal, and stops the timer", async () => {
    using fake = fakeTimers();
    const controller = new AbortController();
    const sleep = sleepOnTimer(1_000, controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await rejectionOf(sleep), reason);
    assertSpyCalls(fake.clear, 1);
    assertStrictEquals(await rejectionOf(sleepOnTimer(1, controller.signal)), reason);
    assertEquals(fake.timers.length, 1);
  });
});
