/**
 * Rules: a statement about servers or clients, its source, and a property that checks it.
 *
 * @module
 */

import fc from "fast-check";
import type { Exchange } from "./exchange.ts";
import type { Arbitrary } from "./generators/mod.ts";

/** Which side of the protocol a rule is about. */
export type Side = "server" | "client";

/**
 * How important a rule is: `must` (required by the spec or by HTTP), `should` (robust practice) or `observed`
 * (what the reference server does).
 */
export type Level = "must" | "should" | "observed";

/** What a rule says. */
export interface RuleInfo {
  /** Its id, which never changes: side, section and number, as in `S-SEQ-1`. */
  readonly id: string;
  /** Which side it is about. */
  readonly side: Side;
  /** How important it is. */
  readonly level: Level;
  /** The requirement, as a sentence. */
  readonly title: string;
  /** Its source: a quoted sentence of the spec, an observation, or the reason for a practice. */
  readonly cites: string;
  /**
   * What an input must have shown for its result to mean anything, such as `a download in progress`. A check
   * reports it with {@link CheckRun.saw}. Without `evidence`, every completed check counts.
   */
  readonly evidence?: string | undefined;
}

/** A rule about some type of subject. */
export interface Rule<Subject> extends RuleInfo {
  /** Why the rule does not apply to this subject, or `undefined` if it applies. */
  readonly skips?: ((subject: Subject) => string | undefined) | undefined;
  /** About how many pulls of a model that is not yet on disk it makes to try a number of inputs. */
  readonly countPulls?: ((runs: number) => number) | undefined;
  /** Looks for an input that breaks the rule. */
  readonly search: (
    tryInput: TryInput<Subject>,
    parameters: SearchParameters,
  ) => Promise<SearchOutcome>;
}

/** Checks a subject with an input. Throws a {@link Violation} if the subject breaks the rule. */
export type Check<Subject> = (subject: Subject, run: CheckRun) => Promise<void>;

/** Tries an input with a given check. */
export type TryInput<Subject> = (check: Check<Subject>) => Promise<void>;

/** How to search for an input that breaks a rule. */
export interface SearchParameters {
  /** How many random inputs to try. */
  readonly runs: number;
  /** The seed of the random inputs. */
  readonly seed: number;
  /** The path of an earlier failure, to try first. */
  readonly path?: string | undefined;
}

/** What a check gets besides the input. */
export interface CheckRun {
  /** Aborts when the check takes too long, or its result is no longer needed. */
  readonly signal: AbortSignal;
  /** Reports that the input gave the evidence that the rule requires. */
  readonly saw: () => void;
  /** Names what the check is waiting for from now on, for the error if it does not happen in time. */
  readonly awaits: (what: string, exchanges: () => readonly Exchange[]) => void;
  /**
   * The least time to wait for something that should happen soon, in milliseconds. It is 0 at first. When a
   * check is repeated because its time ran out, it is long for this subject.
   */
  readonly graceMs: number;
}

/** The result of the search for an input that breaks a rule. */
export interface SearchOutcome {
  /** How many inputs were tried. */
  readonly runs: number;
  /** The smallest input that breaks the rule, if any: its path, and the error it caused. */
  readonly failure?: { readonly path: string; readonly shrinks: number; readonly error: unknown };
}

/** A rule whose check knows the type of its inputs. */
export interface TypedRule<Subject, Input> extends Omit<Rule<Subject>, "search" | "countPulls"> {
  /** Fixed inputs, which are tried first and in every run. @default none */
  readonly decisive?: readonly Input[] | undefined;
  /** Random inputs; they shrink towards the simplest. */
  readonly inputs: Arbitrary<Input>;
  /** The most random inputs worth trying. More would find nothing new. */
  readonly maxRuns?: number | undefined;
  /** About how many pulls of a model that is not yet on disk an input makes. @default {1} */
  readonly pulls?: number | undefined;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: Input, run: CheckRun) => Promise<void>;
}

/** Creates a rule with any type of input. */
export function rule<Subject, Input>(
  { decisive = [], inputs, maxRuns = Infinity, pulls = 1, check, ...rest }: TypedRule<
    Subject,
    Input
  >,
): Rule<Subject> {
  const countInputs = (runs: number) =>
    Math.max(decisive.length, Math.min(decisive.length + runs, maxRuns));
  return {
    ...rest,
    countPulls: (runs) => pulls * countInputs(runs),
    async search(tryInput, { runs, seed, path }) {
      const property = fc.asyncProperty(
        inputs,
        (input) => tryInput((subject, run) => check(subject, input, run)),
      );
      const { failed, numRuns, numShrinks, counterexamplePath, errorInstance } = await fc.check(
        property,
        {
          examples: decisive.map((input) => [input]),
          numRuns: countInputs(runs),
          seed,
          ...(path !== undefined && { path }),
        },
      );
      if (!failed) return { runs: numRuns };
      const failure = { path: counterexamplePath ?? "", shrinks: numShrinks, error: errorInstance };
      return { runs: numRuns, failure };
    },
  };
}

/** The error for a broken rule. */
export class Violation extends Error {
  /** Always `"Violation"`. */
  override readonly name = "Violation";
  /** What the rule requires. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** The requests and answers. */
  readonly exchanges: readonly Exchange[];
  /** The rule that is broken first, if this one is broken only because of it. */
  readonly because: string | undefined;

  /**
   * Describes how a rule is broken.
   *
   * @param expected What the rule requires.
   * @param seen What was seen instead.
   * @param exchanges The requests and answers.
   * @param because The id of the rule that is broken first, if this one is broken only because of it.
   */
  constructor(expected: string, seen: string, exchanges: readonly Exchange[], because?: string) {
    super(`Expected ${expected}, saw ${seen}`);
    this.expected = expected;
    this.seen = seen;
    this.exchanges = exchanges;
    this.because = because;
  }
}

/**
 * Something did not happen in time. The machine may be to blame, so the check is repeated alone, with a
 * longer limit, before it counts.
 */
export class OutOfTime extends Violation {
  /** How long the check waited, in milliseconds. */
  readonly limitMs: number;

  /**
   * Describes what did not happen.
   *
   * @param awaited What the check waited for, such as `the client to end`.
   * @param limitMs How long it waited, in milliseconds.
   * @param exchanges The requests and answers.
   */
  constructor(awaited: string, limitMs: number, exchanges: readonly Exchange[]) {
    super(`${awaited} within ${inSeconds(limitMs)}`, "it had not happened by then", exchanges);
    this.limitMs = limitMs;
  }
}

/** A time in seconds, as in `0.02 s`. */
export function inSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toPrecision(2))} s`;
}

/** An input cannot show whether the rule holds, because something else interfered. */
export class Inconclusive extends Error {
  /** Always `"Inconclusive"`. */
  override readonly name = "Inconclusive";
}

/** The suite cannot run at all: the command does not exist, or no server answers at the address. */
export class CannotRun extends Error {
  /** Always `"CannotRun"`. */
  override readonly name = "CannotRun";
}
