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
  type Side,
  Violation,
} from "./rule.ts";

/** Options of a run. */
export interface RunOptions {
  /**
   * The rules to run, by id or by section: `S-SEQ` stands for `S-SEQ-1` and all that follow.
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
   * How many inputs to try per rule. More inputs find rarer faults, and take proportionally longer: with
   * 100, the rules for servers take about 5 s against the mock, and those for clients 3 s in process and
   * 20 s over the network. Of the broken implementations in this package's own tests, 2 inputs find nine
   * out of ten, and 30 find all. Slow subjects, such as commands, have a lower default.
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
  /** Tries one input only: the `path` of a failure. Needs its `seed` and one rule. */
  path?: string | undefined;
  /**
   * How long the check of one input may take, in milliseconds. One that takes longer is repeated alone,
   * with a limit that follows from how long a plain pull of the subject takes, before it counts as hung.
   *
   * @default {10000}
   */
  checkTimeoutMs?: number | undefined;
  /**
   * How long to look for a smaller counterexample per rule, in milliseconds.
   *
   * @default {10000}
   */
  shrinkTimeMs?: number | undefined;
  /** Called with each result as it is found. */
  onResult?: ((result: RuleResult) => void) | undefined;
  /** Called before each rule is run. */
  onRule?: ((rule: { id: string; title: string }) => void) | undefined;
  /** Ends the run when it aborts. */
  signal?: AbortSignal | undefined;
}

/** How many inputs are tried per rule by default. */
export const DEFAULT_RUNS = 100;
const DEFAULT_CHECK_TIMEOUT_MS = 10_000;
const DEFAULT_SHRINK_TIME_MS = 10_000;

/** A seed, if none is given. */
export function randomSeed(): number {
  return Math.trunc(Math.random() * 2 ** 31);
}

/** The rules of a suite that the options ask for. */
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

/** Makes one plain pull of a subject. Throws a {@link CannotRun} if it cannot be tested at all. */
export type PlainPull<Subject> = (subject: Subject, run: CheckRun) => Promise<void>;

/** The rules for one side, and how to look for breaches of them. */
export interface Suite<Subject> {
  /** The side. */
  readonly side: Side;
  /** The rules, in the order of reports. */
  readonly rules: readonly Rule<Subject>[];
  /** Makes one plain pull, which shows whether there is a subject. */
  readonly plainPull?: PlainPull<Subject> | undefined;
  /** Has what goes over the wire watched, whichever rule is tried. */
  readonly watch?: ((subject: Subject, watch: Watch) => Subject) | undefined;
  /** The ids of the rules of which that tells: they are tried after the others. */
  readonly watched?: ReadonlySet<string> | undefined;
  /** Walks through the states of the subject before the rules are tried. */
  readonly walk?: ((subject: Subject, walk: Walk) => Promise<void>) | undefined;
}

/** What a watcher needs to know. */
export interface Watch {
  /** Where it puts what it finds. */
  readonly findings: Findings;
  /** The id of the rule that is being tried, or `walk`. */
  readonly during: () => string;
}

/** What walks need to know. */
export interface Walk {
  /** Where they put what they find. */
  readonly findings: Findings;
  /** The ids of the rules that were asked for. */
  readonly rules: ReadonlySet<string>;
  /** How many inputs are tried per rule. */
  readonly runs: number;
  /** The seed of the walks. */
  readonly seed: number;
  /** How long a plain pull takes, in milliseconds. */
  readonly pullMs: number;
  /** How long one walk may take, in milliseconds. */
  readonly checkTimeoutMs: number;
  /** How long to look for a shorter walk, in milliseconds. */
  readonly shrinkTimeMs: number;
  /** Ends the walks when it aborts. */
  readonly signal: AbortSignal | undefined;
}

/** Runs a suite against a subject, after a plain pull that shows whether there is one. */
export async function runSuite<Subject>(
  suite: Suite<Subject>,
  subject: Subject & SubjectInfo,
  options: RunOptions = {},
): Promise<Report> {
  const { runs = DEFAULT_RUNS, seed = randomSeed() } = options;
  const { side, plainPull, watched } = suite;
  const rules = selectRules(suite.rules, options);
  const findings = new Findings();
  let during = "";
  const watchedSubject = suite.watch?.(subject, { findings, during: () => during }) ?? subject;
  const measure = plainPull && (() => measurePull(plainPull, watchedSubject, options));
  const pullMs = measure ? await measure() : 0;
  if (suite.walk && pullMs !== undefined) {
    during = "walk";
    const { checkTimeoutMs = DEFAULT_CHECK_TIMEOUT_MS, shrinkTimeMs = DEFAULT_SHRINK_TIME_MS } =
      options;
    const limits = { pullMs, checkTimeoutMs, shrinkTimeMs, signal: options.signal };
    const ids = new Set(rules.map(({ id }) => id));
    await suite.walk(watchedSubject, { findings, rules: ids, runs, seed, ...limits });
  }
  const found = new Map<string, RuleResult>();
  for (const rule of inOrder(rules, watched)) {
    options.signal?.throwIfAborted();
    options.onRule?.(rule);
    during = rule.id;
    // A subject that does not even end a plain pull gets no second try at each rule.
    const again = pullMs === undefined ? NO_SECOND_TRY : measure;
    const own = await runRule(rule, watchedSubject, { ...options, runs, seed, measure: again });
    const result = withFindings(own, findings, seed);
    found.set(rule.id, result);
    options.onResult?.(result);
  }
  const { name, version } = subject;
  return {
    format: 2,
    side,
    subject: version === undefined ? { name } : { name, version },
    runtime: runtimeName(),
    runs,
    seed,
    results: withoutWrongCauses(rules.map(({ id }) => found.get(id)!)),
  };
}

/** Rules of which other rules may still show something come last. */
function inOrder<Subject>(
  rules: readonly Rule<Subject>[],
  watched: ReadonlySet<string> = new Set(),
): Rule<Subject>[] {
  return [
    ...rules.filter(({ id }) => !watched.has(id)),
    ...rules.filter(({ id }) => watched.has(id)),
  ];
}

/** A result, with what was found about its rule elsewhere. */
function withFindings(result: RuleResult, findings: Findings, seed: number): RuleResult {
  if (isBroken(result)) return result;
  const { id, runs, conclusive = 0, reason: _, ...info } = result;
  const finding = findings.of(id);
  const seen = { id, runs, conclusive: conclusive + findings.countOf(id) };
  if (finding === undefined) {
    if (result.verdict === "not seen" && seen.conclusive > 0) {
      return { ...info, ...seen, verdict: "kept" };
    }
    return { ...result, ...seen };
  }
  const { violation, during, steps, path = "", foundAfter = 0, shrinks = 0 } = finding;
  const { expected, exchanges, because } = violation;
  return {
    ...info,
    ...seen,
    verdict: violation instanceof OutOfTime ? "hung" : "broken",
    failure: {
      expected,
      seen: violation.seen,
      exchanges,
      seed,
      path,
      foundAfter,
      shrinks,
      during,
      ...(steps !== undefined && { steps }),
    },
    ...(because !== undefined && because !== id && { because }),
  };
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

/** Takes away the causes that turned out to be rules that are not broken. */
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
   * Measures how long a plain pull of the subject takes, in milliseconds, before a check is repeated. If
   * it does not end either, the check is not repeated.
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
  const { id, side, level, title, cites, evidence } = rule;
  const info = { id, side, level, title, cites, ...(evidence !== undefined && { evidence }) };
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
    if (performance.now() >= shrinkEnd) return; // a success stops the search for smaller inputs
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
      // What is not repeated may be due to the machine.
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

function isEnded({ signal }: RunOptions): boolean {
  return signal?.aborted ?? false;
}

/** How much longer the checks of a subject may take than its plain pull: they make up to ten of them. */
const PULLS_PER_CHECK = 20;

/** How many times longer a check may take at least when it is repeated. */
const PATIENCE = 2;

/**
 * Checks one input. What ran out of time is repeated alone, with a limit that follows from how long a
 * plain pull takes at that moment. Returns whether the evidence was seen.
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

/** A check has not ended in time. */
class Hung extends OutOfTime {}

/**
 * Runs a check within its time limit, and aborts its signal at the end, so that nothing is left open.
 * Returns whether the evidence was seen.
 */
async function attempt(
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

/** The globals by which a runtime can be recognized. */
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
  // What Safari writes after its own name has not changed for years.
  return browser?.replace("Version", "Safari").replace("/", " ") ?? "unknown";
}
