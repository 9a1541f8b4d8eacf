import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { CannotRun, type CheckRun, Inconclusive, type Rule, rule, Violation } from "./rule.ts";
import { type RunOptions, runRule, runSuite, selectRules } from "./run.ts";

type Check = (input: number, run: CheckRun) => Promise<void> | void;

/** A rule about nothing but its input. */
function ruleOf(check: Check, more: Partial<Rule<unknown>> = {}): Rule<unknown> {
  return rule<unknown, number>(
    {
      id: "S-TEST-1",
      side: "server",
      level: "must",
      title: "Numbers are small",
      cites: "this test",
      inputs: fc.nat({ max: 1_000 }),
      check: async (_subject, input, run) => await check(input, run),
      ...more,
    } as Parameters<typeof rule<unknown, number>>[0],
  );
}

const subject = { name: "nothing" };
const violate = (input: number) => {
  if (input > 50) throw new Violation("at most 50", String(input), []);
};

async function run(check: Check, options: RunOptions = {}, more: Partial<Rule<unknown>> = {}) {
  const { runs = 100, seed = 1 } = options;
  return await runRule(ruleOf(check, more), subject, { ...options, runs, seed });
}

describe("runRule", () => {
  it("finds that a rule is kept for every input", async () => {
    const { verdict, runs } = await run(() => {});
    assertEquals([verdict, runs], ["kept", 100]);
  });

  it("tries no more inputs than say anything new", async () => {
    assertEquals((await run(() => {}, {}, { maxRuns: 7 })).runs, 7);
  });

  it("finds the smallest input that breaks a rule", async () => {
    const { verdict, failure } = await run(violate);
    assertEquals([verdict, failure?.expected, failure?.seen], ["broken", "at most 50", "51"]);
  });

  it("comes back to that input at once by seed and path", async () => {
    const { failure } = await run(violate);
    const tried: number[] = [];
    const again = await run((input) => {
      tried.push(input);
      violate(input);
    }, { seed: failure!.seed, path: failure!.path, shrinkTimeMs: 0 });
    assertEquals([tried, again.failure?.seen], [[51], "51"]);
  });

  it("takes an exception for a broken rule", async () => {
    const { verdict, failure } = await run(() => {
      throw new TypeError("oops");
    });
    assertEquals([verdict, failure?.seen], ["broken", "TypeError: oops"]);
  });

  it("skips a rule that says nothing about the subject", async () => {
    const { verdict, reason } = await run(() => {}, {}, { skips: () => "It has no such thing" });
    assertEquals([verdict, reason], ["skipped", "It has no such thing"]);
  });

  it("skips a rule of which no input says anything", async () => {
    const { verdict, reason } = await run(() => {
      throw new Inconclusive("too fast");
    });
    assertEquals([verdict, reason], ["skipped", "too fast"]);
  });

  it("keeps a rule of which some inputs say something", async () => {
    const { verdict } = await run((input) => {
      if (input > 50) throw new Inconclusive("too large");
    });
    assertEquals(verdict, "kept");
  });

  it("ends a check that hangs, and tries no smaller one", async () => {
    let started = 0;
    let ended = 0;
    const { verdict, reason } = await run((_input, { signal }) => {
      started++;
      signal.addEventListener("abort", () => ended++);
      return new Promise(() => {});
    }, { checkTimeoutMs: 20 });
    assertEquals(verdict, "hung");
    assertEquals(reason, "The check did not end within 0.02 s");
    assertEquals([started, ended], [1, 1]);
  });

  it("aborts the signal of each check that is over", async () => {
    const signals: AbortSignal[] = [];
    await run((_input, { signal }) => void signals.push(signal));
    assert(signals.every(({ aborted }) => aborted));
  });

  it("looks for smaller inputs for no longer than it is told", async () => {
    let tried = 0;
    const { failure } = await run((input) => {
      tried++;
      violate(input);
    }, { shrinkTimeMs: 0 });
    assertEquals([tried, failure?.shrinks], [failure?.foundAfter, 0]);
  });
});

describe("runSuite", () => {
  const suite = [
    ruleOf(() => {}, { id: "S-ONE-1" }),
    ruleOf(() => {}, { id: "S-ONE-10" }),
    ruleOf(violate, { id: "S-TWO-1", level: "observed" }),
  ];

  it("reports every rule in order", async () => {
    const seen: string[] = [];
    const { results, seed, runs } = await runSuite("server", suite, subject, {
      seed: 5,
      onResult: ({ id, verdict }) => seen.push(`${id} ${verdict}`),
    });
    assertEquals(seen, ["S-ONE-1 kept", "S-ONE-10 kept", "S-TWO-1 broken"]);
    assertEquals([results.length, seed, runs], [3, 5, 100]);
  });

  it("ends at once when the subject cannot be run", async () => {
    let checks = 0;
    const lost = ruleOf(() => {
      checks++;
      throw new CannotRun("There is nobody");
    });
    await assertRejects(() => runSuite("server", [lost, ...suite], subject), CannotRun, "nobody");
    assertEquals(checks, 1);
  });

  it("ends with the reason of the signal, also in a check that does not heed it", async () => {
    const controller = new AbortController();
    const endless = ruleOf(() => {
      controller.abort(new Error("enough"));
      return new Promise(() => {});
    });
    const { signal } = controller;
    await assertRejects(() => runSuite("server", [endless], subject, { signal }), Error, "enough");
  });
});

describe("selectRules", () => {
  const suite = ["S-ONE-1", "S-ONE-10", "S-TWO-1"].map((id) => ruleOf(() => {}, { id }));
  const select = (...rules: string[]) => selectRules(suite, { rules }).map(({ id }) => id);

  it("takes an id for one rule and a section for all of its rules", () => {
    assertEquals(select("S-ONE-1"), ["S-ONE-1"]);
    assertEquals(select("S-ONE"), ["S-ONE-1", "S-ONE-10"]);
    assertEquals(select("S"), ["S-ONE-1", "S-ONE-10", "S-TWO-1"]);
  });

  it("cannot run a rule that does not exist", async () => {
    await assertRejects(
      () => Promise.resolve().then(() => select("S-THREE")),
      CannotRun,
      'Cannot run the rule "S-THREE": it must be one of S-ONE-1, S-ONE-10, S-TWO-1, or a section such as S-ONE',
    );
  });
});
