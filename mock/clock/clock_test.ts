import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { mockOfSmall, pullText } from "../test_helpers.ts";
import { type Clock, joinClock } from "./clock.ts";
import { realClock } from "./real.ts";
import { VirtualClock } from "./virtual.ts";

/** Lets everything run that is ready to. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

describe("A virtual clock", () => {
  it("begins at 0 and moves to what is waited for", async () => {
    const clock = new VirtualClock();
    assertStrictEquals(clock.now(), 0);
    await clock.sleep(1_000 * 60 * 60 * 24 * 365);
    assertStrictEquals(clock.now(), 31_536_000_000);
  });

  it("wakes sleepers by time, and at the same time in the order in which they lay down", async () => {
    const naps = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });
    await fc.assert(fc.asyncProperty(naps, async (times) => {
      const clock = new VirtualClock();
      const woken: { time: number; index: number }[] = [];
      await Promise.all(times.map(async (time, index) => {
        await clock.sleep(time);
        assertStrictEquals(clock.now(), time);
        woken.push({ time, index });
      }));
      const expected = times.map((time, index) => ({ time, index }))
        .sort((a, b) => a.time - b.time || a.index - b.index);
      assertEquals(woken, expected);
    }));
  });

  it("lets every task do at each moment what it does then, however they interleave", async () => {
    const plans = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 9 }), {
      maxLength: 9,
    });
    await fc.assert(fc.asyncProperty(plans, async (tasks) => {
      const clock = new VirtualClock();
      const times: number[] = [];
      await Promise.all(tasks.map(async (naps) => {
        const task = clock.join();
        let expected = 0;
        for (const nap of naps) {
          await task.sleep(nap);
          assertStrictEquals(clock.now(), expected += nap);
          times.push(clock.now());
        }
        task.leave();
      }));
      assertEquals(times, times.toSorted((a, b) => a - b));
    }));
  });

  it("stands still for a task that was just woken", async () => {
    const clock = new VirtualClock();
    const task = clock.join();
    const ticking = (async () => {
      for (let tick = 0; tick < 100; tick++) await task.sleep(10);
    })();
    await clock.sleep(500);
    await Promise.resolve();
    assertStrictEquals(clock.now(), 500);
    await ticking;
    assertStrictEquals(clock.now(), 1_000);
  });

  it("moves on although a task does not sleep, once that has had its chance", async () => {
    const clock = new VirtualClock();
    const idle = clock.join();
    await clock.sleep(5);
    assertStrictEquals(clock.now(), 5);
    idle.leave();
  });

  it("gives the runtime its turn now and then", async () => {
    const clock = new VirtualClock();
    const task = clock.join();
    let interrupted = false;
    setTimeout(() => {
      interrupted = true;
    }, 0);
    for (let nap = 0; nap < 100_000 && !interrupted; nap++) await task.sleep(1);
    assert(interrupted);
    task.leave();
  });

  it("wakes infinite waits only by a signal or the end of the task", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const task = clock.join();
    const waits = [clock.sleep(Infinity, controller.signal), task.sleep(Infinity)];
    await macrotask();
    assertStrictEquals(clock.now(), 0);
    controller.abort("enough");
    task.leave("gone");
    assertEquals(await Promise.allSettled(waits), [
      { status: "rejected", reason: "enough" },
      { status: "rejected", reason: "gone" },
    ]);
  });

  it("does not move to a time that nothing waits for any more", async () => {
    const clock = new VirtualClock();
    const task = clock.join();
    const nap = task.sleep(1_000);
    task.leave("gone");
    await nap.catch(() => {});
    await macrotask();
    assertStrictEquals(clock.now(), 0);
  });

  it("treats a negative wait as none", async () => {
    const clock = new VirtualClock();
    await clock.sleep(-5);
    assertStrictEquals(clock.now(), 0);
  });
});

for (
  const [name, makeClock] of Object.entries({
    virtual: () => new VirtualClock(),
    real: () => realClock,
  })
) {
  describe(`A task by a ${name} clock`, () => {
    it("cannot sleep once it has left", async () => {
      const task = joinClock(makeClock());
      task.leave("gone");
      task.leave("twice");
      assertStrictEquals(await task.sleep(1_000).catch((reason) => reason), "gone");
    });

    it("is woken by its end", async () => {
      const task = joinClock(makeClock());
      const nap = task.sleep(1_000_000);
      task.leave("gone");
      assertStrictEquals(await nap.catch((reason) => reason), "gone");
    });

    it("does not sleep by a signal that has aborted", async () => {
      const sleep = () => makeClock().sleep(1_000_000, AbortSignal.abort(new Error("too late")));
      await assertRejects(sleep, Error, "too late");
    });
  });
}

describe("The real clock", () => {
  it("gives the time since 1970, and sleeps at least as long as it should", async () => {
    const before = realClock.now();
    assert(Math.abs(before - Date.now()) < 60_000);
    await realClock.sleep(2);
    assert(realClock.now() - before >= 2);
  });

  it("waits longer than a timer can, and leaves none behind when it is interrupted", async () => {
    const controller = new AbortController();
    const nap = realClock.sleep(2 ** 40, controller.signal);
    await macrotask();
    controller.abort(new Error("enough"));
    await assertRejects(() => nap, Error, "enough");
  });
});

describe("Tasks by the real clock", () => {
  it("wake when it is time and not before, whoever leaves meanwhile", async () => {
    const nap = fc.record({
      ms: fc.double({ min: 0, max: 8, noNaN: true }),
      leaves: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(nap, { maxLength: 30 }), async (naps) => {
        await Promise.all(naps.map(async ({ ms, leaves }) => {
          const task = joinClock(realClock);
          const due = realClock.now() + ms;
          const sleeping = task.sleep(ms);
          if (leaves) task.leave("gone");
          const reason = await sleeping.catch((reason) => reason);
          assertStrictEquals(reason, leaves ? "gone" : undefined);
          assert(leaves || realClock.now() >= due);
        }));
      }),
      { numRuns: 20 },
    );
  });

  it("share a timer when they wake in the same millisecond", async () => {
    const real = globalThis.setTimeout;
    let timers = 0;
    globalThis.setTimeout = ((run: () => void, milliseconds: number) => {
      timers++;
      return real(run, milliseconds);
    }) as typeof setTimeout;
    try {
      await Promise.all(Array.from({ length: 1_000 }, () => realClock.sleep(1)));
    } finally {
      globalThis.setTimeout = real;
    }
    assert(timers < 500, `${timers} timers`);
  });

  it("wake by the timers that there are when they go to sleep", async () => {
    const real = globalThis.setTimeout;
    const now = performance.now;
    const runs: (() => void)[] = [];
    const before = realClock.sleep(3);
    const at = now.call(performance);
    let after: Promise<void>;
    try {
      performance.now = () => at;
      globalThis.setTimeout = ((run: () => void) => runs.push(run)) as unknown as typeof setTimeout;
      const faked = realClock.sleep(3);
      void realClock.sleep(20); // is left behind
      performance.now = () => at + 4;
      runs[0]!();
      await faked;
      globalThis.setTimeout = real;
      performance.now = () => at;
      after = realClock.sleep(20);
    } finally {
      globalThis.setTimeout = real;
      performance.now = now;
    }
    await Promise.all([before, after]);
    assertStrictEquals(runs.length, 2);
  });
});

describe("Any clock", () => {
  it("is enough for a mock if it gives the time and waits", async () => {
    const waits: number[] = [];
    const clock: Clock = {
      now: () => waits.reduce((sum, wait) => sum + wait, 0),
      sleep: (milliseconds, signal) => {
        signal?.throwIfAborted();
        waits.push(milliseconds);
        return Promise.resolve();
      },
    };
    const task = joinClock(clock);
    await task.sleep(7);
    task.leave(new Error("gone"));
    assertEquals(waits, [7]);
    await assertRejects(async () => await task.sleep(1), Error, "gone");
  });
});

describe("A virtual clock, where a test has faked the timers,", () => {
  it("goes on, and with it the mock in process", async () => {
    const fake = () => {};
    const names = ["setImmediate", "setTimeout", "setInterval", "queueMicrotask"] as const;
    const global = globalThis as unknown as Record<string, unknown>;
    const real = names.map((name) => [name, global[name]] as const);
    for (const name of names) global[name] = fake;
    try {
      assertStringIncludes(await pullText(mockOfSmall()), '{"status":"success"}');
    } finally {
      for (const [name, value] of real) global[name] = value;
    }
  });
});
