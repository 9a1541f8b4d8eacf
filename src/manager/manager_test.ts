import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { PullError } from "../errors.ts";
import type { PullRequestInit } from "../pull/options.ts";
import type { PullProgress } from "../snapshot.ts";
import {
  lines,
  outcomeOf,
  rejectionOf,
  settle,
  TestSource,
  unhandledRejections,
  utf8,
  VirtualClock,
  watchedSignal,
} from "../stream_test_helpers.ts";
import type { PullEntry, PullManagerSnapshot } from "./entry.ts";
import { PullManager } from "./manager.ts";
import type { PullManagerOptions, PullServer, StartPullOptions } from "./options.ts";
import { progressAt } from "./test_helpers.ts";

const EVERY_MS = 100;

/** A pull that has begun. */
interface OpenedPull {
  readonly model: string;
  readonly options: StartPullOptions;
  readonly source: TestSource<PullProgress>;
}

/** A manager whose pulls do what they are told, and a clock that is moved by hand. */
function managerWith(options: PullManagerOptions = {}) {
  const clock = new VirtualClock();
  const opened: OpenedPull[] = [];
  const manager = new PullManager({
    updateEveryMs: EVERY_MS,
    now: clock.now,
    sleep: clock.sleep,
    pull: (model, options) => {
      const source = new TestSource<PullProgress>();
      opened.push({ model, options, source });
      return source.stream;
    },
    ...options,
  });
  return { clock, manager, opened };
}

const statesOf = (manager: PullManager) =>
  Object.fromEntries(manager.getSnapshot().entries.map(({ model, state }) => [model, state]));

const isUnderWay = ({ state }: PullEntry) => state === "waiting" || state === "running";

/** The states that may follow each one. */
const NEXT_STATES: Readonly<Record<PullEntry["state"], readonly PullEntry["state"][]>> = {
  waiting: ["running", "cancelled"],
  running: ["succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

const MODELS = ["a", "b", "c"];
const HOSTS = ["", "http://other:1"];

/** One step of an interleaving. Numbers choose among what is there. */
const STEP = fc.record({
  do: fc.constantFrom(
    ...["start", "start", "start", "give", "give", "give", "end", "fail", "cancel"] as const,
    ...["cancelHub", "abort", "dismiss", "listen", "leave", "settle", "settle", "wait"] as const,
  ),
  model: fc.nat(MODELS.length - 1),
  host: fc.nat(HOSTS.length - 1),
  which: fc.nat(),
});

type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

type Action = (model: string, server: PullServer, which: number) => unknown;

/** What a listener was told, and when. */
interface Told {
  readonly snapshot: PullManagerSnapshot;
  readonly at: number;
}

/** Does random things to a manager, and checks what may be said of it after each. */
class Walk {
  readonly #maxConcurrent: number;
  readonly #clock: VirtualClock;
  readonly #manager: PullManager;
  readonly #opened: OpenedPull[];
  readonly #ended = new Set<OpenedPull>();
  readonly #signals: AbortController[] = [];
  readonly #states = new Map<unknown, PullEntry["state"]>();
  readonly #listeners: { told: Told[]; stop(): void }[] = [];
  #before: PullManagerSnapshot;

  constructor(maxConcurrent: number) {
    this.#maxConcurrent = maxConcurrent;
    const { clock, manager, opened } = managerWith({ maxConcurrent });
    this.#clock = clock;
    this.#manager = manager;
    this.#opened = opened;
    this.#before = manager.getSnapshot();
  }

  /** Takes a step, and checks. */
  async step({ do: action, model, host, which }: Step): Promise<void> {
    await this.#actions[action](MODELS[model]!, { host: HOSTS[host] }, which);
    this.#check(action === "start");
  }

  readonly #actions: Readonly<Record<Step["do"], Action>> = {
    start: (model, server) => {
      const { signal } = this.#signals[this.#signals.push(new AbortController()) - 1]!;
      const before = this.#manager.get(model, server);
      const hub = this.#manager.start(model, { ...server, signal });
      assertEquals(hub === before?.hub, before !== undefined && isUnderWay(before));
    },
    give: (_model, _server, which) => {
      this.#choose(which)?.source.give(progressAt(which % 101, { total: 101 }));
    },
    end: (_model, _server, which) => this.#end(this.#choose(which), ({ source }) => source.end()),
    fail: (_model, _server, which) =>
      this.#end(this.#choose(which), ({ source }) => source.fail(new Error("broken"))),
    cancel: (model, server) => this.#manager.cancel(model, server),
    cancelHub: (model, server) => this.#manager.get(model, server)?.hub.cancel("by its hub"),
    abort: (_model, _server, which) => this.#signals[which % this.#signals.length]?.abort(),
    dismiss: (model, server) => this.#manager.dismiss(model, server),
    listen: () => {
      const told: Told[] = [];
      const note = (snapshot: PullManagerSnapshot) =>
        void told.push({ snapshot, at: this.#clock.time });
      this.#listeners.push({ told, stop: this.#manager.subscribe(note) });
    },
    leave: () => this.#listeners.shift()?.stop(),
    settle,
    wait: (_model, _server, which) => this.#clock.advance(which % (2 * EVERY_MS)),
  };

  /** The pulls that have begun and not ended. */
  #running(): OpenedPull[] {
    return this.#opened.filter((pull) => !pull.options.signal.aborted && !this.#ended.has(pull));
  }

  #choose(which: number): OpenedPull | undefined {
    const running = this.#running();
    return running[which % running.length];
  }

  #end(pull: OpenedPull | undefined, end: (pull: OpenedPull) => void): void {
    if (!pull) return;
    this.#ended.add(pull);
    end(pull);
  }

  /** Lets everything end, and checks that all is told. */
  async finish(): Promise<void> {
    for (let turn = 0; turn <= MODELS.length * HOSTS.length; turn++) {
      await settle();
      for (const pull of this.#running()) this.#end(pull, ({ source }) => source.end());
    }
    await this.#clock.advance(EVERY_MS);
    this.#check(false);
    const snapshot = this.#manager.getSnapshot();
    for (const { told } of this.#listeners) assertStrictEquals(told.at(-1)!.snapshot, snapshot);
    assertEquals(snapshot.entries.filter(isUnderWay), []);
    assertEquals(this.#clock.sleepers, 0);
    for (const { hub, state, progress, error } of snapshot.entries) {
      const failure = await hub.done.then(() => undefined, (error) => ({ error }));
      assertEquals(failure === undefined, state === "succeeded");
      if (failure?.error instanceof Error) assertStrictEquals(error, failure.error);
      assertStrictEquals(hub.latest, progress);
    }
  }

  #check(hasStarted: boolean): void {
    const before = this.#before;
    const now = this.#manager.getSnapshot();
    this.#before = now;
    assertStrictEquals(this.#manager.getSnapshot(), now);
    this.#checkStates(now);
    this.#checkIdentity(before, now);
    this.#checkSums(before, now, hasStarted);
    for (const { told } of this.#listeners) {
      told.slice(1).forEach(({ snapshot, at }, index) => {
        assertNotStrictEquals(snapshot, told[index]!.snapshot, "it is told what it knows");
        assert(at - told[index]!.at >= EVERY_MS, "it is told too often");
      });
    }
  }

  #checkStates({ entries }: PullManagerSnapshot): void {
    for (const { hub, state } of entries) {
      const earlier = this.#states.get(hub);
      const waited = earlier === undefined || earlier === "waiting";
      const mayBe = [earlier ?? "waiting", ...NEXT_STATES[earlier ?? "waiting"]];
      if (waited) mayBe.push(...NEXT_STATES.running);
      assert(mayBe.includes(state), `${earlier} became ${state}`);
      this.#states.set(hub, state);
    }
    const inState = (state: string) => entries.filter((entry) => entry.state === state).length;
    assert(inState("running") <= this.#maxConcurrent, "too many run");
    if (inState("running") < this.#maxConcurrent) assertEquals(inState("waiting"), 0);
  }

  #checkIdentity(before: PullManagerSnapshot, now: PullManagerSnapshot): void {
    const known = new Map(before.entries.map((entry) => [entry.hub, entry]));
    const same = now.entries.map((entry) => {
      const earlier = known.get(entry.hub);
      const isSame = earlier?.state === entry.state && earlier.progress === entry.progress;
      if (isSame) assertStrictEquals(entry, earlier);
      return isSame;
    });
    if (before === now) assert(same.every(Boolean));
  }

  #checkSums(before: PullManagerSnapshot, now: PullManagerSnapshot, mayFall: boolean): void {
    const { entries, completed, total, fraction } = now;
    assert(0 <= completed && completed <= total && 0 <= fraction && fraction <= 1);
    const areUnderWay = entries.some(isUnderWay);
    if (areUnderWay) assert(fraction < 1, "it is at 1 too early");
    else assertEquals(fraction, entries.length === 0 ? 0 : 1);
    if (!mayFall && entries.length > 0) assert(fraction >= before.fraction, "the whole falls back");
  }
}

describe("PullManager", () => {
  it("keeps its limit, states, identities, sums and listeners in order, whatever happens", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(STEP, { maxLength: 80, size: "max" }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, maxConcurrent) => {
        const walk = new Walk(maxConcurrent);
        for (const step of steps) await walk.step(step);
        await walk.finish();
      },
    ));
  });

  it("begins pulls in the order of their starts, up to its limit", async () => {
    await fc.assert(fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      async (count, maxConcurrent, choices) => {
        const { manager, opened } = managerWith({ maxConcurrent });
        const models = Array.from({ length: count }, (_, index) => `model-${index}`);
        for (const model of models) manager.start(model);
        await settle();
        const running = [...opened];
        for (let ended = 0; ended < count; ended++) {
          const begun = Math.min(count, ended + maxConcurrent);
          assertEquals(opened.map(({ model }) => model), models.slice(0, begun));
          running.splice(choices[ended]! % running.length, 1)[0]!.source.end();
          await settle();
          running.push(...opened.slice(begun));
        }
        assertEquals(new Set(Object.values(statesOf(manager))), new Set(["succeeded"]));
      },
    ));
  });
});

describe("a pull of a PullManager", () => {
  it("is joined by whoever starts the same model on the same server, while it waits or runs", () => {
    const { manager } = managerWith({ maxConcurrent: 1, host: "one" });
    for (const model of ["x", "y"]) {
      const hub = manager.start(model);
      for (const name of [model, `${model}:latest`, `library/${model.toUpperCase()}`]) {
        for (const host of [undefined, "", "one:11434", new URL("http://me:secret@one:11434/")]) {
          assertStrictEquals(manager.start(name, { host }), hub);
          assertStrictEquals(manager.get(name, { host })?.hub, hub);
        }
        assertEquals(manager.get(name, { host: "http://one" }), undefined);
      }
    }
    assertEquals(statesOf(manager), { x: "running", y: "waiting" });
    assertNotStrictEquals(manager.start("x", { host: "two" }), manager.start("x"));
    assertNotStrictEquals(manager.start("x:1b"), manager.start("x"));
  });

  it("is a new pull once the previous one has ended, in the same place", async () => {
    const { manager, opened } = managerWith();
    const hub = manager.start("x");
    manager.start("y");
    await settle();
    opened[0]!.source.fail(new Error("broken"));
    await settle();
    const next = manager.start("x");
    assertNotStrictEquals(next, hub);
    assertEquals(statesOf(manager), { x: "running", y: "running" });
    assertEquals(manager.getSnapshot().entries.map(({ model }) => model), ["x", "y"]);
    assertEquals(manager.get("x")!.error, undefined);
  });

  it("reports its state at once, with its latest snapshot and its error", async () => {
    const { manager, opened } = managerWith({ host: "http://me:secret@one/path/" });
    const hub = manager.start("x");
    const base = { model: "x", host: "http://one/path" };
    const said = () => ({ ...manager.get("x") });
    assertEquals(said(), { ...base, state: "running" });
    await settle();
    const progress = progressAt(5);
    opened[0]!.source.give(progress);
    await settle();
    assertEquals(said(), { ...base, state: "running", progress });
    manager.cancel("x:latest");
    const error = await rejectionOf(hub.done) as Error;
    assertEquals(said(), { ...base, state: "cancelled", progress, error });
    manager.start("x");
    await settle();
    opened[1]!.source.fail("a text");
    await settle();
    assertEquals(manager.get("x")!.error!.message, "a text");
    assertEquals(manager.get("x")!.error!.cause, "a text");
  });

  it("can be copied to other threads, without its hub", async () => {
    const { manager, opened } = managerWith();
    manager.start("x");
    await settle();
    opened[0]!.source.give(progressAt(5));
    await settle();
    const snapshot = manager.getSnapshot();
    const entry = {
      model: "x",
      host: "http://127.0.0.1:11434",
      state: "running",
      progress: progressAt(5),
    };
    assertEquals(structuredClone(snapshot), { ...snapshot, entries: [entry] } as unknown);
    assertEquals(JSON.parse(JSON.stringify(snapshot)).entries, [entry]);
  });

  it("is plain data with its error, whatever that is, for other processes", async () => {
    const known = new PullError("server", "no space left", { reason: "disk-full" });
    const unknown = new TypeError("no name", { cause: new Error("a space") });
    for (const thrown of [known, unknown, "a text"]) {
      const { manager } = managerWith({ pull: () => Promise.reject(thrown) });
      await rejectionOf(manager.start("x").done);
      const { host, error } = manager.get("x")!;
      const json = manager.get("x")!.toJSON();
      const { name, message } = error!;
      assertEquals({ ...json, error: { name: json.error!.name, message: json.error!.message } }, {
        ...{ model: "x", host, state: "failed" },
        error: { name, message },
      });
      assertEquals(PullError.from(json.error)?.reason, thrown === known ? "disk-full" : undefined);
      assertEquals(
        json.error!.cause,
        thrown === unknown ? { name: "Error", message: "a space" } : undefined,
      );
      assertEquals(structuredClone(json), json);
      assertEquals(JSON.parse(JSON.stringify(manager.getSnapshot())).entries, [json]);
    }

    const { manager } = managerWith();
    manager.start("x");
    manager.cancel("x");
    const { name, message } = manager.get("x")!.toJSON().error!;
    assertEquals([name, message], ["AbortError", "The pull was cancelled"]);
  });

  it("has a stream while it waits, which begins when it is its turn", async () => {
    const { manager, opened } = managerWith({ maxConcurrent: 1 });
    const first = manager.start("x");
    const watched = outcomeOf(manager.start("y").watch());
    await settle();
    first.cancel();
    await settle();
    assertEquals(opened.map(({ model }) => model), ["x", "y"]);
    opened[1]!.source.give(progressAt(100));
    opened[1]!.source.end();
    assertEquals((await watched).values, [progressAt(100)]);
  });

  it("never begins if it is cancelled while it waits, however it is cancelled", async () => {
    const { manager, opened } = managerWith({ maxConcurrent: 1 });
    manager.start("running");
    const controller = new AbortController();
    manager.start("a");
    manager.start("b").cancel("reason");
    manager.start("c", { signal: AbortSignal.abort(new Error("before")) });
    manager.start("d", { signal: controller.signal });
    manager.cancel("a");
    controller.abort(new Error("after"));
    const { running, ...others } = statesOf(manager);
    assertEquals(new Set(Object.values(others)), new Set(["cancelled"]));
    assertEquals(manager.get("c")!.error!.message, "before");
    assertEquals(manager.get("d")!.error!.message, "after");
    manager.cancel("running");
    manager.start("e");
    await settle();
    assertEquals(running, "running");
    assertEquals(opened.map(({ model }) => model), ["e"]);
  });

  it("is cancelled by its signal while it runs, and keeps no listener on it", async () => {
    const { manager, opened } = managerWith();
    const aborting = watchedSignal();
    const ending = watchedSignal();
    const hub = manager.start("x", { signal: aborting.signal });
    manager.start("y", { signal: ending.signal });
    await settle();
    const reason = new Error("enough");
    aborting.controller.abort(reason);
    opened[1]!.source.end();
    await settle();
    assertStrictEquals(await rejectionOf(hub.done), reason);
    assertEquals(opened[0]!.source.cancels, [reason]);
    assertStrictEquals(opened[0]!.options.signal.reason, reason);
    assertEquals(opened[1]!.options.signal.aborted, false);
    assertEquals(statesOf(manager), { x: "cancelled", y: "succeeded" });
    assertEquals([aborting.listeners.size, ending.listeners.size], [0, 0]);
  });

  it("is cancelled by the signal of the manager, whether it has one of its own or not", async () => {
    const controller = new AbortController();
    const { manager } = managerWith({ signal: controller.signal, maxConcurrent: 1 });
    manager.start("x");
    const hub = manager.start("y", { signal: new AbortController().signal });
    const reason = new Error("The app ends");
    controller.abort(reason);
    manager.start("z");
    assertEquals(new Set(Object.values(statesOf(manager))), new Set(["cancelled"]));
    assertStrictEquals(await rejectionOf(hub.done), reason);
  });

  it("is cancelled when its last watcher has left for as long as it may linger", async () => {
    const { clock, manager } = managerWith({ lingerMs: 1000 });
    manager.start("x").subscribe(() => {})();
    manager.start("y", { lingerMs: Infinity }).subscribe(() => {})();
    await clock.advance(1000);
    assertEquals(statesOf(manager), { x: "cancelled", y: "running" });
  });

  it("may open later than it begins, and is cancelled then if it was cancelled meanwhile", async () => {
    const source = new TestSource<PullProgress>();
    let open = (_stream: ReadableStream<PullProgress>) => {};
    const { manager } = managerWith({ pull: () => new Promise((resolve) => open = resolve) });
    manager.start("x");
    await settle();
    manager.cancel("x");
    assertEquals(statesOf(manager), { x: "cancelled" });
    open(source.stream);
    await settle();
    assertEquals(source.cancels.map((reason) => (reason as Error).name), ["AbortError"]);
    assertEquals(source.reads, 0);
  });

  it("fails if it cannot be opened, and the next one begins", async () => {
    const error = new Error("no");
    const locked = new TestSource<PullProgress>().stream;
    locked.getReader();
    const ways = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
      () => locked,
    ];
    const unhandled = await unhandledRejections(async () => {
      const { manager } = managerWith({ maxConcurrent: 1 });
      ways.forEach((pull, index) => manager.start(`model-${index}`, { pull }));
      manager.start("last");
      await settle();
      assertEquals(Object.values(statesOf(manager)), ["failed", "failed", "failed", "running"]);
    });
    assertEquals(unhandled, []);
  });

  it("is dismissed once it has ended, and not before", async () => {
    const { manager, opened } = managerWith({ maxConcurrent: 1 });
    for (const model of ["x", "y"]) manager.start(model);
    await settle();
    const before = manager.getSnapshot();
    for (const model of ["x", "y", "z"]) manager.dismiss(model);
    assertStrictEquals(manager.getSnapshot(), before);
    opened[0]!.source.end();
    await settle();
    manager.dismiss("x:latest");
    assertEquals(statesOf(manager), { y: "running" });
    assertEquals(manager.get("x"), undefined);
    assertEquals(manager.getSnapshot().fraction, 0.5);
    manager.cancel("y");
    manager.dismiss("y");
    assertEquals(manager.getSnapshot(), new PullManager().getSnapshot());
  });

  it("is rejected for a host that cannot be used, or a limit below 1", () => {
    const { manager } = managerWith();
    const server = { host: "ftp://x" };
    for (const method of ["start", "cancel", "get", "dismiss"] as const) {
      assertThrows(() => manager[method]("x", server), TypeError, "ftp://x");
    }
    for (const maxConcurrent of [0, -1, NaN]) {
      assertThrows(() => new PullManager({ maxConcurrent }), RangeError, String(maxConcurrent));
    }
    assertEquals(manager.getSnapshot().entries, []);
  });
});

describe("what a PullManager pulls with", () => {
  /** A server that answers with a model of ten bytes, and what it was asked. */
  function fakeServer() {
    const requests: { url: string; init: PullRequestInit }[] = [];
    const status = { status: "pulling", digest: "sha256:a", total: 10, completed: 10 };
    const body = lines(status, { status: "success" });
    const fetch = (url: string, init: RequestInit) => {
      requests.push({ url, init: init as PullRequestInit });
      return new Response(utf8(body));
    };
    return { fetch, requests };
  }

  it("is `pull`, with the options of the manager and those of the start, which count more", async () => {
    const { fetch, requests } = fakeServer();
    const options = { host: "one", headers: { "x-of": "manager" }, insecure: true };
    const { manager } = managerWith({ pull: undefined, fetch, ...options });
    const more = { host: "", insecure: false, fetch: undefined };
    await Promise.all([manager.start("x").done, manager.start("y", more).done]);
    assertEquals(statesOf(manager), { x: "succeeded", y: "succeeded" });
    assertEquals(manager.get("x")!.progress!.fraction, 1);
    assertEquals(requests.map(({ url }) => url), Array(2).fill("http://one:11434/api/pull"));
    assertEquals(requests.map(({ init }) => JSON.parse(init.body).insecure), [true, false]);
    assertEquals(requests.map(({ init }) => init.headers["x-of"]), ["manager", "manager"]);
  });

  it("makes no request for a pull that waits", async () => {
    const { fetch, requests } = fakeServer();
    const { manager } = managerWith({ pull: undefined, fetch, maxConcurrent: 1 });
    const first = manager.start("x");
    manager.start("y");
    manager.cancel("y");
    await first.done;
    await settle();
    assertEquals(requests.map(({ init }) => JSON.parse(init.body).model), ["x"]);
  });

  it("ends the request when the pull is cancelled", async () => {
    let signal: AbortSignal | null | undefined;
    const fetch = (_url: string, init: RequestInit) => {
      signal = init.signal;
      return new Promise<Response>(() => {});
    };
    const { manager } = managerWith({ pull: undefined, fetch });
    manager.start("x");
    await settle();
    assertEquals(signal!.aborted, false);
    manager.cancel("x");
    assertEquals(signal!.aborted, true);
  });

  it("says at once what cannot be used", () => {
    const { manager } = managerWith({ pull: undefined });
    assertThrows(() => manager.start("no name!"), TypeError);
    assertThrows(() => manager.start("x", { headers: { "a b": "" } }), TypeError);
    assertThrows(() => manager.start("x", { maxLineBytes: 0 }), RangeError);
    assertEquals(manager.getSnapshot().entries, []);
  });

  it("gives the error of the pull to the entry", async () => {
    const fetch = () =>
      new Response(`{"error":"pull model manifest: file does not exist"}`, { status: 500 });
    const { manager } = managerWith({ pull: undefined, fetch });
    const error = await rejectionOf(manager.start("x").done);
    assert(error instanceof PullError);
    assertStrictEquals(manager.get("x")!.error, error);
    assertEquals(statesOf(manager), { x: "failed" });
  });
});
