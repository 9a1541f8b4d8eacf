import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { htmlReport } from "../../reporters/mod.ts";
import { mockServer } from "../../server/subject.ts";
import {
  conclude,
  type Outcome,
  runAll,
  runSubject,
  runSurprisingAgain,
  summary,
  surprises,
} from "./run.ts";
import type { Subject } from "./subject.ts";
import { Workshop } from "./workshop.ts";

const workshop = new Workshop("unused");
const options = { runs: 1, seed: 1, rules: ["S-FRAME-3", "S-SEQ-1"] };

/** The mock in a dialect that breaks `S-FRAME-3`, of which something is said to be known. */
function subject(more: Partial<Subject> = {}): Subject {
  const implementation = mockServer({ dialect: "client2" });
  return {
    side: "server",
    name: "mock",
    version: "1",
    needs: [],
    breaks: {},
    prepare: () => Promise.resolve({ implementation }),
    ...more,
  } as Subject;
}

describe("a subject", () => {
  it("surprises by a break that is not known, and by one that is mended", async () => {
    const found = async (breaks: Subject["breaks"]) => {
      return surprises(await runSubject(subject({ breaks }), workshop, options));
    };
    assertEquals(await found({}), ["S-FRAME-3"]);
    assertEquals(await found({ "S-FRAME-3": "because" }), []);
    assertEquals(await found({ "S-FRAME-3": "because", "S-SEQ-1": "not" }), ["S-SEQ-1"]);
  });

  it("does not surprise by what so few inputs do not show, which is told", async () => {
    const quick = { ...options, runs: 0, rules: ["S-FRAME-3", "S-REQ-10"] };
    const breaks = { "S-FRAME-3": "because", "S-REQ-10": "not" };
    const outcome = await runSubject(subject({ breaks }), workshop, quick);
    assertEquals(surprises(outcome), []);
    assertMatch(
      summary(outcome),
      /\n {2}S-REQ-10 is known to be broken, but so few inputs do not show it\n$/,
    );
    assertEquals(
      conclude([outcome], true).text.trimEnd(),
      "1 as known, 0 not, 0 not run; known and not shown: 1",
    );
    const thorough = { ...quick, runs: options.runs };
    assertEquals(surprises(await runSubject(subject({ breaks }), workshop, thorough)), [
      "S-REQ-10",
    ]);
  });

  it("may have rules of its own, with breaks that are known or not", async () => {
    const own = { id: "P-1", side: "server", level: "should", title: "", cites: "" } as const;
    const runMore = () => Promise.resolve([{ ...own, verdict: "broken", runs: 1 } as const]);
    const prepare = () => Promise.resolve({ implementation: mockServer(), runMore });
    const found = async (breaks: Subject["breaks"]) => {
      const more = { prepare, breaks } as Partial<Subject>;
      return surprises(await runSubject(subject(more), workshop, options));
    };
    assertEquals(await found({}), ["P-1"]);
    assertEquals(await found({ "P-1": "because" }), []);
  });

  it("is summed up with the reasons", async () => {
    const breaks = { "S-FRAME-3": "nobody sets it", "S-SEQ-1": "not" };
    const text = summary(await runSubject(subject({ breaks }), workshop, options));
    assertMatch(
      text,
      /^mock \(client2\): 1 kept, 1 broken, 0 not seen, 0 skipped\n {2}S-FRAME-3 .*: nobody/,
    );
    assertMatch(text, /\n {2}S-SEQ-1 is kept, although it is known to be broken\n$/);
  });

  it("is not run where a program is missing, which counts as nothing that was found", async () => {
    const missing = { program: "no-such-program", versionArgs: [], hint: "get it" };
    const needs = ["curl"] as const;
    const outcome = await runSubject(subject({ needs }), workshop, options, () => missing);
    assertEquals(outcome.notRun, "there is no no-such-program: get it");
    assertEquals(outcome.report.results, []);
    assertEquals(summary(outcome), "mock 1: not run, there is no no-such-program: get it\n");
    const { report } = await runSubject(subject(), workshop, options);
    assertMatch(htmlReport([report, outcome.report]), /title="not run"/);
  });

  it("of others is run again when it surprises or could not be got ready, and nothing else is", async () => {
    const known = { "S-FRAME-3": "because" };
    const run = (more: Partial<Subject>) => runSubject(subject(more), workshop, options);
    const prepare = () => Promise.reject(new Error("the build has failed"));
    const outcomes = [
      await run({ version: "as known", breaks: known }),
      await run({ version: "surprising" }),
      await run({ version: "ours", isOurs: true }),
      await run({ version: "not built", prepare }),
    ];
    const again: (string | undefined)[] = [];
    const settled = await runSurprisingAgain(outcomes, (subject) => {
      again.push(subject.version);
      return run({ version: "again", breaks: known });
    });
    assertEquals(again, ["surprising", "not built"]);
    assertEquals(settled.map(({ subject }) => subject.version), [
      "as known",
      "again",
      "ours",
      "again",
    ]);
  });

  it("that cannot be got ready is at fault", async () => {
    const prepare = () => Promise.reject(new Error("the build has failed"));
    const outcome = await runSubject(subject({ prepare }), workshop, options);
    assertEquals([outcome.isFault, outcome.notRun], [true, "the build has failed"]);
  });

  it("is closed when it has been run, and when it could not be", async () => {
    let closed = 0;
    const close = () => Promise.resolve(void closed++);
    const implementation = mockServer();
    const broken = { ...implementation, open: () => Promise.reject(new Error("no")) };
    for (const each of [implementation, broken]) {
      const prepare = () => Promise.resolve({ implementation: each, close });
      await runSubject(subject({ prepare } as Partial<Subject>), workshop, options);
    }
    assertEquals(closed, 2);
  });
});

describe("a run", () => {
  it("is good if nothing surprises, and if all were run that had to be", async () => {
    const known = await runSubject(
      subject({ breaks: { "S-FRAME-3": "because" } }),
      workshop,
      options,
    );
    const surprising = await runSubject(subject(), workshop, options);
    const notRun = { ...known, report: { ...known.report, results: [] }, notRun: "no tool" };
    const faulty = { ...notRun, isFault: true };
    const lineOf = (outcomes: Outcome[], wantsAll = false) => {
      const { text, isGood } = conclude(outcomes, wantsAll);
      return `${isGood ? "good" : "bad"}: ${text.trimEnd()}`;
    };
    assertEquals(lineOf([known]), "good: 1 as known, 0 not, 0 not run");
    assertEquals(lineOf([known, surprising]), "bad: 1 as known, 1 not, 0 not run");
    assertEquals(lineOf([known, notRun]), "good: 1 as known, 0 not, 1 not run");
    assertEquals(lineOf([known, notRun], true), "bad: 1 as known, 0 not, 1 not run");
    assertEquals(lineOf([faulty]), "bad: 0 as known, 0 not, 1 not run");
  });
});

describe("subjects", () => {
  it("run so many at a time, and come back in their order", async () => {
    let running = 0;
    let most = 0;
    const all = ["a", "b", "c", "d", "e"].map((name) => subject({ name }));
    const outcomes = await runAll(all, 2, async (each) => {
      most = Math.max(most, ++running);
      const outcome = await runSubject(each, workshop, { ...options, rules: ["S-SEQ-1"] });
      running--;
      return outcome;
    });
    assertEquals(outcomes.map(({ subject: { name } }) => name), ["a", "b", "c", "d", "e"]);
    assertEquals(most, 2);
  });
});
