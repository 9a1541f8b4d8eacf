/**
 * What a rule is: a statement about servers or clients, where it comes from, and a property that tells
 * whether it holds.
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
  /** Its name, which never changes: side, section, number, as in `S-SEQ-1`. */
  readonly id: string;
  /** Which side it is about. */
  readonly side: Side;
  /** How much it weighs. */
  readonly level: Level;
  /** What holds, as a sentence. */
  readonly title: string;
  /** The sentence that it rests on: of the spec, in quotes, or what was observed, or why it is good. */
  readonly cites: string;
}

/** A rule about subjects of some type. */
export interface Rule<Subject> extends RuleInfo {
  /** Why the rule says nothing about a subject, or `undefined` if it does. */
  readonly skips?: (subject: Subject) => string | undefined;
  /** The inputs to try, the simplest first. */
  readonly inputs: Arbitrary<unknown>;
  /** The most inputs that are worth trying; the rest says nothing new. */
  readonly maxRuns?: number | undefined;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: unknown, run: CheckRun) => Promise<void>;
}

/** What a check is given besides the input. */
export interface CheckRun {
  /** Aborts when the check has taken too long, or is not needed any more. */
  readonly signal: AbortSignal;
}

/** A rule whose check knows the type of its inputs. */
export interface TypedRule<Subject, Input> extends Omit<Rule<Subject>, "inputs" | "check"> {
  /** The inputs to try, the simplest first. */
  readonly inputs: Arbitrary<Input>;
  /** Throws a {@link Violation} if the subject breaks the rule for an input. */
  readonly check: (subject: Subject, input: Input, run: CheckRun) => Promise<void>;
}

/** Makes a rule, whatever the type of its inputs. */
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

  /**
   * Says how a rule is broken.
   *
   * @param expected What the rule asks for.
   * @param seen What was seen instead.
   * @param exchanges What went over the wire.
   */
  constructor(expected: string, seen: string, exchanges: readonly Exchange[]) {
    super(`Expected ${expected}, saw ${seen}`);
    this.expected = expected;
    this.seen = seen;
    this.exchanges = exchanges;
  }
}

/** An input says nothing about the rule, because something else got in the way. */
export class Inconclusive extends Error {
  /** Always `"Inconclusive"`. */
  override readonly name = "Inconclusive";
}

/** The suite cannot be run at all: the command is not found, or nobody is at the address. */
export class CannotRun extends Error {
  /** Always `"CannotRun"`. */
  override readonly name = "CannotRun";
}
