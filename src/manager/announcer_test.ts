import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { settle, VirtualClock } from "../stream_test_helpers.ts";
import { Announcer } from "./announcer.ts";
import { reportedErrors } from "./test_helpers.ts";

const EVERY_MS = 100;

/** A number that changes, and who is told of it. */
class Counter {
  readonly clock = new VirtualClock();
  readonly announcer: Announcer<number>;
  value = 0;

  constructor(everyMs = EVERY_MS) {
    const { now, sleep } = this.clock;
    this.announcer = new Announcer(() => this.value, { everyMs, now, sleep });
  }

  change(value = this.value + 1): void {
    this.value = value;
    this.announcer.change();
  }

  /** Subscribes somebody, and records what is told and when. */
  listen() {
    const told: { value: number; at: number }[] = [];
    const stop = this.announcer.subscribe((value) =>
      void told.push({ value, at: this.clock.time })
    );
    return { told, stop };
  }
}

const STEP = fc.oneof(
  fc.constantFrom("change" as const, "listen" as const, "leave" as const, "return" as const),
  fc.integer({ min: 1, max: 250 }),
);

describe("Announcer", () => {
  it("reports each lasting value to each listener, neither too often nor too late", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 50, size: "max" }), async (steps) => {
        const counter = new Counter();
        const listeners: ReturnType<Counter["listen"]>[] = [];
        /** The value that each point in time ended with. */
        const history: { value: number; from: number }[] = [{ value: 0, from: 0 }];
        for (const step of steps) {
          if (step === "listen") listeners.push(counter.listen());
          else if (step === "leave") listeners.shift()?.stop();
          else if (typeof step === "number") await counter.clock.advance(step);
          else {
            counter.change(step === "return" ? 0 : undefined);
            history.push({ value: counter.value, from: counter.clock.time });
          }
          for (const { told } of listeners) checkTold(told, counter.clock.time, history);
        }
        await counter.clock.advance(EVERY_MS);
        for (const { told } of listeners) assertEquals(told.at(-1)!.value, counter.value);
        assertEquals(counter.clock.sleepers, 0);
      }),
    );
  });

  it("reports all changes of one turn at once, at the end of the turn", async () => {
    const counter = new Counter();
    const [a, b] = [counter.listen(), counter.listen()];
    await counter.clock.advance(EVERY_MS);
    for (let change = 0; change < 3; change++) counter.change();
    assertEquals(a.told.length, 1);
    await settle();
    for (const { told } of [a, b]) assertEquals(told.map(({ value }) => value), [0, 3]);
  });

  it("waits for nothing while nobody listens or nothing changes", async () => {
    const counter = new Counter();
    counter.change();
    await settle();
    const { stop } = counter.listen();
    await settle();
    assertEquals(counter.clock.sleepers, 0);
    counter.change();
    await settle();
    assertEquals(counter.clock.sleepers, 1);
    stop();
    stop();
    await settle();
    assertEquals(counter.clock.sleepers, 0);
    const { told } = counter.listen();
    counter.change();
    await counter.clock.advance(EVERY_MS);
    assertEquals(told.map(({ value }) => value), [2, 3]);
  });

  it("goes on for a listener that joins in the turn in which the last one leaves", async () => {
    const counter = new Counter();
    const first = counter.listen();
    counter.change();
    await settle();
    first.stop();
    const { told, stop } = counter.listen();
    for (let change = 0; change < 2; change++) {
      counter.change();
      await settle();
      assertEquals(counter.clock.sleepers, 1);
    }
    await counter.clock.advance(EVERY_MS);
    assertEquals(told.map(({ value }) => value), [1, 3]);
    counter.change();
    await settle();
    stop();
    await settle();
    assertEquals(counter.clock.sleepers, 0);
  });

  it("calls each listener as soon as its interval allows, whoever else has to wait", async () => {
    const counter = new Counter();
    const early = counter.listen();
    await counter.clock.advance(EVERY_MS);
    const late = counter.listen();
    counter.change();
    await settle();
    assertEquals([early.told.length, late.told.length], [2, 1]);
    await counter.clock.advance(EVERY_MS);
    assertEquals(late.told.map(({ value }) => value), [0, 1]);
  });

  it("reports a change made by a listener", async () => {
    const counter = new Counter();
    const values: number[] = [];
    counter.announcer.subscribe((value) => {
      values.push(value);
      if (value < 3) counter.change();
    });
    const { told } = counter.listen();
    await counter.clock.advance(3 * EVERY_MS);
    assertEquals(values, [0, 1, 2, 3]);
    assertEquals(told.at(-1)!.value, 3);
  });

  it("does not call listeners that leave while others are called", async () => {
    const counter = new Counter();
    const told: number[] = [];
    let stop = () => {};
    counter.announcer.subscribe(() => stop());
    stop = counter.announcer.subscribe((value) => void told.push(value));
    counter.change();
    await counter.clock.advance(EVERY_MS);
    assertEquals(told, [0]);
  });

  it("goes on when a listener throws", async () => {
    const error = new Error("of the listener");
    const counter = new Counter();
    const errors = await reportedErrors(async () => {
      counter.announcer.subscribe(() => {
        throw error;
      });
      const { told } = counter.listen();
      counter.change();
      await counter.clock.advance(EVERY_MS);
      assertEquals(told.map(({ value }) => value), [0, 1]);
    });
    assertEquals(errors, [error, error]);
  });

  it("waits no longer than it should when the clock is set back", async () => {
    const counter = new Counter();
    counter.clock.time = 1e9;
    const { told } = counter.listen();
    counter.clock.time = 0;
    counter.change();
    await counter.clock.advance(EVERY_MS);
    assertEquals(told.map(({ value }) => value), [0, 1]);
  });
});

/** Checks what a listener was told up to a time. */
function checkTold(
  told: readonly { value: number; at: number }[],
  now: number,
  history: readonly { value: number; from: number }[],
): void {
  told.slice(1).forEach(({ value, at }, index) => {
    const before = told[index]!;
    assertEquals(value === before.value, false, "it is told what it knows");
    assertEquals(at - before.at >= EVERY_MS, true, "it is told too often");
  });
  const { value, from } = history.at(-1)!;
  if (now - from > EVERY_MS) assertEquals(told.at(-1)!.value, value, "a change was lost");
}
