/**
 * Runs the rules of a suite against a subject, and reports the results.
 *
 * @module
 */

import fc from "fast-check";
import { quote } from "../src/text.ts";
import type { Failure, Report, RuleResult, SubjectInfo } from "./report.ts";
import { CannotRun, Inconclusive, type Level, type Rule, type Side, Violation } from "./rule.ts";

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
   * How long the check of one input may take, in milliseconds, before it counts as hung.
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

/** A check that did not end in time. */
class Hung extends Error {
  override readonly name = "Hung";
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

/** Runs the rules of a suite one after another. */
export async function runSuite<Subject>(
  side: Side,
  suite: readonly Rule<Subject>[],
  subject: Subject & SubjectInfo,
  options: RunOptions = {},
): Promise<Report> {
  const { runs = DEFAULT_RUNS, seed = randomSeed() } = options;
  const results: RuleResult[] = [];
  for (const rule of selectRules(suite, options)) {
    options.signal?.throwIfAborted();
    options.onRule?.(rule);
    const result = await runRule(rule, subject, { ...options, runs, seed });
    results.push(result);
    options.onResult?.(result);
  }
  const { name, version } = subject;
  return {
    format: 1,
    side,
    subject: version === undefined ? { name } : { name, version },
    runtime: runtimeName(),
    runs,
    seed,
    results,
  };
}

/** Runs one rule. */
export async function runRule<Subject>(
  rule: Rule<Subject>,
  subject: Subject,
  options: RunOptions & { runs: number; seed: number },
): Promise<RuleResult> {
  const { id, side, level, title, cites } = rule;
  const info = { id, side, level, title, cites };
  const skipped = rule.skips?.(subject);
  if (skipped !== undefined) return { ...info, verdict: "skipped", reason: skipped, runs: 0 };

  const { shrinkTimeMs = DEFAULT_SHRINK_TIME_MS } = options;
  let inconclusive: Inconclusive | undefined;
  let conclusive = 0;
  let shrinkEnd = Infinity;
  const property = fc.asyncProperty(rule.inputs, async (input) => {
    if (performance.now() >= shrinkEnd) return; // out of time: a success stops the search for smaller inputs
    try {
      await withTimeout(options, (signal) => rule.check(subject, input, { signal }));
      conclusive++;
    } catch (error) {
      if (!(error instanceof Inconclusive)) {
        const isBroken = !(error instanceof CannotRun || error instanceof Hung || isEnded(options));
        shrinkEnd = Math.min(shrinkEnd, performance.now() + (isBroken ? shrinkTimeMs : 0));
        throw error;
      }
      inconclusive = error;
    }
  });
  const numRuns = Math.min(options.runs, rule.maxRuns ?? options.runs);
  const { seed, path } = options;
  const details = await fc.check(property, { numRuns, seed, ...(path !== undefined && { path }) });

  if (details.failed) {
    const error = details.errorInstance;
    options.signal?.throwIfAborted();
    if (error instanceof CannotRun) throw error;
    if (error instanceof Hung) {
      return { ...info, verdict: "hung", reason: error.message, runs: details.numRuns };
    }
    const failure = failureOf(error, details);
    return { ...info, verdict: "broken", runs: details.numRuns, failure };
  }
  if (conclusive === 0 && inconclusive) {
    return { ...info, verdict: "skipped", reason: inconclusive.message, runs: details.numRuns };
  }
  return { ...info, verdict: "kept", runs: details.numRuns };
}

function isEnded({ signal }: RunOptions): boolean {
  return signal?.aborted ?? false;
}

/** Runs a check within its time limit, and aborts its signal at the end, so that nothing is left open. */
async function withTimeout(
  { checkTimeoutMs = DEFAULT_CHECK_TIMEOUT_MS, signal }: RunOptions,
  check: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  let interrupt!: (reason: unknown) => void;
  const interrupted = new Promise<never>((_, reject) => interrupt = reject);
  const timer = setTimeout(() => {
    interrupt(new Hung(`The check did not end within ${checkTimeoutMs / 1000} s`));
  }, checkTimeoutMs);
  const stop = () => interrupt(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    await Promise.race([check(controller.signal), interrupted]);
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
