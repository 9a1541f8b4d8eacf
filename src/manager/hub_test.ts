import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { PullProgress } from "../snapshot.ts";
import type { PullStream } from "../streams/pull_stream.ts";
import {
  isSettled,
  type Outcome,
  outcomeOf,
  rejectionOf,
  settle,
  TestSource,
  unhandledRejections,
  VirtualClock,
} from "../stream_test_helpers.ts";
import { PullHub } from "./hub.ts";
import { collectGarbage, progressAt, reportedErrors } from "./test_helpers.ts";

/** A hub, and the source that it reads. */
function hubWith(lingerMs?: number) {
  const source = new TestSource<PullProgress>();
  const clock = new VirtualClock();
  const hub = new PullHub(source.stream, { lingerMs, sleep: clock.sleep });
  return { source, clock, hub };
}

/** The bytes of snapshots, by which a test can tell them apart. */
const bytesOf = (snapshots: readonly PullProgress[]) => snapshots.map(({ completed }) => completed);

const next = async (reader: ReadableStreamDefaultReader<PullProgress>) =>
  (await reader.read()).value?.completed;

/** Whether some items are among others, in the same order. */
function isSubsequence(part: readonly unknown[], whole: readonly unknown[]): boolean {
  let from = 0;
  return part.every((item) => (from = whole.indexOf(item, from) + 1) > 0);
}

/** A watcher that reads when it is told to, and records what it sees. */
class StreamWatcher {
  readonly seen: PullProgress[] = [];
  readonly #reader: ReadableStreamDefaultReader<PullProgress>;
  #failure: Outcome<unknown>["failure"];
  #hasEnded = false;

  constructor(stream: PullStream<PullProgress>) {
    this.#reader = stream.getReader();
  }

  async read(): Promise<void> {
    try {
      const { done, value } = await this.#reader.read();
      if (done) this.#hasEnded = true;
      else this.seen.push(value);
    } catch (error) {
      this.#hasEnded = true;
      this.#failure = { error };
    }
  }

  async readToEnd(): Promise<Outcome<unknown>["failure"]> {
    while (!this.#hasEnded) await this.read();
    return this.#failure;
  }

  leave(): void {
    void this.#reader.cancel();
  }
}

/** One step of an interleaving. A number chooses among the watchers that are there. */
const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "give" as const, who: 0 }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), who: fc.nat() }) },
  fc.record({
    do: fc.constantFrom("watch" as const, "listen" as const, "leave" as const, "settle" as const),
    who: fc.nat(),
  }),
);

const ENDING = fc.constantFrom("end" as const, "fail" as const, "cancel" as const);

describe("PullHub", () => {
  it("shows each watcher some of the snapshots, the last one and the end, in any interleaving", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(STEP, { maxLength: 60, size: "max" }),
      ENDING,
      fc.boolean(),
      async (steps, ending, joinsLate) => {
        const { source, hub } = hubWith();
        const given: PullProgress[] = [];
        const streams: StreamWatcher[] = [];
        const listeners: { seen: PullProgress[]; leave: () => void }[] = [];
        const actions = {
          give() {
            given.push(progressAt(given.length));
            source.give(given.at(-1)!);
          },
          read: (who: number) => void streams[who % streams.length]?.read(),
          watch: () => void streams.push(new StreamWatcher(hub.watch())),
          listen() {
            const seen: PullProgress[] = [];
            listeners.push({ seen, leave: hub.subscribe((progress) => void seen.push(progress)) });
          },
          leave(who: number) {
            const isStream = who % 2 === 0;
            const leaving = isStream ? streams : listeners;
            leaving.splice(who % Math.max(1, leaving.length), 1)[0]?.leave();
          },
          settle,
        };
        for (const { do: action, who } of steps) {
          await actions[action](who);
          assertEquals(hub.watchers, streams.length + listeners.length);
        }
        await settle();
        const error = new Error("the end");
        if (ending === "end") source.end();
        else if (ending === "fail") source.fail(error);
        else hub.cancel(error);
        await settle();
        if (joinsLate) actions.watch();
        if (joinsLate) actions.listen();

        const last = given.slice(-1);
        for (const watcher of streams) {
          const failure = await watcher.readToEnd();
          assertStrictEquals(failure?.error, ending === "end" ? undefined : error);
          assert(isSubsequence(watcher.seen, given));
          assertEquals(watcher.seen.slice(-1), last);
        }
        for (const { seen } of listeners) {
          assert(isSubsequence(seen, given));
          assertEquals(seen.slice(-1), last);
        }
        assertEquals(await hub.done.catch((error) => error), ending === "end" ? undefined : error);
        assertStrictEquals(hub.latest, given.at(-1));
        assertEquals(hub.watchers, 0);
      },
    ));
  });

  it("emits the newest snapshot at once, and then the newest one at each read", async () => {
    const { source, hub } = hubWith();
    source.give(progressAt(1));
    source.give(progressAt(2));
    await settle();
    const slow = hub.watch().getReader();
    assertEquals(await next(slow), 2);
    for (const bytes of [3, 4, 5]) source.give(progressAt(bytes));
    await settle();
    assertEquals(await next(slow), 5);
    const waiting = next(slow);
    assertEquals(await isSettled(waiting), false);
    source.give(progressAt(6));
    assertEquals(await waiting, 6);
  });

  it("keeps reading the source, however slow the watchers are", async () => {
    const source = new TestSource(...[1, 2, 3].map((bytes) => progressAt(bytes)));
    const hub = new PullHub(source.stream);
    hub.watch();
    await settle();
    assertEquals([source.reads, hub.latest?.completed], [4, 3]);
  });

  it("can be watched with a loop, whose break leaves", async () => {
    const { source, hub } = hubWith();
    source.give(progressAt(1));
    for await (const { completed } of hub.watch()) {
      assertEquals([completed, hub.watchers], [1, 1]);
      break;
    }
    assertEquals([hub.watchers, source.cancels], [0, []]);
  });

  it("answers queued reads, each with a newer snapshot", async () => {
    const { source, hub } = hubWith();
    const reader = hub.watch().getReader();
    const reads = [next(reader), next(reader), next(reader)];
    for (const bytes of [1, 2]) {
      source.give(progressAt(bytes));
      await settle();
    }
    source.end();
    assertEquals(await Promise.all(reads), [1, 2, undefined]);
  });

  it("shows the last snapshot and the end to watchers that join after the end", async () => {
    const error = new Error("broken");
    for (const fails of [false, true]) {
      const { source, hub } = hubWith();
      source.give(progressAt(7));
      await settle();
      if (fails) source.fail(error);
      else source.end();
      await settle();
      for (let time = 0; time < 2; time++) {
        const { values, failure } = await outcomeOf(hub.watch());
        assertEquals(bytesOf(values), [7]);
        assertStrictEquals(failure?.error, fails ? error : undefined);
      }
      const told: PullProgress[] = [];
      hub.subscribe((progress) => void told.push(progress))();
      assertEquals(bytesOf(told), [7]);
      assertEquals(hub.watchers, 0);
    }
  });

  it("fails all watchers with the reason when it is cancelled, and cancels the source with it", async () => {
    const { source, hub } = hubWith();
    source.give(progressAt(1));
    const watched = outcomeOf(hub.watch());
    await settle();
    const reason = { why: "enough" };
    hub.cancel(reason);
    hub.cancel("again");
    const { values, failure } = await watched;
    assertEquals(bytesOf(values), [1]);
    assertStrictEquals(failure?.error, reason);
    assertStrictEquals(await rejectionOf(hub.done), reason);
    assertEquals(source.cancels, [reason]);
  });

  it("is cancelled with an AbortError by default", async () => {
    const { source, hub } = hubWith();
    hub.cancel();
    const error = await rejectionOf(hub.done);
    assert(error instanceof DOMException && error.name === "AbortError");
    assertEquals(source.cancels, [error]);
  });

  it("ignores what a source does after a cancel", async () => {
    const source = new ReadableStream<PullProgress>({
      cancel() {
        throw new Error("cannot be cancelled");
      },
    });
    const hub = new PullHub(source);
    const unhandled = await unhandledRejections(() => Promise.resolve(hub.cancel("enough")));
    assertEquals(unhandled, []);
    assertEquals(await rejectionOf(hub.done), "enough");
  });

  it("does not show a snapshot that comes when it is cancelled", async () => {
    const { source, hub } = hubWith();
    await settle();
    source.give(progressAt(1));
    hub.cancel();
    await settle();
    assertEquals(hub.latest, undefined);
  });

  it("rejects a locked stream", () => {
    const { stream } = new TestSource<PullProgress>();
    stream.getReader();
    assertThrows(() => new PullHub(stream), TypeError);
  });

  it("shows the failure of a source that fails as soon as it starts or is read", async () => {
    const error = new Error("broken");
    const fail = () => {
      throw error;
    };
    const broken = new ReadableStream<PullProgress>({
      start: (controller) => controller.error(error),
    });
    for (const source of [broken, new ReadableStream<PullProgress>({ pull: fail })]) {
      const hub = new PullHub(source);
      assertStrictEquals((await outcomeOf(hub.watch())).failure?.error, error);
      assertStrictEquals(await rejectionOf(hub.done), error);
    }
  });

  it("leaves no rejection unhandled when nobody looks at how it ended", async () => {
    const unhandled = await unhandledRejections(async () => {
      const { source, hub } = hubWith();
      hub.watch();
      hub.subscribe(() => {});
      source.fail(new Error("broken"));
      await settle();
      hubWith().hub.cancel();
    });
    assertEquals(unhandled, []);
  });
});

describe("the listeners of a PullHub", () => {
  it("are called at once with the newest snapshot, and then with each one", async () => {
    const { source, hub } = hubWith();
    const told: PullProgress[] = [];
    const stop = hub.subscribe((progress) => void told.push(progress));
    assertEquals(told, []);
    for (const bytes of [1, 2, 3]) source.give(progressAt(bytes));
    await settle();
    hub.subscribe((progress) => void told.push(progress));
    assertEquals(bytesOf(told), [1, 2, 3, 3]);
    stop();
    stop();
    source.give(progressAt(4));
    await settle();
    assertEquals([bytesOf(told), hub.watchers], [[1, 2, 3, 3, 4], 1]);
  });

  it("get a snapshot even if an earlier listener throws", async () => {
    const { source, hub } = hubWith();
    const error = new Error("of the listener");
    const told: PullProgress[] = [];
    const errors = await reportedErrors(async () => {
      hub.subscribe(() => {
        throw error;
      });
      hub.subscribe((progress) => void told.push(progress));
      source.give(progressAt(1));
      source.give(progressAt(2));
      await settle();
    });
    assertEquals([bytesOf(told), errors], [[1, 2], [error, error]]);
    assertEquals(await isSettled(hub.done), false);
  });

  it("may be the same function more than once", async () => {
    const { source, hub } = hubWith();
    let calls = 0;
    const listener = () => void calls++;
    const [stop] = [hub.subscribe(listener), hub.subscribe(listener)];
    source.give(progressAt(1));
    await settle();
    assertEquals(calls, 2);
    stop();
    source.give(progressAt(2));
    await settle();
    assertEquals([calls, hub.watchers], [3, 1]);
  });

  it("may leave, and add or remove others, while they are called", async () => {
    const { source, hub } = hubWith();
    const told: string[] = [];
    const reader = hub.watch().getReader();
    const stopFirst = hub.subscribe(({ completed }) => {
      told.push(`first ${completed}`);
      stopFirst();
      stopSecond();
      void reader.cancel();
      hub.subscribe(({ completed }) => void told.push(`third ${completed}`));
    });
    const stopSecond = hub.subscribe(({ completed }) => void told.push(`second ${completed}`));
    source.give(progressAt(1));
    await settle();
    source.give(progressAt(2));
    await settle();
    assertEquals(told, ["first 1", "third 1", "third 2"]);
    assertEquals(hub.watchers, 1);
  });

  it("all get the last snapshot, even if one of them cancels the pull", async () => {
    const { source, hub } = hubWith();
    const told: number[] = [];
    hub.subscribe(() => hub.cancel());
    hub.subscribe(({ completed }) => void told.push(completed));
    const stream = outcomeOf(hub.watch());
    source.give(progressAt(1));
    await settle();
    assertEquals(told, [1]);
    assertEquals(bytesOf((await stream).values), [1]);
  });
});

describe("a PullHub that nobody watches any more", () => {
  it("goes on by default", async () => {
    const { source, clock, hub } = hubWith();
    hub.subscribe(() => {})();
    await clock.advance(1e9);
    assertEquals([source.cancels, clock.sleepers], [[], 0]);
  });

  it("is cancelled after a time that begins when the last watcher leaves", async () => {
    const { source, clock, hub } = hubWith(1000);
    await clock.advance(5000); // nobody has come yet
    const stop = hub.subscribe(() => {});
    const reader = hub.watch().getReader();
    stop();
    await clock.advance(5000);
    await reader.cancel();
    await clock.advance(999);
    assertEquals(source.cancels, []);
    await clock.advance(1);
    assertEquals(source.cancels.map((reason) => (reason as Error).name), ["AbortError"]);
    const { failure } = await outcomeOf(hub.watch());
    assertStrictEquals(failure?.error, source.cancels[0]);
  });

  it("goes on if a watcher joins in time", async () => {
    for (const lingerMs of [0, 1000]) {
      const { source, clock, hub } = hubWith(lingerMs);
      hub.subscribe(() => {})();
      const stop = hub.subscribe(() => {});
      await clock.advance(5000);
      assertEquals([source.cancels, clock.sleepers], [[], 0]);
      stop();
      await clock.advance(lingerMs);
      assertEquals(source.cancels.length, 1);
    }
  });

  it("goes on even if the wait does not end when a watcher joins", async () => {
    const source = new TestSource<PullProgress>();
    let wake = () => {};
    const sleep = () => new Promise<void>((resolve) => wake = resolve);
    const hub = new PullHub(source.stream, { lingerMs: 1000, sleep });
    hub.subscribe(() => {})();
    hub.subscribe(() => {});
    wake();
    await settle();
    assertEquals(source.cancels, []);
  });

  it("waits no longer once it has ended", async () => {
    const { source, clock, hub } = hubWith(1000);
    hub.subscribe(() => {})();
    assertEquals(clock.sleepers, 1);
    source.end();
    await settle();
    assertEquals(clock.sleepers, 0);
    hub.subscribe(() => {})();
    await hub.watch().cancel();
    assertEquals(clock.sleepers, 0);
  });

  it("counts a watcher that leaves only once", async () => {
    const { source, clock, hub } = hubWith(1000);
    const stop = hub.subscribe(() => {});
    hub.subscribe(() => {});
    stop();
    stop();
    await clock.advance(5000);
    assertEquals([source.cancels, hub.watchers], [[], 1]);
  });
});

describe("the memory of a PullHub", () => {
  const WATCHERS = 1000;
  const SNAPSHOTS = 100;

  it("holds only the newest snapshot, however many watchers do not read", async () => {
    const { source, hub } = hubWith();
    const streams = Array.from({ length: WATCHERS }, () => hub.watch());
    const readers = Array.from({ length: WATCHERS }, () => hub.watch().getReader());
    const given: WeakRef<PullProgress>[] = [];
    for (let bytes = 1; bytes <= SNAPSHOTS; bytes++) {
      const progress = progressAt(bytes);
      given.push(new WeakRef(progress));
      source.give(progress);
      await settle();
      if (bytes === 1) await Promise.all(readers.map((reader) => reader.read()));
    }
    if (!await collectGarbage()) return;
    const kept = given.filter((snapshot) => snapshot.deref() !== undefined);
    assert(kept.length <= 2, `${kept.length} snapshots are kept`); // an engine may still hold one
    assertEquals(given.at(-1)!.deref(), hub.latest);
    assertEquals(hub.watchers, streams.length + readers.length);
  });

  it("holds no stream that is not waiting, or was cancelled", async () => {
    const { hub } = hubWith();
    const streams: WeakRef<PullStream<PullProgress>>[] = [];
    for (let index = 0; index < WATCHERS; index++) {
      const stream = hub.watch();
      streams.push(new WeakRef(stream));
      if (index % 2 === 0) continue;
      const reader = stream.getReader();
      const read = reader.read();
      await settle();
      await reader.cancel();
      await read;
    }
    if (!await collectGarbage()) return;
    const kept = streams.filter((stream) => stream.deref() !== undefined);
    assert(kept.length <= 2, `${kept.length} streams are kept`);
    assertEquals(hub.watchers, WATCHERS / 2);
  });
});
