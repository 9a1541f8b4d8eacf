import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { registerConformance, type SkippableTest, type TestRunner } from "./register.ts";
import { CannotRun, Inconclusive, type Rule, rule, Violation } from "./rule.ts";

/** Counts to ten, and not always right. */
interface Counter {
  readonly name: string;
  readonly next: (number: number) => number;
  readonly fast?: boolean;
}

const counterRule = (
  id: string,
  check: (counter: Counter, number: number) => void,
  skips?: (counter: Counter) => string | undefined,
) =>
  rule<Counter, number>({
    id,
    side: "server",
    level: "must",
    title: `The rule ${id} holds`,
    cites: 'spec: "It counts."',
    inputs: fc.nat(10),
    ...(skips && { skips }),
    check: (counter, number) => Promise.resolve(check(counter, number)),
  });

const SUITE: readonly Rule<Counter>[] = [
  counterRule("S-NEXT-1", ({ next }, number) => {
    if (next(number) === number + 1) return;
    const exchanges = [{ request: `next ${number}` }];
    throw new Violation(String(number + 1), String(next(number)), exchanges);
  }),
  counterRule("S-FAST-1", () => {}, ({ fast }) => fast ? undefined : "It is not fast"),
  counterRule("S-TELL-1", () => {
    throw new Inconclusive("It was not counted");
  }),
];

const RIGHT: Counter = { name: "right", next: (number) => number + 1, fast: true };
const WRONG: Counter = { name: "wrong", next: (number) => number > 3 ? 0 : number + 1 };

interface RegisteredTest {
  readonly name: string;
  readonly timeout: number;
  readonly body: (test: SkippableTest) => Promise<void>;
}

/** A runner that takes note of what is registered. */
class NotingRunner implements TestRunner {
  readonly groups: string[] = [];
  readonly tests: RegisteredTest[] = [];
  readonly skipped: string[] = [];

  readonly describe = (name: string, body: () => void) => {
    this.groups.push(name);
    body();
  };

  readonly it = Object.assign(
    (
      name: string,
      { timeout }: { timeout: number },
      body: (test: SkippableTest) => Promise<void>,
    ) => {
      this.tests.push({ name, timeout, body });
    },
    { skip: (name: string) => this.skipped.push(name) },
  );
}

/** A test of which nothing is to be skipped. */
const UNSKIPPABLE: SkippableTest = {
  skip(reason) {
    throw new Error(`Skipped: ${reason}`);
  },
};

describe("registerConformance", () => {
  it("registers each rule as a test of its own, without a time limit to speak of", () => {
    const runner = new NotingRunner();
    registerConformance(SUITE, RIGHT, runner);
    assertEquals(runner.groups, ["conformance of right"]);
    assertEquals(runner.tests.map(({ name }) => name), [
      "S-NEXT-1 The rule S-NEXT-1 holds (must)",
      "S-FAST-1 The rule S-FAST-1 holds (must)",
      "S-TELL-1 The rule S-TELL-1 holds (must)",
    ]);
    assert(runner.tests.every(({ timeout }) => timeout > 86_400_000));
  });

  it("fails the test of a broken rule with the smallest counterexample", async () => {
    const runner = new NotingRunner();
    registerConformance(SUITE, WRONG, runner, { seed: 5 });
    const { message } = await assertRejects(() => runner.tests[0]!.body(UNSKIPPABLE), Error);
    for (
      const part of [
        "✗ S-NEXT-1 must: The rule S-NEXT-1 holds",
        'rests on  spec: "It counts."',
        "expected  5",
        "seen      0",
        "next 4",
        'registerConformance(suite, subject, runner, {"rules":["S-NEXT-1"],"seed":5,"path":"',
      ]
    ) assertStringIncludes(message, part);
  });

  it("finds a counterexample again by its options", async () => {
    const first = new NotingRunner();
    registerConformance(SUITE, WRONG, first, { rules: ["S-NEXT"] });
    const { message } = await assertRejects(() => first.tests[0]!.body(UNSKIPPABLE), Error);
    const options = JSON.parse(/\{"rules.*\}/.exec(message)![0]);

    const second = new NotingRunner();
    registerConformance(SUITE, WRONG, second, options);
    const again = await assertRejects(() => second.tests[0]!.body(UNSKIPPABLE), Error);
    assertStringIncludes(again.message, "next 4");
    assertStringIncludes(again.message, "Found after 1 input.");
  });

  it("skips a rule that says nothing about the subject, and says why", () => {
    const runner = new NotingRunner();
    registerConformance(SUITE, WRONG, runner);
    assertEquals(runner.skipped, ["S-FAST-1 The rule S-FAST-1 holds (must): It is not fast"]);
  });

  it("does not pass a test in which nothing could be told", async () => {
    const runner = new NotingRunner();
    registerConformance(SUITE, RIGHT, runner, { rules: ["S-TELL"] });
    const reasons: string[] = [];
    const run = runner.tests[0]!.body({ skip: (reason) => reasons.push(reason) });
    if ("Deno" in globalThis) await assertRejects(() => run, Error, "It was not counted");
    else await run;
    assertEquals(reasons, ["It was not counted"]);
  });

  it("runs the rules that the options select, and reports what it does", async () => {
    const runner = new NotingRunner();
    const told: string[] = [];
    registerConformance(SUITE, RIGHT, runner, {
      rules: ["S-NEXT"],
      runs: 7,
      onRule: ({ id }) => told.push(id),
      onResult: ({ verdict, runs }) => told.push(`${verdict} after ${runs}`),
    });
    assertEquals(runner.tests.length, 1);
    await runner.tests[0]!.body(UNSKIPPABLE);
    assertEquals(told, ["S-NEXT-1", "kept after 7"]);
    assertThrows(
      () => registerConformance(SUITE, RIGHT, runner, { rules: ["S-NO"] }),
      CannotRun,
      'Cannot run the rule "S-NO": it must be one of S-',
    );
  });

  // In the runner that runs this test.
  registerConformance(SUITE.slice(0, 2), RIGHT, { describe, it });
  registerConformance(SUITE.slice(1, 2), WRONG, { describe, it });
});
