/**
 * Rules: a statement about servers or clients, its source, and a property that checks whether it holds.
 *
 * @module
 */

import fc from "fast-check";
import type { Exchange } from "./exchange.ts";
import type { Arbitrary } from "./generators/mod.ts";

/** Which side of the protocol a rule is about. */
export type Side = "server" | "client";

/**
 * How much a rule weighs: `must` (the spec says so, or HTTP), `should` (robust practice) or `observed`
 * (the reference implementation does so).
 */
export type Level = "must" | "should" | "observed";

/** What a rule says. */
export interface RuleInfo {
  /** Its id, which never changes: side, section, number, as in `S-SEQ-1`. */
  readonly id: string;
  /** Which side it is about. */
  readonly side: Side;
  /** How much it weighs. */
  readonly level: Level;
  /** What holds, as a sentence. */
  readonly title: string;
  /** Its source: a sentence of the spec in quotes, an observation, or the reason for a practice. */
  readonly cites: string;
  /**
   * What an input must have shown for its result to mean anything, as in `a download in progress`. A
   * check says that it did by {@link CheckRun.saw}. Without `evidence`, every check that ends counts.
   */
  readonly evidence?: string | undefined;
}

/** A rule about subjects of some type. */
export interface Rule<Subject> extends RuleInfo {
  /** Why the rule does not apply to this subject, or `undefined` if it applies. */
  readonly skips?: ((subject: Subject) => string | undefined) | undefined;
  /** About how many pulls it makes to try so many inputs, none of which is there already. */
  readonly countPulls?: ((runs: number) => number) | undefined;
  /** Looks for an input that breaks the rule. */
  readonly search: (
    tryInput: TryInput<Subject>,
    parameters: SearchParameters,
  ) => Promise<SearchOutcome>;
}

/** Checks a subject with some input. Throws a {@link Violation} if the subject breaks the rule for it. */
export type Check<Subject> = (subject: Subject, run: CheckRun) => Promise<void>;

/** Tries an input, given the check of it. */
export type TryInput<Subject> = (check: Check<Subject>) => Promise<void>;

/** How to look for an input that breaks a rule. */
export interface SearchParameters {
  /** How many inputs to try that are drawn by chance. */
  readonly runs: number;
  /** The seed of these. */
  readonly seed: number;
  /** Where a failure was found before: it is tried first. */
  readonly path?: string | undefined;
}

/** What a check gets besides the input. */
export interface CheckRun {
  /** Aborts when the check takes too long, or its result is not needed any more. */
  readonly signal: AbortSignal;
  /** Says that the input has shown the evidence that the rule asks for. */
  readonly saw: () => void;
  /** Says what the check waits for from now on, for the case that it does not come in time. */
  readonly awaits: (what: string, exchanges: () => readonly Exchange[]) => void;
  /**
   * How long something that should come soon may take at least, in milliseconds. It is 0 until a check
   * is repeated because its time ran out, and then long for the subject at hand.
   */
  readonly graceMs: number;
}

/** What came of the search for an input that breaks a rule. */
export interface SearchOutcome {
  /** How many inputs were tried. */
  readonly runs: number;
  /** The smallest input that breaks it, if one does: its path, and what was thrown for it. */
  readonly failure?: { readonly path: string; readonly shrinks: number; readonly error: unknown };
}

/** A rule whose check knows the type of its inputs. */
export interface TypedRule<Subject, Input> extends Omit<Rule<Subject>, "search" | "countPulls"> {
  /** The inputs that decide the rule: they are tried in every run, and before all others. @default none */
  readonly decisive?: readonly Input[] | undefined;
  /** The inputs to draw from by chance, the simplest first. */
  readonly inputs: Arbitrary<Input>;
  /** The most inputs that are worth trying. More would find nothing new. */
  readonly maxRuns?: number | undefined;
  /** About how many pulls an input takes of what is not there already. @default {1} */
  readonly pulls?: number | undefined;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: Input, run: CheckRun) => Promise<void>;
}

/** Makes a rule with inputs of any type. */
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

/** A rule is broken. */
export class Violation extends Error {
  /** Always `"Violation"`. */
  override readonly name = "Violation";
  /** What the rule asks for. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** What went over the wire. */
  readonly exchanges: readonly Exchange[];
  /** The rule whose breach alone leads to this one, if there is one. */
  readonly because: string | undefined;

  /**
   * Describes how a rule is broken.
   *
   * @param expected What the rule asks for.
   * @param seen What was seen instead.
   * @param exchanges What went over the wire.
   * @param because The id of the rule whose breach alone leads to this one.
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
 * Something has not come in time. That may be due to the machine: the check is repeated alone, with a
 * longer limit, before it counts.
 */
export class OutOfTime extends Violation {
  /** How long it was waited for, in milliseconds. */
  readonly limitMs: number;

  /**
   * Describes what has not come.
   *
   * @param awaited What was waited for, as in `the client to end`.
   * @param limitMs How long it was waited for, in milliseconds.
   * @param exchanges What went over the wire.
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

/** An input cannot show whether the rule holds, because something else got in the way. */
export class Inconclusive extends Error {
  /** Always `"Inconclusive"`. */
  override readonly name = "Inconclusive";
}

/** The suite cannot run at all: the command is not found, or no server answers at the address. */
export class CannotRun extends Error {
  /** Always `"CannotRun"`. */
  override readonly name = "CannotRun";
}
