import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  CannotRun,
  type CheckRun,
  Inconclusive,
  OutOfTime,
  type Rule,
  rule,
  type TypedRule,
  Violation,
} from "./rule.ts";
import { type Plan, type RunOptions, runRule, runSuite, selectRules, type Suite } from "./run.ts";

type Check = (input: number, run: CheckRun) => Promise<void> | void;

/** A rule about nothing but its input. */
function ruleOf(check: Check, more: Partial<TypedRule<unknown, number>> = {}): Rule<unknown> {
  return rule<unknown, number>({
    id: "S-TEST-1",
    side: "server",
    level: "must",
    title: "Numbers are small",
    cites: "this test",
    inputs: fc.nat({ max: 1_000 }),
    check: async (_subject, input, run) => await check(input, run),
    ...more,
  });
}

const subject = { name: "nothing" };
const violate = (input: number) => {
  if (input > 50) throw new Violation("at most 50", String(input), []);
};

async function run(
  check: Check,
  options: RunOptions = {},
  more: Partial<TypedRule<unknown, number>> = {},
) {
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

  it("tries the decisive inputs in every run, and others after them", async () => {
    const tried: number[] = [];
    const decisive = [7, 40, 3];
    const { runs } = await run((input) => void tried.push(input), { runs: 2 }, { decisive });
    assertEquals([runs, tried.slice(0, 3)], [5, decisive]);
    tried.length = 0;
    await run((input) => void tried.push(input), { runs: 2 }, { decisive, maxRuns: 1 });
    assertEquals(tried, decisive);
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

  it("treats an exception as a broken rule", async () => {
    const { verdict, failure } = await run(() => {
      throw new TypeError("oops");
    });
    assertEquals([verdict, failure?.seen], ["broken", "TypeError: oops"]);
  });

  it("skips a rule that says nothing about the subject", async () => {
    const { verdict, reason } = await run(() => {}, {}, { skips: () => "It has no such thing" });
    assertEquals([verdict, reason], ["skipped", "It has no such thing"]);
  });

  it("has not seen a rule of which no input says anything", async () => {
    const { verdict, reason, conclusive } = await run(() => {
      throw new Inconclusive("too fast");
    });
    assertEquals([verdict, reason, conclusive], ["not seen", "too fast", 0]);
  });

  it("keeps a rule of which some inputs say something, and counts those", async () => {
    let said = 0;
    const { verdict, runs, conclusive } = await run((input) => {
      if (input > 50) throw new Inconclusive("too large");
      said++;
    });
    assertEquals([verdict, runs, conclusive], ["kept", 100, said]);
    assert(said > 0 && said < 100);
  });

  it("counts only inputs that have shown what a rule asks for", async () => {
    const evidence = "a small number";
    const some = await run((input, { saw }) => void (input < 500 && saw()), {}, { evidence });
    assertEquals([some.verdict, some.evidence, some.runs], ["kept", evidence, 100]);
    assert(some.conclusive! > 0 && some.conclusive! < 100);
    const none = await run(() => {}, {}, { evidence });
    assertEquals([none.verdict, none.reason], ["not seen", "No input showed a small number"]);
  });

  it("finds a rule broken by an input, whether others have shown anything or not", async () => {
    const { verdict, conclusive } = await run(violate, {}, { evidence: "a number" });
    assertEquals([verdict, conclusive], ["broken", 1]);
  });

  /** A check that gets stuck as long as a condition holds. */
  const stuckWhile = (isStuck: (attempt: number) => boolean) => {
    const attempts: CheckRun[] = [];
    const check: Check = (_input, run) => {
      attempts.push(run);
      run.awaits("the answer to end", () => [{ request: "POST /api/pull" }]);
      return isStuck(attempts.length) ? new Promise(() => {}) : undefined;
    };
    return { attempts, check };
  };

  it("repeats what ran out of time alone, and has it hung if it does again", async () => {
    const { attempts, check } = stuckWhile(() => true);
    const { verdict, failure, repeated } = await run(check, { checkTimeoutMs: 20 });
    assertEquals([verdict, repeated, attempts.length], ["hung", 1, 2]);
    assertEquals(failure?.expected, "the answer to end within 0.04 s");
    assertEquals(failure?.exchanges, [{ request: "POST /api/pull" }]);
    assert(attempts.every(({ signal }) => signal.aborted));
    assertEquals(attempts.map(({ graceMs }) => graceMs), [0, 40]);
  });

  it("does not mistake one slow moment of the machine for a breach", async () => {
    const { check } = stuckWhile((attempt) => attempt === 1);
    const { verdict, repeated } = await run(check, { checkTimeoutMs: 20, runs: 5 });
    assertEquals([verdict, repeated], ["kept", 1]);
  });

  it("gives a repeated check as long as the subject's own pull asks for", async () => {
    const { attempts, check } = stuckWhile((attempt) => attempt === 1);
    const options = { checkTimeoutMs: 20, runs: 1, seed: 1, measure: () => Promise.resolve(500) };
    await runRule(ruleOf(check), subject, options);
    assertEquals(attempts.map(({ graceMs }) => graceMs), [0, 10_000]);
  });

  it("repeats what should have come soon, at every level, and looks for smaller inputs", async () => {
    const late = (input: number) => {
      if (input > 50) throw new OutOfTime("a number", 3_000, []);
    };
    const { verdict, failure } = await run(late, {}, { level: "observed" });
    assertEquals([verdict, failure?.expected], ["hung", "a number within 3 s"]);
    assertEquals(failure!.shrinks > 0, true);
  });

  it("does not mistake a slow machine for a smaller counterexample", async () => {
    let isBroken = false;
    const { verdict, failure } = await run((input) => {
      if (isBroken && input < 60) throw new OutOfTime("a number", 3_000, []);
      isBroken ||= input > 50;
      violate(input);
    });
    assertEquals([verdict, failure?.seen], ["broken", "60"]);
  });

  it("aborts the signal of each check that is over", async () => {
    const signals: AbortSignal[] = [];
    await run((_input, { signal }) => void signals.push(signal));
    assert(signals.every(({ aborted }) => aborted));
  });

  it("looks for smaller inputs no longer than the limit", async () => {
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
    const { results, seed, runs } = await runSuite({ side: "server", rules: suite }, subject, {
      seed: 5,
      onResult: ({ id, verdict }) => seen.push(`${id} ${verdict}`),
    });
    assertEquals(seen, ["S-ONE-1 kept", "S-ONE-10 kept", "S-TWO-1 broken"]);
    assertEquals([results.length, seed, runs], [3, 5, 100]);
  });

  it("makes one plain pull before all rules, and none of them if that cannot be made", async () => {
    const told: string[] = [];
    const onRule = ({ id }: { id: string }) => void told.push(id);
    const pull = () => Promise.resolve(void told.push("pull"));
    await runSuite({ side: "server", rules: suite, plainPull: pull }, subject, { onRule, runs: 3 });
    assertEquals(told, ["pull", "S-ONE-1", "S-ONE-10", "S-TWO-1"]);
    const fail = () => Promise.reject(new CannotRun("There is nobody"));
    await assertRejects(
      () => runSuite({ side: "server", rules: suite, plainPull: fail }, subject, { onRule }),
      CannotRun,
    );
    assertEquals(told.length, 4);
  });

  it("tries nothing twice with a subject whose plain pull does not end", async () => {
    let checks = 0;
    const stuck = ruleOf(() => {
      checks++;
      return new Promise(() => {});
    });
    const never = () => new Promise<never>(() => {});
    const options = { checkTimeoutMs: 20 };
    const { results } = await runSuite(
      { side: "server", rules: [stuck], plainPull: never },
      subject,
      options,
    );
    assertEquals([results[0]!.verdict, checks], ["hung", 1]);
  });

  it("estimates how long it will take, from the number of pulls", async () => {
    const plans: Plan[] = [];
    const onPlan = (plan: Plan) => plans.push(plan);
    const suite: Suite<unknown> = {
      side: "server",
      rules: [
        ruleOf(() => {}, { decisive: [1, 2], maxRuns: 5 }),
        ruleOf(() => {}, { id: "S-TEST-2", pulls: 0 }),
        ruleOf(() => {}, { id: "S-TEST-3", skips: () => "nothing to be seen" }),
        ruleOf(() => {}, { id: "S-TEST-4" }),
      ],
      plainPull: () => Promise.resolve(),
      watched: new Set(["S-TEST-4"]),
      isOneInput: () => true,
      walkMs: () => 1_000,
    };
    await runSuite(suite, subject, { runs: 10, onPlan });
    await runSuite({ ...suite, pullsAnew: () => false }, subject, { runs: 10, onPlan });
    const [all, cached] = plans;
    assertEquals(all!.expectedMs, 5 * all!.pullMs + 1_000);
    assertEquals(cached!.expectedMs, cached!.pullMs);
  });

  it("finds out once that no plain pull ends any more", async () => {
    let pulls = 0;
    const stuck = (id: string) => ruleOf(() => new Promise(() => {}), { id });
    const { results } = await runSuite(
      {
        side: "server",
        rules: [stuck("S-TEST-1"), stuck("S-TEST-2"), stuck("S-TEST-3")],
        plainPull: () => ++pulls === 1 ? Promise.resolve() : new Promise<never>(() => {}),
      },
      subject,
      { checkTimeoutMs: 20 },
    );
    assertEquals(results.map(({ verdict }) => verdict), ["hung", "hung", "hung"]);
    assertEquals(pulls, 2);
  });

  it("says which rule is to blame for another one, unless the first is kept", async () => {
    const because = (cause: string) =>
      ruleOf(() => {
        throw new Violation("a pull", "none", [], cause);
      }, { id: "S-NEXT-1" });
    const causeIn = async (cause: string) => {
      const { results } = await runSuite(
        { side: "server", rules: [...suite, because(cause)] },
        subject,
      );
      return results.at(-1)!.because;
    };
    assertEquals(await causeIn("S-TWO-1"), "S-TWO-1");
    assertEquals(await causeIn("S-ONE-1"), undefined);
    assertEquals(await causeIn("S-NEXT-1"), undefined);
  });

  it("ends at once when the subject cannot be run", async () => {
    let checks = 0;
    const lost = ruleOf(() => {
      checks++;
      throw new CannotRun("There is nobody");
    });
    await assertRejects(
      () => runSuite({ side: "server", rules: [lost, ...suite] }, subject),
      CannotRun,
      "nobody",
    );
    assertEquals(checks, 1);
  });

  it("ends with the reason of the signal, also in a check that does not heed it", async () => {
    const controller = new AbortController();
    const endless = ruleOf(() => {
      controller.abort(new Error("enough"));
      return new Promise(() => {});
    });
    const { signal } = controller;
    await assertRejects(
      () => runSuite({ side: "server", rules: [endless] }, subject, { signal }),
      Error,
      "enough",
    );
  });

  it("reports findings from elsewhere about a rule that its own inputs do not break", async () => {
    const violation = new Violation("one", "two", []);
    const { results } = await runSuite(
      {
        side: "server",
        rules: [ruleOf(() => {}), ruleOf(() => {}, { id: "S-TEST-2" })],
        walk: (_subject, { findings }) => {
          findings.add("S-TEST-2", { violation, during: "walk", steps: ["pull", "leave"] });
          return Promise.resolve();
        },
      },
      subject,
      { runs: 3, seed: 5 },
    );
    const [first, second] = results;
    assertEquals([first?.verdict, second?.verdict], ["kept", "broken"]);
    const { seen, seed, during, steps } = second!.failure!;
    assertEquals([seen, seed, during, steps], ["two", 5, "walk", ["pull", "leave"]]);
  });

  it("tries watched rules last, and reports them in their usual place", async () => {
    const order: string[] = [];
    const { results } = await runSuite(
      {
        side: "server",
        rules: [ruleOf(() => {}), ruleOf(() => {}, { id: "S-TEST-2" })],
        watched: new Set(["S-TEST-1"]),
        watch: (subject, { findings, during }) => {
          order.push(during());
          findings.saw("S-TEST-1");
          return subject;
        },
      },
      subject,
      { onRule: ({ id }) => order.push(id), runs: 3 },
    );
    assertEquals(order, ["", "S-TEST-2", "S-TEST-1"]);
    assertEquals(results.map(({ id, exchanges }) => [id, exchanges]), [
      ["S-TEST-1", 1],
      ["S-TEST-2", undefined],
    ]);
  });
});

describe("selectRules", () => {
  const suite = ["S-ONE-1", "S-ONE-10", "S-TWO-1"].map((id) => ruleOf(() => {}, { id }));
  const select = (...rules: string[]) => selectRules(suite, { rules }).map(({ id }) => id);

  it("accepts an id for one rule and a section for all of its rules", () => {
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
