import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullHub } from "../manager/hub.ts";
import type { PullError } from "../errors.ts";
import { progressAt } from "../manager/test_helpers.ts";
import type { PullRetry } from "../pull/options.ts";
import type { PullProgress } from "../snapshot.ts";
import {
  isSettled,
  outcomeOf,
  pullErrorOf,
  settle,
  TestSource,
  utf8,
  VirtualClock,
  watchedSignal,
} from "../stream_test_helpers.ts";
import { ignoreRejection } from "../streams/producer.ts";
import type { RecordFormat } from "./response.ts";
import { toResponse } from "./response.ts";
import { describeEnd, type Progress, realProgress, receive } from "./test_helpers.ts";
import type { RelayRequestInit, WatchPullOptions } from "./watch_options.ts";
import { watchPull } from "./watch_pull.ts";

const RELAY = "https://relay.test/api";

/** How a connection is lost: after how many bytes, and by what. */
interface Cut {
  readonly bytes: number;
  readonly by: "end" | "failure" | "silence" | "refusal" | "restart";
}

/** A relay of one pull, whose progress goes on as the relay is read, and whose connections are lost. */
class FakeRelay {
  readonly requests: string[] = [];
  /** How many bodies are open. */
  open = 0;
  readonly #progress: Progress;
  readonly #cuts: Cut[];
  readonly #format: RecordFormat;
  #source!: TestSource<PullProgress>;
  #hub!: PullHub;
  #given = 0;

  constructor(progress: Progress, cuts: readonly Cut[], format: RecordFormat = "sse") {
    this.#progress = progress;
    this.#cuts = [...cuts];
    this.#format = format;
    this.#restart();
  }

  readonly fetch = (url: string, { method, signal }: RelayRequestInit): Response => {
    this.requests.push(`${method} ${url}`);
    const cut = this.#cuts.shift();
    if (cut?.by === "refusal") return new Response("<h1>Busy</h1>", { status: 503 });
    if (cut?.by === "restart") this.#restart();
    const { body, headers } = toResponse(this.#hub.watch(), { format: this.#format });
    return new Response(this.#cutOff(body!, cut, signal), { headers });
  };

  /** The pull is made anew, from its beginning. */
  #restart(): void {
    this.#source = new TestSource();
    this.#hub = new PullHub(this.#source.stream);
    this.#given = 0;
  }

  /** Lets the pull get on by one snapshot, or end. */
  #goOn(): void {
    const { snapshots, failure } = this.#progress;
    if (this.#given < snapshots.length) this.#source.give(snapshots[this.#given]!);
    else if (this.#given > snapshots.length) return;
    else if (failure) this.#source.fail(failure.error);
    else this.#source.end();
    this.#given++;
  }

  #cutOff(body: ReadableStream<Uint8Array>, cut: Cut | undefined, signal: AbortSignal) {
    const reader = body.getReader();
    let left = cut?.bytes ?? Infinity;
    let isOpen = true;
    this.open++;
    const close = () => {
      if (isOpen) this.open--;
      isOpen = false;
      ignoreRejection(reader.cancel()); // the pull may have failed
    };
    signal.addEventListener("abort", close);
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (left === 0 && cut?.by === "silence") return new Promise(() => {});
        if (left === 0 && cut?.by === "failure") {
          close();
          return controller.error(new TypeError("reset"));
        }
        this.#goOn();
        const { done, value } = left === 0 ? { done: true } : await reader.read();
        if (done || !value) {
          close();
          return controller.close();
        }
        const part = value.slice(0, left);
        left -= part.length;
        controller.enqueue(part);
      },
      cancel: close,
    }, { highWaterMark: 0 });
  }
}

const cuts: fc.Arbitrary<Cut[]> = fc.array(
  fc.record({
    bytes: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 2_000 })),
    by: fc.constantFrom("end", "failure", "silence", "refusal"),
  }),
  { maxLength: 8 },
);

/** What a watcher gets, on a clock that goes on as soon as nothing else does. */
async function watch(
  relay: { fetch: NonNullable<WatchPullOptions["fetch"]> },
  options: WatchPullOptions = {},
  clock = new VirtualClock(),
) {
  const { now, sleep } = clock;
  const watched = receive(
    watchPull(RELAY, "llama3.2", { fetch: relay.fetch, now, sleep, ...options }),
  );
  while (!await isSettled(watched)) {
    assert(clock.time < 100_000_000, "the watcher waits for ever");
    await clock.advance(100_000);
  }
  return watched;
}

/** How far each layer is, by its name. */
function completedOf({ layers }: PullProgress): Map<string, number> {
  return new Map(layers.map(({ digest, status, completed }) => [digest ?? status!, completed]));
}

function assertNeverFalls(snapshots: readonly PullProgress[]): void {
  snapshots.slice(1).forEach((now, index) => {
    const before = snapshots[index]!;
    assert(now.completed >= before.completed, "the bytes have become fewer");
    assert(now.fraction >= before.fraction, "the fraction has fallen");
    const completed = completedOf(now);
    for (const [name, bytes] of completedOf(before)) {
      assert((completed.get(name) ?? 0) >= bytes, "the bytes of a layer have become fewer");
    }
  });
}

describe("what a watcher sees", () => {
  it("is the pull, however often and wherever its connection is lost", async () => {
    const formats = fc.constantFrom<RecordFormat>("sse", "ndjson");
    await fc.assert(
      fc.asyncProperty(realProgress, cuts, formats, async (progress, cuts, format) => {
        const relay = new FakeRelay(progress, cuts, format);
        const clock = new VirtualClock();
        const { snapshots, end } = await watch(relay, {}, clock);
        assertNeverFalls(snapshots);
        assertEquals(snapshots.at(-1), progress.snapshots.at(-1));
        assertEquals(end, describeEnd(progress.failure));
        assertEquals([relay.open, clock.sleepers], [0, 0]);
      }),
    );
  });

  it("never falls, though the relay was restarted and pulls anew", async () => {
    const withRestarts = fc.array(
      fc.record<Cut>({ bytes: fc.nat({ max: 2_000 }), by: fc.constantFrom("end", "restart") }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(realProgress, withRestarts, async (progress, cuts) => {
        const { snapshots, end } = await watch(new FakeRelay(progress, cuts));
        assertNeverFalls(snapshots);
        assertEquals(end, describeEnd(progress.failure));
        if (end === "success") assertEquals(snapshots.at(-1), progress.snapshots.at(-1));
      }),
    );
  });
});

describe("the requests of a watcher", () => {
  const progress: Progress = {
    snapshots: [progressAt(10), progressAt(50), progressAt(100)],
    failure: undefined,
  };
  const url = `${RELAY}/pulls/llama3.2`;

  it("watch only, unless the pull is to be started", async () => {
    const relay = new FakeRelay(progress, []);
    await watch(relay);
    assertEquals(relay.requests, [`GET ${url}`]);
  });

  it("start the pull once, and watch it after that", async () => {
    const lost: Cut = { bytes: 20, by: "end" };
    const relay = new FakeRelay(progress, [{ bytes: 0, by: "refusal" }, lost, lost]);
    await watch(relay, { start: true });
    assertEquals(relay.requests, [`POST ${url}`, `POST ${url}`, `GET ${url}`, `GET ${url}`]);
  });

  it("are no more after success, though the connection is lost before the end is told", async () => {
    const source = new TestSource(progressAt(100));
    const fetch = (_: string, init: RelayRequestInit) => {
      requests.push(init);
      return toResponse(source.stream);
    };
    const requests: RelayRequestInit[] = [];
    const { snapshots, end } = await watch({ fetch });
    assertEquals([snapshots.length, end, requests.length], [1, "success", 1]);
    assert(requests[0]!.signal.aborted);
  });

  it("are given up after some failures in a row, which a snapshot ends", async () => {
    const retries = 1;
    const brief: Cut = { bytes: 300, by: "failure" };
    const long = { snapshots: [1, 2, 3, 4, 5, 6, 7, 8, 100].map((n) => progressAt(n)) };
    const relay = new FakeRelay({ ...long, failure: undefined }, [brief, brief, brief]);
    assertEquals((await watch(relay, { retries })).end, "success");
    const refusal: Cut = { bytes: 0, by: "refusal" };
    const lost = new FakeRelay({ ...long, failure: undefined }, [brief, refusal, refusal]);
    await watch(lost, { retries });
    assertEquals(lost.requests.length, 2);
  });

  it("carry the headers of the caller, and the login of the address", async () => {
    const seen: Record<string, string>[] = [];
    const fetch = (_: string, { headers }: RelayRequestInit) => {
      seen.push(headers);
      return new Response("", { status: 403 });
    };
    const headers = { "X-Team": "a" };
    const relay = "https://me:secret@relay.test";
    await outcomeOf(watchPull(relay, "m", { fetch, headers }));
    const accept = "text/event-stream, application/x-ndjson;q=0.9";
    assertEquals(seen, [{ accept, authorization: `Basic ${btoa("me:secret")}`, "x-team": "a" }]);
  });

  it("follow redirects with their method, and take no header to another origin", async () => {
    const seen: string[] = [];
    const fetch = (url: string, { method, headers }: RelayRequestInit) => {
      seen.push(`${method} ${url} ${headers["x-team"]}`);
      const location = "https://other.test/pulls/m";
      return url.startsWith("https://other")
        ? new Response("", { status: 403 })
        : new Response(null, { status: 302, headers: { location } });
    };
    const options = { fetch, headers: { "X-Team": "a" } };
    await outcomeOf(watchPull(RELAY, "m", options));
    assertEquals(seen, [`GET ${RELAY}/pulls/m a`, "GET https://other.test/pulls/m undefined"]);
    const { message } = await pullErrorOf(watchPull(RELAY, "m", { ...options, start: true }));
    assertMatch(
      message,
      /where a POST would arrive as a GET: give https:\/\/other\.test as the relay$/,
    );
  });

  it("may go to an address that is relative to a page, past the cache of the browser", async () => {
    const urls: string[] = [];
    const caches = new Set<unknown>();
    const fetch = (url: string, { cache }: RelayRequestInit) => {
      urls.push(url);
      caches.add(cache);
      return new Response("", { status: 403 });
    };
    await outcomeOf(watchPull(RELAY, "m", { fetch }));
    assertEquals([...caches], [undefined]); // some servers refuse the option
    urls.length = 0;
    caches.clear();
    const page = globalThis as { document?: unknown };
    page.document = { baseURI: "https://shop.test/admin/" };
    try {
      for (const relay of ["/api", "api", "", "?key=a"]) {
        await outcomeOf(watchPull(relay, "m", { fetch }));
      }
    } finally {
      delete page.document;
    }
    assertEquals([...caches], ["no-store"]);
    assertEquals(urls, [
      "https://shop.test/api/pulls/m",
      "https://shop.test/admin/api/pulls/m",
      "https://shop.test/admin/pulls/m",
      "https://shop.test/admin/pulls/m?key=a",
    ]);
  });

  it("name the model in one part of the path", async () => {
    const urls: string[] = [];
    const fetch = (url: string) => {
      urls.push(url);
      return toResponse(new PullHub(new ReadableStream()).watch());
    };
    for (const relay of [RELAY, `${RELAY}/`, new URL("https://me:secret@relay.test/api#top")]) {
      const reader = watchPull(relay, "hf.co/a/b:Q4_K_M", { fetch }).getReader();
      void reader.read();
      await settle();
      await reader.cancel();
    }
    assertEquals(new Set(urls), new Set([`${RELAY}/pulls/hf.co%2Fa%2Fb%3AQ4_K_M`]));
  });

  it("are not made to what is no relay, nor for what is no model", () => {
    const bad: [relay: string, model: unknown, message: RegExp][] = [
      ["/api", "m", /^Cannot use the relay "\/api": outside of a page it must be a whole address/],
      ["localhost:80", "m", /^Cannot use the relay "localhost:80": it must be an address of http/],
      ["ftp://me:secret@a", "m", /^Cannot use the relay "ftp:\/\/\*\*\*@a": it must be an address/],
      [RELAY, "", /^Cannot use the model name "": the model is missing/],
      [RELAY, 1, /^Cannot pull a model of type number/],
    ];
    for (const [relay, model, message] of bad) {
      assertMatch(
        assertThrows(() => watchPull(relay, model as string), TypeError).message,
        message,
      );
    }
  });
});

describe("a relay that refuses", () => {
  /** What a watcher fails with, how long it has waited, and whether it had seen the pull before. */
  async function refusal(
    refuse: () => Response,
    options: WatchPullOptions & { sawPull?: boolean } = {},
  ): Promise<{ error: PullError; delays: number[] }> {
    const delays: number[] = [];
    const onRetry = ({ delayMs }: PullRetry) => void delays.push(delayMs);
    const clock = new VirtualClock();
    let isFirst = options.sawPull === true;
    const fetch = () => {
      if (!isFirst) return refuse();
      isFirst = false;
      const record = {
        version: 1,
        sequence: 1,
        phase: "manifest",
        status: "",
        totalIsKnown: false,
      };
      return new Response(`${JSON.stringify({ ...record, layers: [] })}\n`);
    };
    const failure = pullErrorOf(
      watchPull(RELAY, "m", { ...clock, fetch, onRetry, random: () => 0, ...options }),
    );
    while (!await isSettled(failure)) await clock.advance(100_000);
    return { error: await failure, delays };
  }
  const json = (status: number, code: string, headers = {}) => () =>
    Response.json({ error: `Words of ${code}`, code }, { status, headers });

  it("is told by its own words, and is not asked again", async () => {
    const refusals: [status: number, code: string, reason: string | undefined][] = [
      [400, "invalid-name", "invalid-name"],
      [403, "not-allowed", "forbidden"],
      [404, "unknown-path", "wrong-address"],
      [405, "method-not-allowed", "wrong-address"],
      [413, "body-too-large", undefined],
    ];
    for (const [status, code, reason] of refusals) {
      const { error, delays } = await refusal(json(status, code));
      assertEquals([error.code, error.status, error.reason], ["http", status, reason]);
      assertMatch(error.message, /: Words of /);
      assertEquals(delays, []);
    }
  });

  it("is asked again where that may pass, and when it says", async () => {
    const limited = await refusal(json(429, "too-many-watchers", { "Retry-After": "7" }), {
      retries: 2,
    });
    assertEquals(limited.delays, [7_000, 7_000]);
    assertEquals([limited.error.reason, limited.error.attempts], ["rate-limited", 3]);
    const broken = await refusal(json(500, "internal"));
    assertEquals(broken.delays.length, 10);
    assertEquals([broken.error.status, broken.error.attempts], [500, 11]);
  });

  it("has no such pull, which is another matter than no relay", async () => {
    const { error } = await refusal(json(404, "unknown-pull"));
    assertEquals([error.code, error.status, error.reason], ["http", 404, "not-running"]);
    const page = await refusal(() =>
      new Response("<!doctype html><title>Shop</title>", { status: 404 })
    );
    assertEquals([page.error.status, page.error.reason], [404, "wrong-address"]);
    assertEquals(page.error.message, 'HTTP 404, not from the relay: "Shop"');
    const login = await refusal(() => new Response("<!doctype html><title>Log in</title>"));
    assertEquals([login.error.code, login.error.reason], ["malformed", "wrong-address"]);
  });

  it("after it had the pull no longer knows how that has ended", async () => {
    const { error, delays } = await refusal(json(404, "unknown-pull"), { sawPull: true });
    assertEquals([error.code, error.status, error.reason], ["truncated", 404, "not-running"]);
    assertEquals([error.retryable, delays.length], [false, 1]);
  });
});

describe("a watcher that leaves", () => {
  it("closes its connection, and nothing stays open", async () => {
    const clock = new VirtualClock();
    const { signal, controller, listeners } = watchedSignal();
    for (const leave of ["cancel", "abort"] as const) {
      const snapshots = [10, 20, 30, 40, 50, 60, 70, 80, 90].map((bytes) => progressAt(bytes));
      const cut: Cut = { bytes: 200, by: "silence" };
      const relay = new FakeRelay({ snapshots, failure: undefined }, [cut]);
      const stream = watchPull(RELAY, "m", { ...clock, fetch: relay.fetch, signal });
      const reader = stream.getReader();
      assertEquals((await reader.read()).value?.completed, 10);
      const next = outcomeOf({ getReader: () => reader } as ReadableStream);
      await settle();
      if (leave === "cancel") await reader.cancel();
      else controller.abort("enough");
      assertEquals((await next).failure?.error, leave === "cancel" ? undefined : "enough");
      await settle();
      assertEquals([relay.open, clock.sleepers, listeners.size], [0, 0, 0]);
    }
  });

  it("while it waits to connect again does not connect again", async () => {
    const clock = new VirtualClock();
    let requests = 0;
    const fetch = () => (requests++, new Response("", { status: 503 }));
    const reader = watchPull(RELAY, "m", { ...clock, fetch }).getReader();
    void reader.read();
    await settle();
    await reader.cancel();
    await clock.advance(600_000);
    assertEquals([requests, clock.sleepers], [1, 0]);
  });
});

describe("a relay that is silent", () => {
  it("is connected to again after 45 s without a byte, and heartbeats are bytes", async () => {
    const clock = new VirtualClock();
    const sources: TestSource<Uint8Array<ArrayBuffer>>[] = [];
    const retries: PullRetry[] = [];
    const fetch = () => {
      const source = new TestSource<Uint8Array<ArrayBuffer>>();
      sources.push(source);
      return new Response(source.stream, { headers: { "content-type": "text/event-stream" } });
    };
    const onRetry = (retry: PullRetry) => void retries.push(retry);
    const reader = watchPull(RELAY, "m", { ...clock, fetch, onRetry }).getReader();
    void reader.read().catch(() => {});
    for (let beat = 0; beat < 10; beat++) {
      await clock.advance(40_000);
      sources[0]!.give(utf8(":\n\n"));
    }
    await clock.advance(44_000);
    assertEquals(retries.length, 0);
    await clock.advance(2_000);
    assertEquals(retries[0]?.error.code, "stalled");
    assertEquals(retries[0]?.error.message, "The relay sent nothing for 45 s");
    await clock.advance(1_000);
    assertEquals(sources.length, 2);
    await reader.cancel();
  });
});
