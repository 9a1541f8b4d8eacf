import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { assertSpyCalls, spy, stub } from "@std/testing/mock";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import type { PullProgress } from "../snapshot.ts";
import {
  asPullError,
  isSettled,
  lines,
  type Outcome,
  outcomeOf,
  rejectionOf,
  settle,
  TestSource,
  utf8,
  VirtualClock,
} from "../stream_test_helpers.ts";
import type { PullOptions } from "./options.ts";
import { pull, pullModel } from "./pull.ts";
import {
  type Answer,
  answer,
  DONE,
  layer,
  MANIFEST,
  pullFrom,
  silence,
  streaming,
  SUCCESS,
  TestServer,
  unreachable,
} from "./test_helpers.ts";

/** Does something every so often, for a time. */
async function repeat(clock: VirtualClock, everyMs: number, forMs: number, action: () => void) {
  for (let time = everyMs; time <= forMs; time += everyMs) {
    await clock.advance(everyMs);
    action();
  }
  await settle();
}

/**
 * What a pull makes of a server that reports every 100 ms how many of 100 bytes there are, for an hour or
 * until all are.
 */
async function talking(
  clock: VirtualClock,
  completedAt: (time: number) => number,
  options: PullOptions,
): Promise<Outcome<PullProgress>> {
  const source = new TestSource<Uint8Array<ArrayBuffer>>();
  const outcome = outcomeOf(pullFrom([streaming(source)], { ...clock, ...options }));
  let isEnded = false;
  void outcome.then(() => isEnded = true);
  while (!isEnded && clock.time < 3_600_000) {
    const completed = Math.min(completedAt(clock.time), 100);
    source.give(utf8(lines(layer(completed))));
    if (completed === 100) source.give(utf8(DONE));
    await clock.advance(100);
  }
  return outcome;
}

describe("stallTimeoutMs", () => {
  const stallTimeoutMs = 1000;

  it("fails a pull whose headers do not come", async () => {
    const clock = new VirtualClock();
    const server = new TestServer(silence);
    const outcome = outcomeOf(pull("m", { ...server, ...clock, stallTimeoutMs }));
    await clock.advance(999);
    assertEquals(await isSettled(outcome), false);
    await clock.advance(1);
    const error = asPullError((await outcome).failure?.error);
    assertEquals([error.code, error.message], ["stalled", "The server sent nothing for 1 s"]);
    assert(server.request.signal.aborted);
    assertEquals(clock.sleepers, 0);
  });

  it("fails a pull whose bytes do not come, counted from the latest, and releases it", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const options = { ...clock, stallTimeoutMs };
    const outcome = outcomeOf(pullFrom([streaming(source)], options));
    for (let chunk = 0; chunk < 5; chunk++) {
      await clock.advance(900);
      assertEquals(await isSettled(outcome), false);
      source.give(utf8(lines(layer(chunk + 1))));
    }
    await clock.advance(999);
    assertEquals(await isSettled(outcome), false);
    await clock.advance(1);
    const { values, failure } = await outcome;
    assertEquals(values.length, 5);
    assertEquals(asPullError(failure?.error).code, "stalled");
    assertEquals(source.cancels.length, 1);
  });

  it("fails a pull whose server keeps sending lines without news", async () => {
    const talk = [utf8(" "), utf8("\n"), utf8('{"sta'), utf8(lines(MANIFEST))];
    for (const bytes of talk) {
      const clock = new VirtualClock();
      const source = new TestSource<Uint8Array<ArrayBuffer>>();
      const outcome = outcomeOf(pullFrom([streaming(source)], { ...clock, stallTimeoutMs }));
      source.give(utf8(lines(MANIFEST)));
      await repeat(clock, 100, 999, () => source.give(bytes));
      assertEquals(await isSettled(outcome), false);
      await clock.advance(100);
      const error = asPullError((await outcome).failure?.error);
      assertEquals(error.message, "The server sent nothing new for 1 s");
    }
  });

  it("fails a download that stands still, even if the server keeps sending lines", async () => {
    const places: [options: PullOptions, place: string][] = [
      [{ layers: [{ digest: "sha256:aaaa", size: 100 }] }, "98 %"],
      [{}, "98 of 100 bytes"], // of the layers that are known
    ];
    for (const [options, place] of places) {
      const clock = new VirtualClock();
      const { failure } = await talking(clock, (time) => time < 5000 ? time / 100 : 98, {
        stallTimeoutMs: 120_000,
        ...options,
      });
      const message =
        `The download has been at ${place} for 120 s, though the server still answers`;
      assertEquals(asPullError(failure?.error).message, message);
      assert(clock.time >= 125_000 && clock.time < 125_100, `${clock.time} ms`);
    }
  });

  it("counts each byte of the model as progress, even an endless trickle", async () => {
    const clock = new VirtualClock();
    const trickle = (time: number) => Math.floor(time / 900);
    const { values } = await talking(clock, trickle, { stallTimeoutMs });
    assertEquals(values.at(-1)?.completed, 100);
  });

  it("does not count fewer bytes than minBytesPerSecond", async () => {
    const clock = new VirtualClock();
    const options = { stallTimeoutMs: 10_000, minBytesPerSecond: 2 };
    const slow = (time: number) =>
      time <= 10_000 ? time / 250 : 40 + Math.floor((time - 10_000) / 600);
    const { values, failure } = await talking(clock, slow, options);
    const message = "The download was slower than 2 bytes per second for 10 s";
    assertEquals(asPullError(failure?.error).message, message);
    assert(values.at(-1)!.completed > 50);
    const quick = (time: number) => Math.floor(time / 400);
    const { values: all } = await talking(new VirtualClock(), quick, options);
    assertEquals(all.at(-1)?.completed, 100);
  });

  it("counts bytes that are fetched again as new once, and never twice", async () => {
    // Up to 50, and then for ever from 40 up to 50 again.
    const once = new VirtualClock();
    const sawtooth = (time: number) => time < 5000 ? time / 100 : 40 + Math.floor(time / 100) % 11;
    const { failure } = await talking(once, sawtooth, { stallTimeoutMs });
    assertEquals(asPullError(failure?.error).code, "stalled");
    assert(once.time > 6000 && once.time < 8000, `${once.time} ms`);
    // Each time a little further than before.
    const further = (time: number) => {
      const round = Math.floor(time / 900);
      return Math.min(100, 40 + 5 * round + Math.floor(time % 900 / 100) - 9);
    };
    const { values } = await talking(new VirtualClock(), further, { stallTimeoutMs: 1800 });
    assertEquals(values.at(-1)?.completed, 100);
  });

  it("does not mistake verifying and writing for a stall", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const outcome = outcomeOf(pullFrom([streaming(source)], { ...clock, stallTimeoutMs }));
    for (const status of ["verifying sha256 digest", "writing manifest"]) {
      source.give(utf8(lines(layer(100), { status })));
      await clock.advance(3_600_000);
      assertEquals(await isSettled(outcome), false);
    }
    source.give(utf8(DONE));
    assertEquals((await outcome).failure, undefined);
  });

  it("does not apply to an answer that is not streamed", async () => {
    const clock = new VirtualClock();
    const later: Answer = () =>
      clock.sleep(600_000, new AbortController().signal).then(() => new Response(lines(SUCCESS)));
    const server = new TestServer(later);
    const pulled = pullModel("m", { ...server, ...clock, stream: false, stallTimeoutMs });
    await clock.advance(600_000);
    await pulled;
  });

  it("fails a pull whose failed answer does not end", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const fails = answer(source.stream, { status: 502 });
    const outcome = outcomeOf(pullFrom([fails], { ...clock, stallTimeoutMs }));
    await clock.advance(1000);
    assert(await isSettled(outcome));
    assertInstanceOf((await outcome).failure?.error, PullError);
  });

  it("does not mistake a slow reader for a stall", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(MANIFEST)));
    const reader = pullFrom([streaming(source)], { ...clock, stallTimeoutMs }).getReader();
    await reader.read();
    await clock.advance(100_000);
    const read = reader.read();
    await clock.advance(999);
    assertEquals(await isSettled(read), false);
    source.give(utf8(DONE));
    assertEquals((await read).value?.phase, "success");
    await reader.cancel();
  });

  it("has no timer left after the pull, however it ended", async () => {
    const endings: Record<string, Answer> = {
      "success": answer(DONE),
      "success without a newline": answer(DONE.trimEnd()),
      "no server": unreachable,
      "an answer that is no success": answer("", { status: 400 }),
      "a malformed line": answer("{]\n"),
      "an end without success": answer(lines(MANIFEST)),
    };
    for (const [ending, respond] of Object.entries(endings)) {
      const clock = new VirtualClock();
      await outcomeOf(pullFrom([respond], { ...clock, stallTimeoutMs }));
      await settle();
      assertEquals(clock.sleepers, 0, ending);
    }
  });

  it("is not watched any more when the pull was cancelled", async () => {
    const clock = new VirtualClock();
    const reader = pullFrom([silence], { ...clock, stallTimeoutMs }).getReader();
    void reader.read();
    await settle();
    assertEquals(clock.sleepers, 1);
    await reader.cancel();
    await settle();
    assertEquals(clock.sleepers, 0);
  });

  it("may be longer than a timer of the runtime can wait", async () => {
    using timer = stub(globalThis, "setTimeout", () => 0);
    const reader = pull("m", { fetch: silence, stallTimeoutMs: 2 ** 32 }).getReader();
    void reader.read();
    await settle();
    for (const { args } of timer.calls) assert(args[1] <= 2 ** 31 - 1, `${args[1]} ms`);
    await reader.cancel();
  });

  it("is infinite by default: nothing is watched", async () => {
    const sleep = spy(() => Promise.resolve());
    await outcomeOf(pullFrom([answer(DONE)], { sleep }));
    assertSpyCalls(sleep, 0);
  });
});

describe("silenceTimeoutMs", () => {
  const silenceTimeoutMs = 1000;

  it("fails a pull in every phase, and one that is not streamed", async () => {
    const starts = ["", lines(MANIFEST), lines(MANIFEST, { status: "verifying sha256 digest" })];
    for (const start of starts) {
      for (const stream of [true, false]) {
        const clock = new VirtualClock();
        const source = new TestSource(...(start === "" ? [] : [utf8(start)]));
        const server = new TestServer(streaming(source));
        const outcome = rejectionOf(
          pullModel("m", { ...server, ...clock, stream, silenceTimeoutMs }),
        );
        await clock.advance(999);
        assertEquals(await isSettled(outcome), false);
        await clock.advance(1);
        const error = asPullError(await outcome);
        assertEquals([error.code, error.message], ["stalled", "The server sent nothing for 1 s"]);
      }
    }
  });

  it("accepts any byte, whatever it is", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const outcome = outcomeOf(pullFrom([streaming(source)], { ...clock, silenceTimeoutMs }));
    for (const byte of utf8(`\n \r\n\n${DONE}`)) {
      await clock.advance(999);
      source.give(Uint8Array.of(byte));
    }
    assertEquals((await outcome).values.at(-1)?.phase, "success");
  });

  it("accepts any byte of a failed answer too", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const fails = answer(source.stream, { status: 500 });
    const outcome = outcomeOf(pullFrom([fails], { ...clock, silenceTimeoutMs }));
    for (const byte of utf8('{"error":"disk full"}')) {
      await clock.advance(999);
      source.give(Uint8Array.of(byte));
    }
    await settle();
    source.end();
    assertEquals(asPullError((await outcome).failure?.error).message, "HTTP 500: disk full");
  });
});
