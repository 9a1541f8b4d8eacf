/**
 * Runs the rules of a suite against a subject, and reports the results.
 *
 * @module
 */

import fc from "fast-check";
import { quote } from "../src/text.ts";
import type { Exchange } from "./exchange.ts";
import {
  type Failure,
  isBroken,
  type Report,
  type RuleResult,
  type SubjectInfo,
} from "./report.ts";
import {
  CannotRun,
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

/** Runs the rules of a suite one after another, after a plain pull that shows whether there is a subject. */
export async function runSuite<Subject>(
  side: Side,
  suite: readonly Rule<Subject>[],
  subject: Subject & SubjectInfo,
  options: RunOptions = {},
  plainPull?: PlainPull<Subject>,
): Promise<Report> {
  const { runs = DEFAULT_RUNS, seed = randomSeed() } = options;
  const rules = selectRules(suite, options);
  const measure = plainPull && (() => measurePull(plainPull, subject, options));
  const isSlow = measure !== undefined && await measure() === undefined;
  const results: RuleResult[] = [];
  for (const rule of rules) {
    options.signal?.throwIfAborted();
    options.onRule?.(rule);
    // A subject that does not even end a plain pull gets no second try at each rule.
    const again = isSlow ? NO_SECOND_TRY : measure;
    const result = await runRule(rule, subject, { ...options, runs, seed, measure: again });
    results.push(result);
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
    results: withoutWrongCauses(results),
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
  const property = fc.asyncProperty(rule.inputs, async (input) => {
    if (performance.now() >= shrinkEnd) return; // a success stops the search for smaller inputs
    const isShrinking = first !== undefined;
    const repeat = async () => {
      repeated++;
      return await (options.measure?.() ?? 0);
    };
    try {
      const check = (run: CheckRun) => rule.check(subject, input, run);
      const hasSeen = await patiently(check, options, isShrinking ? undefined : repeat);
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
  });
  const numRuns = Math.min(options.runs, rule.maxRuns ?? options.runs);
  const { seed, path } = options;
  const details = await fc.check(property, { numRuns, seed, ...(path !== undefined && { path }) });

  const found = { runs: details.numRuns, conclusive, ...(repeated > 0 && { repeated }) };
  if (details.failed) {
    const error = details.errorInstance;
    options.signal?.throwIfAborted();
    if (error instanceof CannotRun) throw error;
    const verdict = error instanceof OutOfTime ? "hung" : "broken";
    const because = error instanceof Violation && error.because !== id ? error.because : undefined;
    const failure = failureOf(error, details);
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

function failureOf(error: unknown, details: fc.RunDetails<[input: unknown]>): Failure {
  const violation = error instanceof Violation ? error : undefined;
  return {
    expected: violation?.expected ?? "no unexpected error",
    seen: violation?.seen ?? String(error),
    exchanges: violation?.exchanges ?? [],
    seed: details.seed,
    path: details.counterexamplePath ?? "",
    foundAfter: details.numRuns,
    shrinks: details.numShrinks,
  };
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
