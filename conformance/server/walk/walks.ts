/**
 * Walks through the states of a server: the most informative ones in every run, then random ones while there
 * is time. For each broken rule, the shortest walk that shows it is reported.
 *
 *     tour, journeys ──▶ Walker ──▶ BrokenRule ── repeated, if time may be to blame ──▶ shorter walks ──▶ Findings
 *
 * @module
 */

import fc from "fast-check";
import { type CheckRun, Inconclusive, OutOfTime, Violation } from "../../rule.ts";
import { attempt, type Walk } from "../../run.ts";
import { withServer } from "../server_states.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import { pullAll } from "../transcript.ts";
import { BrokenRule } from "./broken_rule.ts";
import {
  type Abilities,
  type Command,
  isRefused,
  type Journey,
  journeys,
  type PullCommand,
  TO_THE_END,
  tour,
} from "./commands.ts";
import { LeftModel } from "./left_model.ts";
import { type Cause, RULE_OF } from "./model.ts";
import { Pace } from "./pace.ts";
import { Layout } from "./scene.ts";
import { simplerJourneys } from "./shrink.ts";
import { stepsOf, type ToldServer } from "./steps.ts";
import { type Surroundings, Walker } from "./walker.ts";

/** The rules that walks can break. */
const WALKED_RULES: readonly string[] = [
  ...["S-REQ-3", "S-FRAME-7", "S-SEQ-1", "S-SEQ-2", "S-SEQ-3", "S-SEQ-4", "S-SEQ-5"],
  ...["S-DOWN-1", "S-DOWN-2", "S-DOWN-3", "S-DOWN-4", "S-DOWN-5"],
  ...[
    "S-RESUME-1",
    "S-SHARE-1",
    "S-LEAVE-1",
    "S-AGAIN-1",
    "S-AGAIN-2",
    "S-OTHER-1",
    "S-LIST-1",
    "S-ERR-11",
  ],
];

/** The rule about HTTP itself. */
const CONNECTION_RULE = "S-HTTP-1";

/** How long walks may take together, in milliseconds: in real time, and in virtual time. */
export const LONGEST_WALKS_MS = 20_000;
const VIRTUAL_BUDGET_MS = 3_000;

/** With fewer whole pulls than this, walks test no more than the rules do by themselves. */
const MIN_PULLS = 3;

/** About how many pull times the walks take, if there is time. */
export const PULLS_OF_WALKS = 40;

/** How many times longer than the first walk, which pulls once, a walk may take. */
const PULLS_PER_WALK = 10;

/** How often a walk is repeated to confirm a violation that the machine may have caused. */
const REPEATS = 2;

/** Walks through the states of a server, and records which rules are broken and which states were entered. */
export async function walkServer(subject: ServerSubject, walk: Walk): Promise<void> {
  if (!WALKED_RULES.some((id) => walk.rules.has(id))) return;
  await new Walks(subject, walk).makeAll();
}

/** A walk that was made, and its result. */
interface Outcome {
  readonly breach?: BrokenRule | undefined;
  /** The rule that is broken if something does not happen in time. */
  readonly hung?: { readonly rule: string; readonly error: OutOfTime } | undefined;
}

/** Makes walks with one server. */
class Walks {
  readonly #subject: ServerSubject;
  readonly #walk: Walk;
  readonly #known = new Set<string>();
  /** Walks without a finding, which therefore do not cause the failure of later walks. */
  readonly #passed = new Set<string>();
  readonly #surroundings: Surroundings;
  readonly #start = performance.now();
  #can: Abilities = {
    isFresh: false,
    hasOther: false,
    deletes: false,
    publishes: false,
    isVirtual: false,
  };
  #told: ToldServer = { model: "" };
  #isReal = true;
  /** A second model, partly pulled. */
  #left: LeftModel | undefined;
  #hasResumed = false;
  /** How long the first walk took, and the average of all walks so far, in milliseconds. */
  #firstMs = 0;
  #made = 0;

  constructor(subject: ServerSubject, walk: Walk) {
    this.#subject = subject;
    this.#walk = walk;
    this.#surroundings = {
      subject,
      layout: new Layout(),
      pace: new Pace(),
      known: this.#known,
      findings: walk.findings,
      otherAloneMs: () => this.#left?.aloneMs ?? 0,
    };
  }

  /** Makes all walks for which there is time. */
  async makeAll(): Promise<void> {
    await this.#lookAround();
    if (this.#isReal && this.#can.isFresh && MIN_PULLS * this.#walk.pullMs > LONGEST_WALKS_MS) {
      return;
    }
    for (const journey of this.#journeys()) {
      if (this.#isReal && journey.commands.some(pullsOther)) await this.#resumeOther();
      // Data from a connection that broke says nothing about the server's behaviour.
      if (this.#walk.findings.of(CONNECTION_RULE)) return;
      if (!this.#hasTime) break;
      if (!isUseful(journey.commands, this.#known)) continue;
      const goesOn = await this.#make(journey);
      if (!goesOn) return;
    }
    if (this.#isReal) await this.#resumeOther();
  }

  /** Finds out what the server supports. */
  async #lookAround(): Promise<void> {
    await withServer(this.#subject, { layers: [1_000] }, (server) => {
      const { lacks } = this.#subject;
      const { change, remove, otherModel, sleep } = server;
      this.#isReal = sleep === undefined;
      this.#told = server;
      this.#can = {
        isFresh: lacks.fresh === undefined,
        hasOther: otherModel !== undefined,
        deletes: lacks.fresh === undefined && remove !== undefined,
        publishes: lacks.changes === undefined && change !== undefined,
        isVirtual: !this.#isReal,
      };
      return Promise.resolve();
    });
    if (this.#can.isFresh && this.#can.hasOther) {
      await this.#aside(async (server, run) => {
        this.#left = await LeftModel.leave(server, run);
      });
    }
  }

  /** Pulls the rest of the second model, as late as possible. Does so only once. */
  async #resumeOther(): Promise<void> {
    if (this.#hasResumed || !this.#left || !this.#subject.keepsState) return;
    this.#hasResumed = true;
    const left = this.#left;
    await this.#aside(async (server, run) => {
      const outcome = await left.resume(server, run);
      const { findings } = this.#walk;
      if (outcome === true) findings.saw(RULE_OF.kept);
      if (typeof outcome === "boolean" || this.#known.has(outcome.rule)) return;
      const steps = left.steps(server, server.now());
      const place = { during: "walk", steps, foundAfter: this.#made, shrinks: 0 };
      this.#known.add(outcome.rule);
      findings.add(outcome.rule, { violation: outcome, ...place });
    });
  }

  /** Does something outside a walk. If it fails, that is for other rules to report. */
  async #aside(work: (server: OpenServer, run: CheckRun) => Promise<void>): Promise<void> {
    const limits = { limitMs: this.#walk.checkTimeoutMs, graceMs: 0, signal: this.#walk.signal };
    await attempt(
      (run) => withServer(this.#subject, { layers: [1_000] }, (server) => work(server, run)),
      limits,
    ).catch((error) => {
      if (!(error instanceof Violation || error instanceof Inconclusive)) throw error;
    });
  }

  *#journeys(): Generator<Journey, void, void> {
    const { runs, seed } = this.#walk;
    const first = tour(this.#can);
    yield* first;
    const others = Math.max(0, runs - first.length);
    if (others > 0) yield* fc.sample(journeys(this.#can), { numRuns: others, seed });
  }

  get #hasTime(): boolean {
    const elapsedMs = performance.now() - this.#start;
    const usualMs = this.#made === 0 ? 0 : elapsedMs / this.#made;
    const { virtualBudgetMs = VIRTUAL_BUDGET_MS } = this.#walk;
    return elapsedMs + usualMs <= (this.#isReal ? LONGEST_WALKS_MS : virtualBudgetMs);
  }

  /** Makes a walk, and reports its findings. Returns whether more walks make sense. */
  async #make(journey: Journey): Promise<boolean> {
    const start = performance.now();
    const outcome = await this.#again(journey);
    const isFirst = this.#made++ === 0;
    if (isFirst) this.#firstMs = performance.now() - start;
    if (outcome.hung) {
      this.#add(outcome.hung.rule, outcome.hung.error, journey, 0);
      return false;
    }
    if (outcome.breach) {
      const { shortest, breach, shrinks } = await this.#shorten(journey, outcome.breach);
      this.#known.add(breach.rule);
      this.#add(breach.rule, breach, shortest, shrinks);
    }
    if (!outcome.breach) this.#pass(journey, isFirst);
    // If a server cannot even pull, walks would find nothing new.
    if (!isFirst) return true;
    return this.#surroundings.layout.hasReports && !this.#known.has(RULE_OF.alone);
  }

  /** Records a walk without findings. The first walk is a whole pull, as is one without commands. */
  #pass({ layers, commands }: Journey, isFirst: boolean): void {
    this.#passed.add(keyOf({ layers, commands }));
    if (isFirst) this.#passed.add(keyOf({ layers, commands: [] }));
  }

  #add(rule: string, violation: Violation, journey: Journey, shrinks: number): void {
    const steps = stepsOf(journey, this.#told);
    const place = { during: "walk", steps, foundAfter: this.#made, shrinks };
    this.#walk.findings.add(rule, { violation, ...place });
  }

  /** Makes a walk, and repeats it if the machine may have caused its finding. */
  async #again(journey: Journey): Promise<Outcome> {
    let first: Outcome = {};
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      const outcome = await this.#try(journey, repeat === 0 ? 1 : 2);
      const isSame = outcome.breach?.rule === first.breach?.rule &&
        (outcome.hung === undefined) === (first.hung === undefined);
      const isFound = outcome.breach !== undefined || outcome.hung !== undefined;
      if (repeat === 0) {
        if (!isFound || (outcome.breach && !this.#isReal)) return outcome;
        first = outcome;
      } else if (isFound && isSame) return outcome;
    }
    return {};
  }

  /** Makes a walk once. */
  async #try({ layers, commands }: Journey, patience: number): Promise<Outcome> {
    const { checkTimeoutMs, signal } = this.#walk;
    const usualMs = PULLS_PER_WALK * this.#firstMs;
    const limits = {
      limitMs: patience * Math.max(checkTimeoutMs, usualMs),
      graceMs: 0,
      signal,
    };
    const { pace } = this.#surroundings;
    let walker: Walker | undefined;
    if (this.#isReal) pace.watchLag();
    try {
      await attempt((run) =>
        withServer(this.#subject, { layers }, async (server) => {
          walker = new Walker(this.#surroundings, server, layers, run);
          await walker.walk(commands);
        }), limits);
      return {};
    } catch (error) {
      await this.#reset(layers);
      const rule = RULE_OF[walker?.cause ?? "alone"];
      if (error instanceof BrokenRule) return { breach: error };
      if (error instanceof OutOfTime) return { hung: { rule, error } };
      if (error instanceof Violation) {
        return { breach: new BrokenRule(rule, error.expected, error.seen, error.exchanges) };
      }
      if (error instanceof Inconclusive) return {};
      throw error;
    } finally {
      pace.settle();
    }
  }

  /** Completes the model, so that deleting it leaves nothing behind. In virtual time, every server is new. */
  async #reset(layers: readonly number[]): Promise<void> {
    if (!this.#isReal || !this.#can.deletes) return;
    const limits = { limitMs: this.#walk.checkTimeoutMs, graceMs: 0, signal: this.#walk.signal };
    await attempt((run) =>
      withServer(this.#subject, { layers }, async (server) => {
        await pullAll(server, run);
      }), limits).catch(() => {});
    this.#walk.signal?.throwIfAborted();
  }

  /** Whether a simpler walk is worth trying. */
  #isNew(candidate: Journey, { layers }: Journey): boolean {
    if (this.#subject.hasOneModel && candidate.layers.length < layers.length) return false;
    return !this.#passed.has(keyOf(candidate));
  }

  /** Searches for some time for the shortest walk with the same finding. */
  async #shorten(
    journey: Journey,
    breach: BrokenRule,
  ): Promise<{ shortest: Journey; breach: BrokenRule; shrinks: number }> {
    const end = performance.now() + this.#walk.shrinkTimeMs;
    let best = { shortest: journey, breach, shrinks: 0 };
    for (let isShorter = true; isShorter;) {
      isShorter = false;
      for (const candidate of simplerJourneys(best.shortest)) {
        if (performance.now() >= end) return best;
        if (!this.#isNew(candidate, journey)) continue;
        const { breach } = await this.#try(candidate, 1);
        if (!breach) continue;
        best = { shortest: candidate, breach, shrinks: best.shrinks + 1 };
        isShorter = true;
        break;
      }
    }
    return best;
  }
}

/** Whether a step pulls another model. */
function pullsOther(command: Command): boolean {
  if (command.do !== "pull") return command.do === "other";
  return (command.meanwhile ?? []).some(({ act }) => act === "other");
}

/** A key that identifies a walk. */
function keyOf({ layers, commands }: Journey): string {
  return JSON.stringify([layers, commands]);
}

/** Whether a walk avoids everything whose rule is already known to be broken. */
function isUseful(commands: readonly Command[], known: ReadonlySet<string>): boolean {
  const pulls = commands.filter((command): command is PullCommand => command.do === "pull");
  const acts = commands.flatMap((command) =>
    command.do === "pull" ? (command.meanwhile ?? []).map(({ act }) => act) : [command.do]
  );
  const leaves = ({ callers }: PullCommand) =>
    callers.some(({ leavesAt }) => leavesAt < TO_THE_END);
  const isShared = pulls.some(({ callers }) => callers.length > 1);
  const isLeft = pulls.some(leaves);
  const isWhole = pulls.some((pull) => !leaves(pull));
  const isRefusing = acts.some((act) => act === "delete" || isRefused(act));
  const isWithin: Partial<Record<Cause, boolean>> = {
    shared: isShared,
    left: isShared && isLeft,
    kept: isLeft,
    whole: isWhole && isRefusing,
    changed: acts.includes("publish"),
    refused: isRefusing,
  };
  return !(Object.keys(isWithin) as Cause[]).some((cause) =>
    isWithin[cause] && known.has(RULE_OF[cause])
  );
}
