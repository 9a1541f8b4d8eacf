/**
 * Rules: a statement about servers or clients, its source, and a property that checks whether it holds.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";
import type { Arbitrary } from "./generators/mod.ts";

/** Which side of the protocol a rule is about. */
export type Side = "server" | "client";

/**
 * How much a rule weighs: `must` (the spec says so), `should` (robust practice) or `observed` (the
 * reference implementation does so).
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
  readonly skips?: (subject: Subject) => string | undefined;
  /** The inputs to try, the simplest first. */
  readonly inputs: Arbitrary<unknown>;
  /** The most inputs that are worth trying. More would find nothing new. */
  readonly maxRuns?: number | undefined;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: unknown, run: CheckRun) => Promise<void>;
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

/** A rule whose check knows the type of its inputs. */
export interface TypedRule<Subject, Input> extends Omit<Rule<Subject>, "inputs" | "check"> {
  /** The inputs to try, the simplest first. */
  readonly inputs: Arbitrary<Input>;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: Input, run: CheckRun) => Promise<void>;
}

/** Makes a rule with inputs of any type. */
export function rule<Subject, Input>(typed: TypedRule<Subject, Input>): Rule<Subject> {
  return typed as unknown as Rule<Subject>;
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
