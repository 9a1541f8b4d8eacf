import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { Bytes } from "../bytes.ts";
import { PullHub } from "../manager/hub.ts";
import { progressAt } from "../manager/test_helpers.ts";
import type { PullProgress } from "../snapshot.ts";
import { settle, TestSource, VirtualClock, watchedSignal } from "../stream_test_helpers.ts";
import { Audience } from "./audience.ts";
import { Feed } from "./feed.ts";
import type { RecordFormat } from "./response.ts";
import { openingBytes, Viewer } from "./viewer.ts";

const EVERY_MS = 100;
const HEARTBEAT_MS = 1_000;
const IDLE_MS = 2_000;

/** Reads what a viewer gets. */
class TestViewer {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;

  constructor(body: ReadableStream<Bytes>) {
    this.#reader = body.getReader();
  }

  /** The next bytes, or nothing at the end. */
  async bytes(): Promise<Bytes | undefined> {
    return (await this.#reader.read()).value;
  }

  /** The next bytes as text. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** A feed, and what it is fed from. */
function feedWith(options: { lingerMs?: number } = {}) {
  const clock = new VirtualClock();
  const { now, sleep } = clock;
  const audience = new Audience({ heartbeatMs: HEARTBEAT_MS, idleMs: IDLE_MS, now, sleep });
  const source = new TestSource<PullProgress>();
  const hub = new PullHub(source.stream, { ...options, sleep });
  const ended: Feed[] = [];
  const feed = new Feed(hub, "m", {
    audience,
    updateEveryMs: EVERY_MS,
    redact: () => new Error("redacted"),
    onEnd: (one) => ended.push(one),
    now,
    sleep,
  });
  /** Lets somebody in, who has read what comes first. */
  const join = async (format: RecordFormat = "ndjson", signal?: AbortSignal) => {
    const viewer = new Viewer(feed, format, openingBytes(format, 5));
    feed.join(viewer);
    const test = new TestViewer(viewer.open(signal));
    if (!signal?.aborted) await test.bytes();
    return test;
  };
  return { clock, audience, source, hub, feed, ended, join };
}

describe("Feed", () => {
  it("gives the same bytes to all who keep up", async () => {
    const { clock, source, join } = feedWith();
    const viewers = await Promise.all(Array.from({ length: 5 }, () => join("sse")));
    for (const completed of [10, 20, 100]) {
      const reads = viewers.map((viewer) => viewer.bytes());
      source.give(progressAt(completed));
      await clock.advance(EVERY_MS);
      const [first, ...others] = await Promise.all(reads);
      assert(first);
      for (const bytes of others) assertStrictEquals(bytes, first);
    }
  });

  it("gives the same whole snapshot to all who do not, who then go on with the others", async () => {
    const { clock, source, join } = feedWith();
    const [quick, slow, late] = await Promise.all([join(), join(), join()]);
    for (const completed of [10, 20, 30]) {
      const read = quick.text();
      source.give(progressAt(completed));
      await clock.advance(EVERY_MS);
      assertEquals(JSON.parse(await read).version, completed === 10 ? 1 : undefined);
    }
    const whole = await slow.bytes();
    assertStrictEquals(await late.bytes(), whole);
    assertEquals(JSON.parse(new TextDecoder().decode(whole)).sequence, 3);
    const reads = [quick, slow, late].map((viewer) => viewer.bytes());
    source.give(progressAt(40));
    await clock.advance(EVERY_MS);
    const [change, ...others] = await Promise.all(reads);
    for (const bytes of others) assertStrictEquals(bytes, change);
  });

  it("tells the first snapshot at once, and then the newest one every so often", async () => {
    const { clock, source, join } = feedWith();
    const viewer = await join();
    const told: [number, unknown][] = [];
    const done = (async () => {
      for (let text = await viewer.text(); text !== ""; text = await viewer.text()) {
        const { completed, end } = JSON.parse(text);
        told.push([clock.time, end ?? completed]);
      }
    })();
    for (let completed = 1; completed <= 25; completed++) {
      source.give(progressAt(completed));
      await clock.advance(10);
    }
    source.give(progressAt(100));
    source.end();
    await done;
    assertEquals(told, [[0, 1], [100, 10], [200, 20], [250, 100], [250, "success"]]);
    assertEquals(clock.sleepers, 0);
  });

  it("gives the newest snapshot to who comes when nobody else watches", async () => {
    const { clock, source, join } = feedWith();
    const first = await join();
    source.give(progressAt(1));
    await settle();
    source.give(progressAt(2)); // which has to wait
    await settle();
    await first.leave();
    const second = await join();
    assertEquals(JSON.parse(await second.text()).completed, 2);
    const read = second.text();
    source.give(progressAt(3));
    await clock.advance(EVERY_MS - 1);
    source.give(progressAt(4));
    await clock.advance(1);
    assertEquals(JSON.parse(await read).completed, 4);
  });

  it("waits no longer for a clock that was set back", async () => {
    const { clock, source, join } = feedWith();
    clock.time = 1e9;
    const viewer = await join();
    source.give(progressAt(1));
    await viewer.text();
    clock.time = 0;
    const read = viewer.text();
    source.give(progressAt(2));
    await clock.advance(EVERY_MS);
    assertEquals(JSON.parse(await read).completed, 2);
  });

  it("tells how the pull ended, after the last snapshot, and then says so", async () => {
    const { source, feed, ended, join, clock } = feedWith();
    const viewer = await join("sse");
    source.give(progressAt(10));
    source.fail(new Error("secret"));
    await settle();
    assertEquals([ended, feed.endedAt], [[feed], clock.time]);
    const late = await join("sse");
    for (const one of [viewer, late]) {
      assert((await one.text()).startsWith('id: 1\ndata: {"version":1'));
      assertEquals(
        await one.text(),
        'id: end\ndata: {"sequence":2,"end":"error","error":{"name":"Error","message":"redacted"}}\n\n',
      );
      assertEquals(await one.bytes(), undefined);
    }
  });

  it("lets the pull linger when the last viewer has left, and no sooner", async () => {
    const { clock, hub, source, join } = feedWith({ lingerMs: 500 });
    const [one, other] = [await join(), await join()];
    await one.leave();
    await clock.advance(10_000 - 9_000);
    assertEquals([hub.watchers, source.cancels.length], [1, 0]);
    await other.leave();
    await clock.advance(499);
    const third = await join();
    await clock.advance(499);
    assertEquals(source.cancels.length, 0);
    await third.leave();
    await clock.advance(500);
    assertEquals(source.cancels.length, 1);
  });
});

describe("a viewer", () => {
  it("is sent something in time, and nothing without need", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 3 * HEARTBEAT_MS }), { maxLength: 5 }),
      async (pauses) => {
        const { clock, source, join } = feedWith();
        const viewer = await join();
        const times: number[] = [];
        const heartbeats: number[] = [];
        const done = (async () => {
          for (let text = await viewer.text(); text !== ""; text = await viewer.text()) {
            if (text === "\n") heartbeats.push(clock.time - (times.at(-1) ?? 0));
            times.push(clock.time);
          }
        })();
        for (const [index, pause] of pauses.entries()) {
          await clock.advance(pause);
          source.give(progressAt(index));
        }
        source.end();
        await done;
        times.reduce((before, time) => (assert(time - before <= HEARTBEAT_MS), time), 0);
        for (const silence of heartbeats) assert(silence >= HEARTBEAT_MS / 2);
      },
    ));
  });

  it("is cut off when it reads nothing for too long, and not before", async () => {
    const { audience, clock, source, join } = feedWith();
    const [idle, slow] = [await join(), await join()];
    for (let time = 0; time < IDLE_MS; time += IDLE_MS / 4) {
      assertEquals(audience.size, 2);
      source.give(progressAt(time));
      await slow.bytes();
      await clock.advance(IDLE_MS / 4);
    }
    await clock.advance(IDLE_MS / 4);
    assertEquals(audience.size, 1);
    assertEquals(await idle.bytes(), undefined);
  });

  it("leaves nothing behind, however it ends", async () => {
    const ways = {
      cancelled: (viewer: TestViewer) => viewer.leave(),
      aborted: (_: TestViewer, controller: AbortController) => controller.abort(),
      ended: async (viewer: TestViewer, _: AbortController, source: TestSource<PullProgress>) => {
        source.end();
        while (await viewer.bytes());
      },
    };
    for (const [name, go] of Object.entries(ways)) {
      const { audience, clock, hub, source, join } = feedWith();
      const { controller, signal, listeners } = watchedSignal();
      const viewer = await join("sse", signal);
      assertEquals(
        [audience.size, hub.watchers, listeners.size, clock.sleepers],
        [1, 1, 1, 1],
        name,
      );
      await go(viewer, controller, source);
      await settle();
      assertEquals(
        [audience.size, hub.watchers, listeners.size, clock.sleepers],
        [0, 0, 0, 0],
        name,
      );
    }
  });

  it("is cut off at once when its client has gone before it came", async () => {
    const { audience, hub, join } = feedWith();
    const viewer = await join("sse", AbortSignal.abort());
    assertEquals([audience.size, hub.watchers], [0, 0]);
    assertEquals(await viewer.text(), "retry: 5\n\n");
    assertEquals(await viewer.bytes(), undefined);
  });

  it("gets each record once, though it asks for several at a time", async () => {
    const { clock, source, join } = feedWith();
    const viewer = await join();
    const reads = Array.from({ length: 4 }, () => viewer.text());
    source.give(progressAt(1));
    await clock.advance(EVERY_MS);
    source.give(progressAt(100));
    source.end();
    const records = (await Promise.all(reads)).map((text) => text && JSON.parse(text));
    assertEquals(records.map((record) => record && (record.end ?? record.sequence)), [
      1,
      2,
      "success",
      "",
    ]);
  });
});
