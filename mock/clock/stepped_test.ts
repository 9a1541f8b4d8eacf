import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { ConfigurationError } from "../configuration_error.ts";
import { mockOfSmall, requestPull } from "../test_helpers.ts";
import type { Clock } from "./clock.ts";
import { SteppedClock } from "./stepped.ts";
import { VirtualClock } from "./virtual.ts";

/** A line of a pull, and when it came. */
interface TimedLine {
  readonly time: number;
  readonly text: string;
}

/** Reads a pull to its end. Returns its lines so far, and whether it has ended. */
function follow(response: Response, clock: Clock) {
  const seen = { lines: [] as TimedLine[], hasEnded: false };
  const read = async () => {
    const utf8 = new TextDecoder();
    for await (const chunk of response.body!) {
      seen.lines.push({ time: clock.now(), text: utf8.decode(chunk) });
    }
    seen.hasEnded = true;
  };
  return { seen, reading: read() };
}

const FAULTS = [
  { kind: "stall", at: { line: 4 }, ms: 333 },
  { kind: "freeze", at: { completed: "50%" }, ms: 77.5 },
  { kind: "rollback", at: { completed: "75%" }, bytes: 5_000_000 },
] as const;

/** The pull that the properties look at: 230 ms, or some more with faults. */
async function followPull(clock: Clock, faults: typeof FAULTS | []) {
  return follow(await requestPull(mockOfSmall({ clock, faults })), clock);
}

/** More than the pull takes. */
const ENOUGH_MS = 1_000;

/** A time split into parts. */
const splits = fc.array(fc.double({ min: 0, max: 90, noNaN: true }), { maxLength: 15 });

describe("A stepped clock", () => {
  it("gives the lines at the times at which time that passes by itself does, however it is split", async () => {
    const faults = fc.constantFrom<typeof FAULTS | []>([], FAULTS);
    await fc.assert(fc.asyncProperty(splits, faults, async (parts, given) => {
      const expected = await followPull(new VirtualClock(), given);
      await expected.reading;
      const clock = new SteppedClock();
      const { seen, reading } = await followPull(clock, given);
      for (const part of [...parts, ENOUGH_MS]) {
        const until = clock.now() + part;
        await clock.advance(part);
        assertStrictEquals(clock.now(), until);
        assertEquals(seen.lines, expected.seen.lines.filter(({ time }) => time <= until));
      }
      await reading;
      assert(seen.hasEnded);
    }));
  });

  it("has sent over a socket what is due when a step is over", async () => {
    const clock = new VirtualClock();
    const { seen, reading } = await followPull(clock, FAULTS);
    await reading;
    const bytesUntil = (until: number) =>
      seen.lines.filter(({ time }) => time <= until)
        .reduce((sum, { text }) => sum + text.length, 0);

    const stepped = new SteppedClock();
    const server = mockOfSmall({ clock: stepped, faults: FAULTS });
    await using listener = await server.listen();
    const init = { method: "POST", body: '{"model":"small"}' };
    const response = await fetch(`${listener.url}/api/pull`, init);
    const [request] = server.requests;
    const text = response.text();
    while (request!.outcome === "running") {
      await stepped.advance(70);
      assertStrictEquals(request!.bytesSent, bytesUntil(stepped.now()));
    }
    assertStrictEquals(await text, seen.lines.map((line) => line.text).join(""));
    assertStrictEquals(request!.endedAt, seen.lines.at(-1)!.time);
  });

  it("stands still until it is moved", async () => {
    const clock = new SteppedClock();
    let isOver = false;
    const nap = clock.sleep(10).then(() => isOver = true);
    for (let turn = 0; turn < 10; turn++) await clock.advance(0);
    assertEquals([clock.now(), isOver], [0, false]);
    await clock.advance(10);
    assertEquals([clock.now(), isOver], [10, true]);
    await nap;
  });

  it("wakes sleepers in order, and lets each act at its moment, whatever it sleeps next", async () => {
    const plans = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 9 }), {
      maxLength: 9,
    });
    await fc.assert(fc.asyncProperty(plans, async (sleepers) => {
      const clock = new SteppedClock();
      const times: number[] = [];
      const all = Promise.all(sleepers.map(async (naps) => {
        let expected = 0;
        for (const nap of naps) {
          await clock.sleep(nap);
          assertStrictEquals(clock.now(), expected += nap);
          times.push(expected);
        }
      }));
      await clock.advance(81);
      await all;
      assertEquals(times, times.toSorted((a, b) => a - b));
    }));
  });

  it("takes one step after the other", async () => {
    const clock = new SteppedClock();
    const naps: number[] = [];
    const sleep = async (milliseconds: number) => {
      await clock.sleep(milliseconds);
      naps.push(clock.now());
    };
    void sleep(5);
    void sleep(12);
    const ends = [5, 5, 2].map(async (part) => {
      await clock.advance(part);
      return clock.now();
    });
    assertEquals([await Promise.all(ends), naps], [[5, 10, 12], [5, 12]]);
  });

  it("moves on without a task that does not come to rest", async () => {
    const clock = new SteppedClock();
    const busy = clock.join();
    await clock.advance(5);
    assertStrictEquals(clock.now(), 5);
    busy.leave();
  });

  it("moves on without a client that does not read", async () => {
    const clock = new SteppedClock();
    const reader = (await requestPull(mockOfSmall({ clock }))).body!.getReader();
    await reader.read();
    await clock.advance(ENOUGH_MS);
    assertStrictEquals(clock.now(), ENOUGH_MS);
    await reader.cancel();
  });

  it("wants a time that it can move on by", async () => {
    for (const value of [-1, NaN, Infinity, "5" as unknown as number]) {
      const clock = new SteppedClock();
      await assertRejects(
        () => clock.advance(value),
        ConfigurationError,
        "Cannot advance the clock",
      );
      await clock.advance(1);
      assertStrictEquals(clock.now(), 1);
    }
  });
});
