/**
 * Runs the rules of a suite against a subject, and reports the results.
 *
 * @module
 */

import { quote } from "../src/text.ts";
import type { Exchange } from "./exchange.ts";
import { Findings } from "./findings.ts";
import {
  type Failure,
  isBroken,
  type Report,
  type RuleResult,
  type StateCount,
  type SubjectInfo,
} from "./report.ts";
import {
  CannotRun,
  type Check,
  type CheckRun,
  Inconclusive,
  type Level,
  OutOfTime,
  type Rule,
  type RuleInfo,
  type Side,
  Violation,
} from "./rule.ts";

/** Options of a run. */
export interface RunOptions {
  /**
   * The rules to run, by id or by section: `S-SEQ` means all rules whose id starts with `S-SEQ-`.
   *
   * @default all
   */
  rules?: readonly string[] | undefined;
  /**
   * The levels to run.
   *
   * @default all
   */
  levels?: readonly Level[] | undefined;
  /**
   * How many random inputs to try per rule. More inputs find rarer faults, and take proportionally longer. A
   * rule's fixed inputs are always tried first, however small this number is. Slow subjects, such as commands
   * and remote servers, have a lower default.
   *
   * @default {100}
   */
  runs?: number | undefined;
  /**
   * The seed of the inputs.
   *
   * @default a random one
   */
  seed?: number | undefined;
  /** Tries only one input: the `path` of a failure. Requires its `seed` and exactly one rule. */
  path?: string | undefined;
  /**
   * How long the check of one input may take, in milliseconds. If it takes longer, it is repeated alone, with
   * a limit derived from how long a plain pull of the subject takes, before it counts as hung.
   *
   * @default {10000}
   */
  checkTimeoutMs?: number | undefined;
  /**
   * How long to search for a smaller counterexample per rule, in milliseconds.
   *
   * @default {10000}
   */
  shrinkTimeMs?: number | undefined;
  /** Called after the plain pull, with the time it took and an estimate for the run. */
  onPlan?: ((plan: Plan) => void) | undefined;
  /** Called with each result as soon as it is known. */
  onResult?: ((result: RuleResult) => void) | undefined;
  /** Called before each rule is run. */
  onRule?: ((rule: { id: string; title: string }) => void) | undefined;
  /** Ends the run when it aborts. */
  signal?: AbortSignal | undefined;
}

/** Facts known at the start of a run. */
export interface Plan {
  /** How long the plain pull took, in milliseconds. */
  readonly pullMs: number;
  /** About how long the run will take if nothing is broken, in milliseconds. */
  readonly expectedMs: number;
}

/** The default number of random inputs per rule. */
export const DEFAULT_RUNS = 100;
const DEFAULT_CHECK_TIMEOUT_MS = 10_000;
const DEFAULT_SHRINK_TIME_MS = 10_000;

/** Chooses a seed if none is given. */
export function randomSeed(): number {
  return Math.trunc(Math.random() * 2 ** 31);
}

/** The rules of a suite that the options select. */
export function selectRules<Subject>(
  suite: readonly Rule<Subject>[],
  { rules, levels }: RunOptions,
): readonly Rule<Subject>[] {
  for (const name of rules ?? []) {
    if (suite.some(({ id }) => isNamed(id, name))) continue;
    const ids = suite.map(({ id }) => id).join(", ");
    const section = suite[0]?.id.replace(/-\d+$/, "") ?? "";
    throw new CannotRun(
      `Cannot run the rule ${
        quote(name)
      }: it must be one of ${ids}, or a section such as ${section}`,
    );
  }
  return suite.filter(({ id, level }) =>
    (rules?.some((name) => isNamed(id, name)) ?? true) && (levels?.includes(level) ?? true)
  );
}

function isNamed(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}-`);
}

/** Makes one plain pull of a subject. Throws {@link CannotRun} if it cannot be tested at all. */
export type PlainPull<Subject> = (subject: Subject, run: CheckRun) => Promise<void>;

/** The rules for one side, and how to test them. */
export interface Suite<Subject> {
  /** The side. */
  readonly side: Side;
  /** The rules, in the order of reports. */
  readonly rules: readonly Rule<Subject>[];
  /** Makes one plain pull, to check that the subject can be tested. */
  readonly plainPull?: PlainPull<Subject> | undefined;
  /** Starts watching all exchanges, whichever rule makes them. */
  readonly watch?: ((subject: Subject, watch: Watch) => Subject) | undefined;
  /** The ids of the rules that this watching tests. They run after the others. */
  readonly watched?: ReadonlySet<string> | undefined;
  /**
   * Whether all inputs are the same to a subject. Then the exchanges of other rules are as good for a watched
   * rule as inputs of its own, and cost nothing.
   */
  readonly isOneInput?: ((subject: Subject) => boolean) | undefined;
  /** Walks through the states of the subject before the rules run. */
  readonly walk?: ((subject: Subject, walk: Walk) => Promise<void>) | undefined;
  /**
   * Whether each pull of a subject takes as long as the plain one. If not, the model is already on disk after
   * it. @default always
   */
  readonly pullsAnew?: ((subject: Subject) => boolean) | undefined;
  /** About how long the walks take, in milliseconds, for a subject with a given pull time. */
  readonly walkMs?: ((pullMs: number) => number) | undefined;
}

/** What a watcher needs to know. */
export interface Watch {
  /** Where it records its findings. */
  readonly findings: Findings;
  /** The id of the rule that is being tested, or `walk`. */
  readonly during: () => string;
}

/** What walks need to know. */
export interface Walk {
  /** Where they record their findings. */
  readonly findings: Findings;
  /** The ids of the rules that were selected. */
  readonly rules: ReadonlySet<string>;
  /** How many walks are worth making. The most informative ones are made in every run. */
  readonly runs: number;
  /** The seed of the walks. */
  readonly seed: number;
  /** How long a plain pull takes, in milliseconds. */
  readonly pullMs: number;
  /** How long one walk may take, in milliseconds. */
  readonly checkTimeoutMs: number;
  /** How long to search for a shorter walk, in milliseconds. */
  readonly shrinkTimeMs: number;
  /** How long to continue walks in virtual time, in milliseconds of real time. @default {3_000} */
  readonly virtualBudgetMs?: number | undefined;
  /** Ends the walks when it aborts. */
  readonly signal: AbortSignal | undefined;
}

/** Runs a suite against a subject, after a plain pull that checks that the subject can be tested. */
export async function runSuite<Subject>(
  suite: Suite<Subject>,
  subject: Subject & SubjectInfo,
  options: RunOptions = {},
): Promise<Report> {
  const run = new SuiteRun(suite, subject, options);
  await run.prepare();
  const found = new Map<string, RuleResult>();
  for (const rule of run.rules) {
    options.signal?.throwIfAborted();
    found.set(rule.id, await run.tryRule(rule));
  }
  const results = suite.rules.flatMap(({ id }) => found.get(id) ?? []);
  const { states } = run;
  return {
    ...run.head,
    results: withoutWrongCauses(results),
    ...(states.length > 0 && { states }),
  };
}

/** A run of a suite, rule by rule. */
export class SuiteRun<Subject> {
  /** The start of a report. */
  readonly head: Omit<Report, "results">;
  /** The rules that were selected, in the order in which they run. */
  readonly rules: readonly Rule<Subject>[];
  readonly #suite: Suite<Subject>;
  readonly #subject: Subject;
  readonly #options: RunOptions & { readonly runs: number; readonly seed: number };
  readonly #findings = new Findings();
  /** The id of the rule that is being tested, or `walk`. */
  #during = "";
  #prepared: Promise<void> | undefined;
  /** How long a plain pull takes, in milliseconds; `undefined` if it does not end. */
  #pullMs: number | undefined = 0;

  constructor(suite: Suite<Subject>, subject: Subject & SubjectInfo, options: RunOptions) {
    const { runs = DEFAULT_RUNS, seed = randomSeed() } = options;
    const { name, version } = subject;
    this.head = {
      format: 2,
      side: suite.side,
      subject: version === undefined ? { name } : { name, version },
      runtime: runtimeName(),
      runs,
      seed,
    };
    this.rules = inOrder(selectRules(suite.rules, options), suite.watched);
    this.#suite = suite;
    const watch = { findings: this.#findings, during: () => this.#during };
    this.#subject = suite.watch?.(subject, watch) ?? subject;
    this.#options = { ...options, runs, seed };
  }

  /** The states that walks entered. */
  get states(): readonly StateCount[] {
    return this.#findings.states;
  }

  /** Makes the plain pull and the walks, which come before all rules. Does so only once. */
  prepare(): Promise<void> {
    return this.#prepared ??= this.#prepare();
  }

  async #prepare(): Promise<void> {
    if (this.#suite.plainPull) this.#pullMs = await this.#measure();
    if (this.#pullMs !== undefined) this.#options.onPlan?.(this.#planOf(this.#pullMs));
    if (!this.#suite.walk || this.#pullMs === undefined) return;
    this.#during = "walk";
    const {
      checkTimeoutMs = DEFAULT_CHECK_TIMEOUT_MS,
      shrinkTimeMs = DEFAULT_SHRINK_TIME_MS,
      runs,
      seed,
      signal,
    } = this.#options;
    const limits = { pullMs: this.#pullMs, checkTimeoutMs, shrinkTimeMs, signal };
    const rules = new Set(this.rules.map(({ id }) => id));
    await this.#suite.walk(this.#subject, {
      findings: this.#findings,
      rules,
      runs,
      seed,
      ...limits,
    });
  }

  #planOf(pullMs: number): Plan {
    const { isOneInput, pullsAnew, watched, walkMs } = this.#suite;
    if (pullsAnew?.(this.#subject) === false) return { pullMs, expectedMs: pullMs };
    const isCheap = isOneInput?.(this.#subject) ? watched : undefined;
    const pulls = this.rules.filter(({ id, skips }) =>
      !isCheap?.has(id) && skips?.(this.#subject) === undefined
    ).reduce((sum, { countPulls }) => sum + (countPulls?.(this.#options.runs) ?? 0), 0);
    return { pullMs, expectedMs: pulls * pullMs + (walkMs?.(pullMs) ?? 0) };
  }

  /** Tests a rule, with the number of inputs from the options or another one. */
  async tryRule(rule: Rule<Subject>, runs: number = this.#options.runs): Promise<RuleResult> {
    this.#options.onRule?.(rule);
    this.#during = rule.id;
    // If not even a plain pull of the subject ends, rules are not tried a second time.
    const again = this.#pullMs === undefined ? NO_SECOND_TRY : () => this.#measure();
    const measure = this.#suite.plainPull && again;
    const own = this.#isSettled(rule, runs)
      ? notTried(rule)
      : await runRule(rule, this.#subject, { ...this.#options, runs, measure });
    const result = withFindings(own, this.#findings, this.#options.seed);
    this.#options.onResult?.(result);
    return result;
  }

  /** Whether other rules have already given enough evidence for a rule, or broken it. */
  #isSettled({ id, skips }: Rule<Subject>, runs: number): boolean {
    const { isOneInput, watched } = this.#suite;
    if (!watched?.has(id) || !isOneInput?.(this.#subject)) return false;
    if (skips?.(this.#subject) !== undefined) return false;
    return this.#findings.countOf(id) >= runs || this.#findings.of(id) !== undefined;
  }

  /** Measures a plain pull. If one does not end, no later one is tried, because that takes so long. */
  async #measure(): Promise<number | undefined> {
    const pullMs = await measurePull(this.#suite.plainPull!, this.#subject, this.#options);
    if (pullMs === undefined) this.#pullMs = undefined;
    return pullMs;
  }
}

/** Puts rules last for which other rules may still give evidence. */
function inOrder<Subject>(
  rules: readonly Rule<Subject>[],
  watched: ReadonlySet<string> = new Set(),
): Rule<Subject>[] {
  return [
    ...rules.filter(({ id }) => !watched.has(id)),
    ...rules.filter(({ id }) => watched.has(id)),
  ];
}

/** A result, merged with findings about its rule from elsewhere. */
function withFindings(result: RuleResult, findings: Findings, seed: number): RuleResult {
  if (isBroken(result)) return result;
  const exchanges = findings.countOf(result.id);
  const seen = { ...result, ...(exchanges > 0 && { exchanges }) };
  const breach = findings.of(result.id);
  if (breach === undefined) {
    return exchanges > 0 && result.verdict === "not seen" ? asKept(seen) : seen;
  }
  const { violation, during, steps, path = "", foundAfter = 0, shrinks = 0 } = breach;
  const { because } = violation;
  const place = { seed, path, foundAfter, shrinks, during, ...(steps !== undefined && { steps }) };
  return {
    ...asKept(seen),
    verdict: violation instanceof OutOfTime ? "hung" : "broken",
    failure: { ...descriptionOf(violation), ...place },
    ...(because !== undefined && because !== result.id && { because }),
  };
}

/** A result without the reason why it would not be known. */
function asKept({ reason: _, ...result }: RuleResult): RuleResult {
  return { ...result, verdict: "kept" };
}

const NO_SECOND_TRY = () => Promise.resolve(undefined);

/** How long a plain pull takes now, in milliseconds, or `undefined` if it does not end in time. */
async function measurePull<Subject>(
  plainPull: PlainPull<Subject>,
  subject: Subject,
  options: RunOptions,
): Promise<number | undefined> {
  const { checkTimeoutMs = DEFAULT_CHECK_TIMEOUT_MS, signal } = options;
  const limits = { limitMs: PATIENCE * checkTimeoutMs, graceMs: 0, signal };
  const start = performance.now();
  try {
    await attempt((run) => plainPull(subject, run), limits);
    return performance.now() - start;
  } catch (error) {
    if (error instanceof OutOfTime) return undefined;
    throw error;
  }
}

/** Removes causes whose rules turned out not to be broken. */
function withoutWrongCauses(results: readonly RuleResult[]): RuleResult[] {
  const intact = new Set(results.filter((result) => !isBroken(result)).map(({ id }) => id));
  return results.map(({ because, ...result }) =>
    because === undefined || intact.has(because) ? result : { ...result, because }
  );
}

/** Options of {@link runRule}. */
export interface RuleOptions extends RunOptions {
  /** How many inputs to try. */
  readonly runs: number;
  /** The seed of the inputs. */
  readonly seed: number;
  /**
   * Measures how long a plain pull of the subject takes, in milliseconds, before a check is repeated. If it
   * does not end either, the check is not repeated.
   *
   * @default at once
   */
  readonly measure?: (() => Promise<number | undefined>) | undefined;
}

/** Runs one rule. */
export async function runRule<Subject>(
  rule: Rule<Subject>,
  subject: Subject,
  options: RuleOptions,
): Promise<RuleResult> {
  const { id, evidence } = rule;
  const info = infoOf(rule);
  const skipped = rule.skips?.(subject);
  if (skipped !== undefined) {
    return { ...info, verdict: "skipped", reason: skipped, runs: 0, conclusive: 0 };
  }

  const { shrinkTimeMs = DEFAULT_SHRINK_TIME_MS } = options;
  let reason = `No input showed ${evidence ?? "anything"}`;
  let conclusive = 0;
  let repeated = 0;
  let first: unknown;
  let shrinkEnd = Infinity;
  const tryInput = async (check: Check<Subject>) => {
    if (performance.now() >= shrinkEnd) return; // a success ends the search for smaller inputs
    const isShrinking = first !== undefined;
    const repeat = async () => {
      repeated++;
      return await (options.measure?.() ?? 0);
    };
    try {
      const checkOnce = (run: CheckRun) => check(subject, run);
      const hasSeen = await patiently(checkOnce, options, isShrinking ? undefined : repeat);
      if (!isShrinking && (hasSeen || evidence === undefined)) conclusive++;
    } catch (error) {
      if (error instanceof Inconclusive) {
        reason = error.message;
        return;
      }
      // Without a repetition, the machine may be to blame.
      if (isShrinking && error instanceof OutOfTime && !(first instanceof OutOfTime)) return;
      if (!isShrinking) {
        first = error;
        conclusive++;
        const isEnd = error instanceof CannotRun || error instanceof Hung || isEnded(options);
        shrinkEnd = performance.now() + (isEnd ? 0 : shrinkTimeMs);
      }
      throw error;
    }
  };
  const { seed, path } = options;
  const outcome = await rule.search(tryInput, { runs: options.runs, seed, path });

  const found = { runs: outcome.runs, conclusive, ...(repeated > 0 && { repeated }) };
  if (outcome.failure) {
    const { error, path, shrinks } = outcome.failure;
    options.signal?.throwIfAborted();
    if (error instanceof CannotRun) throw error;
    const verdict = error instanceof OutOfTime ? "hung" : "broken";
    const because = error instanceof Violation && error.because !== id ? error.because : undefined;
    const place = { seed, path, foundAfter: outcome.runs, shrinks };
    const failure = { ...descriptionOf(error), ...place };
    return { ...info, verdict, ...found, failure, ...(because !== undefined && { because }) };
  }
  if (conclusive === 0) return { ...info, verdict: "not seen", reason, ...found };
  return { ...info, verdict: "kept", ...found };
}

function infoOf({ id, side, level, title, cites, evidence }: RuleInfo): RuleInfo {
  return { id, side, level, title, cites, ...(evidence !== undefined && { evidence }) };
}

/** The result of a rule for which others have given enough evidence. */
function notTried(rule: RuleInfo): RuleResult {
  return { ...infoOf(rule), verdict: "not seen", runs: 0, conclusive: 0 };
}

function isEnded({ signal }: RunOptions): boolean {
  return signal?.aborted ?? false;
}

/** How much longer than its plain pull a subject's checks may take: they make up to ten pulls. */
const PULLS_PER_CHECK = 20;

/** A repeated check gets at least this many times as long. */
const PATIENCE = 2;

/**
 * Checks one input. If it runs out of time, it is repeated alone, with a limit derived from how long a plain
 * pull takes now. Returns whether there was evidence.
 */
async function patiently(
  check: (run: CheckRun) => Promise<void>,
  { checkTimeoutMs = DEFAULT_CHECK_TIMEOUT_MS, signal }: RunOptions,
  repeat: (() => Promise<number | undefined>) | undefined,
): Promise<boolean> {
  try {
    return await attempt(check, { limitMs: checkTimeoutMs, graceMs: 0, signal });
  } catch (error) {
    if (!(error instanceof OutOfTime) || repeat === undefined) throw error;
    const pullMs = await repeat();
    if (pullMs === undefined) throw error;
    const graceMs = Math.max(PATIENCE * error.limitMs, PULLS_PER_CHECK * pullMs);
    const limitMs = Math.max(PATIENCE * checkTimeoutMs, graceMs);
    return await attempt(check, { limitMs, graceMs, signal });
  }
}

interface Limits {
  readonly limitMs: number;
  readonly graceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A check that has not ended in time. */
class Hung extends OutOfTime {}

/**
 * Runs a check within its time limit, and aborts its signal at the end, so that nothing stays open. Returns
 * whether there was evidence.
 */
export async function attempt(
  check: (run: CheckRun) => Promise<void>,
  { limitMs, graceMs, signal }: Limits,
): Promise<boolean> {
  const controller = new AbortController();
  let hasSeen = false;
  let awaited = "the check to end";
  let exchanges: () => readonly Exchange[] = () => [];
  const run: CheckRun = {
    signal: controller.signal,
    graceMs,
    saw: () => hasSeen = true,
    awaits: (what, soFar) => [awaited, exchanges] = [what, soFar],
  };
  let interrupt!: (reason: unknown) => void;
  const interrupted = new Promise<never>((_, reject) => interrupt = reject);
  const timer = setTimeout(() => interrupt(new Hung(awaited, limitMs, exchanges())), limitMs);
  const stop = () => interrupt(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    await Promise.race([check(run), interrupted]);
    return hasSeen;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    controller.abort();
  }
}

function descriptionOf(error: unknown): Pick<Failure, "expected" | "seen" | "exchanges"> {
  if (error instanceof Violation) {
    const { expected, seen, exchanges } = error;
    return { expected, seen, exchanges };
  }
  return { expected: "no unexpected error", seen: String(error), exchanges: [] };
}

/** Globals that identify a runtime. */
interface Versions {
  Deno?: { version: { deno: string } };
  Bun?: { version: string };
  process?: { versions?: { node?: string } };
  navigator?: { userAgent?: string };
}

/** The name of this runtime, with its version. */
export function runtimeName(): string {
  const { Deno, Bun, process, navigator } = globalThis as Versions;
  if (Deno) return `Deno ${Deno.version.deno}`;
  if (Bun) return `Bun ${Bun.version}`;
  if (navigator?.userAgent === "Cloudflare-Workers") return "Workers";
  if (process?.versions?.node) return `Node ${process.versions.node}`;
  const [browser] = navigator?.userAgent?.match(/(?:Chrome|Firefox|Version)\/\S+/) ?? [];
  // What Safari puts after its own name has not changed for years.
  return browser?.replace("Version", "Safari").replace("/", " ") ?? "unknown";
}
