/**
 * Finds out from the runtime's errors why a request or a connection failed.
 *
 * @module
 */

import { type Cause, causeOfFailure } from "../causes.ts";

/** Why a request failed. */
export interface Diagnosis extends Cause {
  /** The message of the innermost error. The outer ones only say that a fetch failed. */
  readonly words: string;
}

/** Finds out why a request or a connection failed. */
export function diagnose(error: unknown): Diagnosis {
  const errors = [...causesOf(error)];
  return { ...causeOfFailure(errors.map(identify).join("\n")), words: describe(errors.at(-1)) };
}

/** An error and its chain of causes, which may be a cycle. */
function causesOf(error: unknown): Set<unknown> {
  const causes = new Set<unknown>();
  let next: unknown = error;
  do {
    causes.add(next);
    next = next instanceof Error ? next.cause ?? firstOf(next) : undefined;
  } while (next !== undefined && next !== null && !causes.has(next));
  return causes;
}

/** The first of several causes, as when a host has several addresses. */
function firstOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : undefined;
}

/** Everything that may identify an error. */
function identify(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name} ${codeOf(error)} ${error.message}`;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || codeOf(error) || error.name;
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
