import { assert, assertAlmostEquals, assertEquals, assertStrictEquals } from "@std/assert";
import { assertSpyCalls, spy, stub } from "@std/testing/mock";
import fc from "fast-check";
import { describe, it } from "node:test";
import { pullSessions } from "../../conformance/generators/mod.ts";
import {
  asPullError,
  isSettled,
  lines,
  outcomeOf,
  pullErrorOf,
  settle,
  standingStill,
  TestSource,
  utf8,
  VirtualClock,
} from "../stream_test_helpers.ts";
import type { PullRetry } from "./options.ts";
import { pull, pullModel } from "./pull.ts";
import { retryDelayMs } from "./retry.ts";
import {
  type Answer,
  answer,
  DONE,
  layer,
  MANIFEST,
  pullFrom,
  silence,
  streaming,
  TestServer,
  unreachable,
} from "./test_helpers.ts";

describe("retries", () => {
  const noWait = { now: standingStill, sleep: () => Promise.resolve() };

  /** The waits before the retries of a pull, in milliseconds. */
  async function delaysOf(random: number, ...answers: Answer[]): Promise<number[]> {
    const delays: number[] = [];
    const sleep = (milliseconds: number) => Promise.resolve(void delays.push(milliseconds));
    const retries = answers.length - 1;
    await outcomeOf(pullFrom(answers, { retries, sleep, random: () => random }));
    return delays;
  }

  const breaking: Answer = () => {
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    source.fail(new TypeError("reset"));
    return new Response(source.stream);
  };

  it("follow a transient failure, and no other", async () => {
    const failures: [Answer, passes: boolean][] = [
      [unreachable, true],
      [breaking, true],
      [answer(lines(MANIFEST)), true],
      [answer('{"status":"pul'), true],
      [answer("", { status: 500 }), true],
      [answer("<html>", { status: 503 }), true],
      [answer("", { status: 400 }), false],
      [answer("", { status: 404 }), false],
      [answer(lines({ error: "max retries exceeded: EOF" })), true],
      [answer("", { status: 429 }), true],
      [answer(lines({ error: "no space left on device" })), false],
      [answer(lines({ error: "whatever this is" })), false],
      [answer("<html></html>\n"), false],
      [answer("{]\n"), false],
      [answer("x".repeat(2_000_000)), false],
    ];
    for (const [index, [failure, passes]] of failures.entries()) {
      const server = new TestServer(failure, answer(DONE));
      const { values, failure: failed } = await outcomeOf(
        pull("m", { ...server, ...noWait, retries: 1 }),
      );
      assertEquals(server.requests.length, passes ? 2 : 1, `failure ${index}`);
      assertEquals(failed === undefined, passes);
      if (passes) assertEquals(values.at(-1)?.phase, "success");
      else assertEquals(asPullError(failed?.error).attempts, undefined);
    }
  });

  it("are made after a stall", async () => {
    const clock = new VirtualClock();
    const server = new TestServer(silence, answer(DONE));
    const outcome = outcomeOf(
      pull("m", { ...server, ...clock, stallTimeoutMs: 1000, retries: 1, random: () => 0 }),
    );
    await clock.advance(1999);
    assertEquals(server.requests.length, 1);
    await clock.advance(1);
    assertEquals((await outcome).values.at(-1)?.phase, "success");
    assertEquals(clock.sleepers, 0);
  });

  it("follow every other 5xx, whatever its body says", async () => {
    const bodies = [
      "",
      "<html>: model not found: insecure</html>",
      `{"error":"internal server error"}`,
    ];
    for (const status of [500, 502, 503, 504, 599]) {
      for (const body of bodies) {
        const server = new TestServer(answer(body, { status }), answer(DONE));
        await pullModel("m", { ...server, ...noWait, retries: 1 });
        assertEquals(server.requests.length, 2);
      }
    }
  });

  it("are off by default", async () => {
    const server = new TestServer(unreachable, answer(DONE));
    await pullErrorOf(pull("m", { ...server, ...noWait }));
    assertEquals(server.requests.length, 1);
  });

  it("double the wait after each failure, up to 30 s", async () => {
    const answers = Array<Answer>(8).fill(unreachable);
    assertEquals(
      await delaysOf(0, ...answers),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    );
  });

  it("randomize up to half of the wait", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (random) => {
        const [first, second] = await delaysOf(random, unreachable, unreachable, unreachable);
        assertAlmostEquals(first!, 1000 - 500 * random, 1e-6);
        assertAlmostEquals(second!, 2000 - 1000 * random, 1e-6);
      }),
    );
  });

  it("use only the sleep and the random that they are given", async () => {
    const forbidden = () => {
      throw new Error("This is not what was passed");
    };
    using _timer = stub(globalThis, "setTimeout", forbidden as unknown as typeof setTimeout);
    using _now = stub(performance, "now", forbidden);
    using _date = stub(Date, "now", forbidden);
    using _random = stub(Math, "random", forbidden);
    const random = spy(() => 1);
    const waits: number[] = [];
    const sleep = (milliseconds: number) => Promise.resolve(void waits.push(milliseconds));
    const answers = [unreachable, answer(lines(layer(1))), answer(DONE)];
    const { failure } = await outcomeOf(pullFrom(answers, { retries: 2, sleep, random }));
    assertEquals(failure, undefined);
    assertSpyCalls(random, 2);
    assertEquals(waits, [500, 500]);
  });

  it("end after the last one, and the error says how many attempts were made", async () => {
    const server = new TestServer(unreachable, unreachable, answer("", { status: 503 }));
    const error = await pullErrorOf(pull("m", { ...server, ...noWait, retries: 2 }));
    assertEquals(server.requests.length, 3);
    assertEquals([error.code, error.status, error.attempts], ["http", 503, 3]);
    assertEquals(error.message, "HTTP 503 (after 3 attempts)");
  });

  it("end at a permanent failure, and the error says how many attempts were made", async () => {
    const server = new TestServer(unreachable, answer(lines({ error: "no space left on device" })));
    const error = await pullErrorOf(pull("m", { ...server, ...noWait, retries: 9 }));
    assertEquals([error.code, error.attempts], ["server", 2]);
    assertEquals(error.message, "no space left on device (after 2 attempts)");
  });

  /** The waits of a pull in which each attempt gets so far, in megabytes, and ends. */
  async function delaysAt(megabytes: number[], retries: number): Promise<number[]> {
    const delays: number[] = [];
    const server = new TestServer(...megabytes.map((completed) => answer(lines(large(completed)))));
    await pullErrorOf(pull("m", {
      ...server,
      now: standingStill,
      sleep: (milliseconds) => Promise.resolve(void delays.push(milliseconds)),
      random: () => 0,
      retries,
    }));
    return delays;
  }

  /** A status about a layer of a terabyte. */
  const large = (megabytes: number) => ({ ...layer(megabytes * 1e6), total: 1e12 });

  it("start over, waits included, when an attempt has brought a megabyte", async () => {
    assertEquals(await delaysAt([1, 2, 3, 4, 4, 4, 4], 2), [1000, 1000, 1000, 1000, 2000]);
    assertEquals(await delaysAt([1, 2.5, 5, 0, 5.9, 6.9], 3), [
      ...[1000, 1000, 1000, 2000, 4000],
      ...[1000, 2000, 4000], // no server any more
    ]);
  });

  it("do not reset the count for less: a trickle would go on for ever", async () => {
    const trickle = Array.from({ length: 99 }, (_, attempt) => 1 + attempt * 0.9999);
    assertEquals(await delaysAt(trickle, 4), [1000, 2000, 4000, 8000]);
  });

  it("start over when an attempt reaches a phase for the first time", async () => {
    const delays: number[] = [];
    const phases = ["verifying sha256 digest", "writing manifest", "verifying sha256 digest"];
    const answers = phases.map((status) => answer(lines(MANIFEST, layer(1), { status })));
    await outcomeOf(pullFrom([unreachable, ...answers, unreachable, answer(DONE)], {
      retries: 3,
      random: () => 0,
      sleep: (milliseconds) => Promise.resolve(void delays.push(milliseconds)),
    }));
    assertEquals(delays, [1000, 1000, 1000, 2000, 4000]);
  });

  it("go on for retryForMs, whatever the count", async () => {
    const clock = new VirtualClock();
    let requests = 0;
    const fetch = () => (requests++, new Response(lines(MANIFEST)));
    const options = { ...clock, fetch, random: () => 0, retryForMs: 30 * 60_000 };
    const outcome = outcomeOf(pull("m", options));
    await clock.advance(30 * 60_000);
    assertEquals(await isSettled(outcome), false);
    await clock.advance(30_000);
    const error = asPullError((await outcome).failure?.error);
    assertEquals([error.code, error.attempts], ["truncated", requests]);
    assert(requests > 50, `${requests} requests`);
  });

  it("are not made if the first connection is refused or the host unknown, but are made later", async () => {
    for (const code of ["ECONNREFUSED", "ENOTFOUND"]) {
      const refused: Answer = () => Promise.reject(Object.assign(new Error("no"), { code }));
      const first = new TestServer(refused, answer(DONE));
      const error = await pullErrorOf(pull("m", { ...first, ...noWait, retries: 9 }));
      assertEquals([error.attempts, error.retryable], [undefined, true]);
      const answers = [answer(lines(MANIFEST)), refused, refused, answer(DONE)];
      await pullModel("m", { ...new TestServer(...answers), ...noWait, retries: 9 });
    }
  });

  it("wait as long as the server asks, in seconds or until a date, whatever the status", async () => {
    const date = "Sun, 29 Nov 2026 10:00:00 GMT";
    const asked: [status: number, headers: Record<string, string>, delayMs: number][] = [
      [429, { "Retry-After": "7" }, 7000],
      [503, { "Retry-After": " 120 " }, 120_000],
      [408, { "Retry-After": "Sun, 29 Nov 2026 10:01:30 GMT", "Date": date }, 90_000],
      [500, { "Retry-After": "Sun, 29 Nov 2026 09:00:00 GMT", "Date": date }, 1000],
      [500, { "Retry-After": "0" }, 1000],
      [500, { "Retry-After": "soon" }, 1000],
      [500, { "Retry-After": "300" }, 300_000],
    ];
    for (const [status, headers, delayMs] of asked) {
      const response = answer("", { status, headers });
      assertEquals(await delaysOf(0, response, answer(DONE)), [delayMs]);
    }
  });

  it("are not made if the server asks for too long a wait: the error says when to try again", async () => {
    const response = answer("", { status: 429, headers: { "Retry-After": "301" } });
    const error = await pullErrorOf(pullFrom([response, answer(DONE)], { retries: 3 }));
    assertEquals(error.message, "HTTP 429; come back in 6 min");
    assertEquals([error.retryAfterMs, error.reason, error.retryable], [
      301_000,
      "rate-limited",
      true,
    ]);
    const told = { retries: 1, maxRetryDelayMs: 301_000 };
    assertEquals((await outcomeOf(pullFrom([response, answer(DONE)], told))).failure, undefined);
  });

  it("wait at most maxRetryDelayMs", async () => {
    const delays: number[] = [];
    const sleep = (milliseconds: number) => Promise.resolve(void delays.push(milliseconds));
    const answers = Array<Answer>(4).fill(unreachable);
    const options = { retries: 3, sleep, random: () => 0, maxRetryDelayMs: 1500 };
    await outcomeOf(pullFrom(answers, options));
    assertEquals(delays, [1000, 1500, 1500]);
  });

  it("never let progress fall", async () => {
    const cuts = fc.array(pullSessions({ endings: ["cut"] }), { maxLength: 4 });
    await fc.assert(fc.asyncProperty(cuts, pullSessions(), async (cuts, last) => {
      const answers = [...cuts, last].map(({ statuses }) => answer(lines(...statuses)));
      const { values } = await outcomeOf(pullFrom(answers, { retries: 4 }));
      let [fraction, completed] = [0, 0];
      for (const value of values) {
        assert(value.fraction >= fraction && value.completed >= completed);
        assert(value.completed <= value.total);
        ({ fraction, completed } = value);
      }
      assertEquals(fraction, 1);
    }));
  });

  it("resume the pull, and do not count bytes already present as speed", async () => {
    const clock = new VirtualClock();
    const source = new TestSource<Uint8Array<ArrayBuffer>>();
    const server = new TestServer(answer(lines(layer(10))), streaming(source));
    const reader = pull("m", { ...server, ...clock, retries: 1, random: () => 0 }).getReader();
    assertEquals((await reader.read()).value?.completed, 10);
    const next = reader.read();
    await clock.advance(1000);
    source.give(utf8(lines(layer(60))));
    assertEquals((await next).value?.bytesPerSecond, undefined);
    const later = reader.read();
    await clock.advance(1000);
    source.give(utf8(lines(layer(70))));
    assertEquals((await later).value?.bytesPerSecond, 10);
    await reader.cancel();
  });

  it("are reported before the wait: the failure, the delay and the attempt", async () => {
    const told: unknown[] = [];
    const onRetry = ({ error, delayMs, attempt }: PullRetry) =>
      void told.push([error.code, delayMs, attempt]);
    const answers = [unreachable, answer(lines(MANIFEST)), answer(DONE)];
    await outcomeOf(pullFrom(answers, { retries: 2, onRetry, random: () => 0 }));
    assertEquals(told, [["network", 1000, 2], ["truncated", 2000, 3]]);
  });

  it("are not made if onRetry throws, which fails the pull with what it threw", async () => {
    const thrown = new Error("enough");
    const server = new TestServer(unreachable, answer(DONE));
    const onRetry = () => {
      throw thrown;
    };
    const { failure } = await outcomeOf(pull("m", { ...server, ...noWait, retries: 2, onRetry }));
    assertStrictEquals(failure?.error, thrown);
    assertEquals(server.requests.length, 1);
  });

  it("release the previous connection", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(MANIFEST)));
    const server = new TestServer(streaming(source), answer(DONE));
    const options = { ...server, ...clock, stallTimeoutMs: 500, retries: 1 };
    const outcome = outcomeOf(pull("m", options));
    await clock.advance(500);
    assert(server.request.signal.aborted);
    assertEquals(source.cancels.length, 1);
    await clock.advance(1000);
    assertEquals((await outcome).failure, undefined);
  });

  it("do not hurry a slow reader, before or after", async () => {
    const clock = new VirtualClock();
    const source = new TestSource(utf8(lines(layer(20))), utf8(DONE));
    const server = new TestServer(answer(lines(layer(10))), streaming(source));
    const options = { ...server, ...clock, stallTimeoutMs: 1000, retries: 1, random: () => 0 };
    const reader = pull("m", options).getReader();
    const phases: unknown[] = [];
    for (;;) {
      const read = reader.read();
      await clock.advance(1000); // the wait for the retry
      const { done, value } = await read;
      if (done) break;
      phases.push(value.phase);
      await clock.advance(1_000_000);
    }
    assertEquals(phases, ["downloading", "downloading", "manifest", "success"]);
    assertEquals(server.requests.length, 2);
  });

  it("leave nothing of the previous connection, however it failed", async () => {
    for (const failure of [unreachable, breaking, answer(""), answer("", { status: 503 })]) {
      const clock = new VirtualClock();
      const server = new TestServer(failure, answer(DONE));
      const options = { ...server, ...clock, stallTimeoutMs: 500, retries: 1 };
      const outcome = outcomeOf(pull("m", options));
      await settle();
      assert(server.request.signal.aborted);
      assertEquals(clock.sleepers, 1); // the wait for the retry alone
      await clock.advance(1000);
      assertEquals((await outcome).failure, undefined);
    }
  });

  it("count the lines of each connection from 1", async () => {
    const answers = [answer(lines(MANIFEST, layer(1))), answer(`${lines(MANIFEST)}<html>\n`)];
    assertEquals((await pullErrorOf(pullFrom(answers, { retries: 1 }))).line, 2);
  });
});

describe("retryDelayMs", () => {
  it("doubles from one second up to thirty, and varies by at most a half", () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, noNaN: true }), (n, random) => {
        const delay = retryDelayMs(n, random);
        const longest = retryDelayMs(n, 0);
        assert(delay <= longest && delay >= longest / 2, `${delay} of ${longest}`);
      }),
    );
    assertEquals([0, 1, 2, 4, 5, 6, 2_000].map((n) => retryDelayMs(n, 0)), [
      1_000,
      2_000,
      4_000,
      16_000,
      30_000,
      30_000,
      30_000,
    ]);
  });
});
