import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import type { PullProgress } from "../snapshot.ts";
import type { PullState } from "./entry.ts";
import { progressAt } from "./test_helpers.ts";
import { Totals } from "./totals.ts";

/** A pull that can change. */
interface ChangingPull {
  host: string;
  state: PullState;
  progress: PullProgress | undefined;
}

/** Starts pulls, all of which wait, and then lets them be as they are to be. */
function start(...pulls: readonly Partial<ChangingPull>[]) {
  const totals = new Totals();
  const changing = pulls.map(({ host = "one" }, index) => {
    const pull: ChangingPull = { host, state: "waiting", progress: undefined };
    totals.start(String(index), pull);
    return pull;
  });
  changing.forEach((pull, index) => Object.assign(pull, pulls[index]));
  return { totals, pulls: changing };
}

const sumsOf = (...pulls: readonly Partial<ChangingPull>[]) => start(...pulls).totals.sums();

const running = (completed: number, more: Partial<PullProgress> = {}, host = "one") => ({
  state: "running" as const,
  progress: progressAt(completed, more),
  host,
});

describe("Totals", () => {
  it("are those of the pull if there is only one", () => {
    fc.assert(fc.property(
      fc.nat(99),
      fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
      (completed, etaSeconds) => {
        const eta = etaSeconds === undefined ? {} : { etaSeconds };
        const { fraction, etaSeconds: left, ...bytes } = sumsOf(running(completed, eta));
        assertEquals(bytes, { completed, total: 100 });
        assertAlmostEquals(fraction, completed / 100);
        if (etaSeconds === undefined) assertEquals(left, undefined);
        else assertAlmostEquals(left!, etaSeconds);
      },
    ));
  });

  it("are nothing before the first pull, and at 1 once all have ended", () => {
    assertEquals(sumsOf(), { completed: 0, total: 0, fraction: 0 });
    assertEquals(sumsOf({ state: "waiting" }), { completed: 0, total: 0, fraction: 0 });
    assertEquals(sumsOf({ state: "cancelled" }), { completed: 0, total: 0, fraction: 1 });
    const failed = { ...running(40), state: "failed" as const };
    const succeeded = { ...running(100), state: "succeeded" as const };
    assertEquals(sumsOf(failed, succeeded), { completed: 140, total: 140, fraction: 1 });
  });

  it("are the share of the bytes, where the sizes are known", () => {
    const { completed, total, fraction } = sumsOf(running(30, { total: 300 }), running(50));
    assertEquals([completed, total], [80, 400]);
    assertAlmostEquals(fraction, 80 / 400);
  });

  it("count a pull of unknown size as one of average size", () => {
    const done = { ...running(300, { total: 300 }), state: "succeeded" as const };
    assertAlmostEquals(sumsOf(done, running(0), {}, {}).fraction, 300 / (300 + 100 + 200 + 200));
    // One that was cut short says nothing of the size of others.
    const cut = { ...running(4), state: "failed" as const };
    assertAlmostEquals(sumsOf(cut, running(50), {}).fraction, (4 + 50) / (4 + 100 + 100));
  });

  it("stay below 1 while anything is left to do", () => {
    const { fraction } = sumsOf(running(100, { fraction: 1, total: 2 ** 60 }), {
      state: "waiting",
    });
    assert(fraction < 1);
    assert(sumsOf(running(100, { fraction: 1 })).fraction < 1);
  });

  it("do not fall back when a pull ends, whichever way, or is dismissed", () => {
    const end = fc.constantFrom<PullState>("succeeded", "failed", "cancelled");
    fc.assert(fc.property(
      fc.array(fc.record({ completed: fc.nat(99), end }), { minLength: 1, maxLength: 5 }),
      fc.nat(5),
      (ends, waiting) => {
        const { totals, pulls } = start(
          ...ends.map(({ completed }) => running(completed)),
          ...Array(waiting).fill({}),
        );
        let before = totals.sums();
        ends.forEach(({ end }, index) => {
          if (end === "succeeded") pulls[index]!.progress = progressAt(100);
          pulls[index]!.state = end;
          totals.dismiss(String(index));
          const { completed, fraction } = totals.sums();
          assert(completed >= before.completed && fraction >= before.fraction);
          before = { ...before, completed, fraction };
        });
      },
    ));
  });

  it("do not fall when a size turns out larger than expected, but when a pull is started", () => {
    const { totals, pulls } = start(running(50), {});
    const { fraction } = totals.sums();
    Object.assign(pulls[1]!, running(0, { total: 10_000 }));
    assertEquals(totals.sums().fraction, fraction);
    totals.start("another", { host: "one", state: "waiting", progress: undefined });
    assert(totals.sums().fraction < fraction);
  });

  it("start again with the first pull after all have ended, and when they are cleared", () => {
    const { totals } = start({ ...running(40), state: "failed" });
    totals.start("another", running(10));
    assertEquals([totals.sums().completed, totals.sums().total], [10, 100]);
    totals.dismiss("0"); // it does not count any more
    assertEquals(totals.sums().total, 100);
    totals.clear();
    assertEquals(totals.sums(), { completed: 0, total: 0, fraction: 0 });
  });
});

describe("the time left of Totals", () => {
  const downloading = (etaSeconds: number, left: number, host = "one") =>
    running(0, { total: left, etaSeconds }, host);
  const secondsLeft = (...pulls: Partial<ChangingPull>[]) => sumsOf(...pulls).etaSeconds;

  it("is that of all bytes at the sum of the speeds, for pulls on one server", () => {
    assertAlmostEquals(secondsLeft(downloading(10, 100), downloading(100, 1000))!, 55);
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 1e4 }), fc.integer({ min: 1, max: 1e12 })), {
        minLength: 1,
      }),
      (pulls) => {
        const seconds = secondsLeft(...pulls.map(([eta, left]) => downloading(eta, left)))!;
        const etas = pulls.map(([eta]) => eta);
        assert(Math.min(...etas) <= seconds * 1.000001 && seconds <= Math.max(...etas) * 1.000001);
      },
    ));
  });

  it("is that of the slowest of several servers", () => {
    assertAlmostEquals(secondsLeft(downloading(10, 100), downloading(100, 1000, "two"))!, 100);
  });

  it("is unknown while it is unknown for any of them, or one waits, and when all have ended", () => {
    assertEquals(secondsLeft(downloading(10, 100), {}), undefined);
    assertEquals(secondsLeft(downloading(10, 100, "two"), running(0)), undefined);
    assertEquals(secondsLeft({ ...downloading(10, 100), state: "failed" }), undefined);
  });

  it("ignores pulls that are downloaded, or at their last byte", () => {
    const verifying = running(100, { phase: "verifying" });
    assertAlmostEquals(secondsLeft(downloading(10, 100), verifying)!, 10);
    assertAlmostEquals(
      secondsLeft(
        downloading(10, 100),
        running(0, { total: 0, phase: "downloading", etaSeconds: 0 }),
      )!,
      10,
    );
    assertEquals(secondsLeft(verifying), 0);
  });

  it("counts what is fetched again", () => {
    const again = running(100, { phase: "downloading", etaSeconds: 30 });
    assertAlmostEquals(secondsLeft(again)!, 30);
  });
});
