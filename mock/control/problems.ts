/**
 * What is wrong with JSON that was given, each problem with its place.
 *
 * @module
 */

import type { z } from "zod";
import type { ConfigurationError } from "../configuration_error.ts";

type Issue = z.core.$ZodIssue;

/** Something that is wrong. */
export interface Problem {
  /** Where: `faults[0].times`. Empty for the whole. */
  readonly place: string;
  /** What is wrong, and what is possible. */
  readonly message: string;
}

/** What is wrong, in one line. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ place, message }) => place ? `${place}: ${message}` : message).join("; ");
}

/** What a configuration error says. */
export function problemOf({ place = "", message }: ConfigurationError): Problem {
  return { place, message };
}

/**
 * What a schema finds wrong.
 *
 * @param issues What it found.
 * @param root The name of the whole, if it has one: `fault`.
 */
export function problemsOf(issues: readonly Issue[], root = ""): readonly Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, root));
}

function problemsOfIssue(issue: Issue, root: string): readonly Problem[] {
  const path = [...issue.path];
  if (issue.code === "invalid_union") return problemsOfUnion(issue, root);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      place: placeOf(root, [...path, key]),
      message: issue.message,
    }));
  }
  return [{ place: placeOf(root, path), message: issue.message }];
}

/**
 * A union fits none of its forms: the one that was meant is the one whose type fits. Where none does, all
 * types are named.
 */
function problemsOfUnion(
  issue: Extract<Issue, { code: "invalid_union" }>,
  root: string,
): readonly Problem[] {
  const isOfOtherType = ([first]: readonly Issue[]) =>
    first?.code === "invalid_type" && first.path.length === 0;
  const place = placeOf(root, [...issue.path]);
  const meant = issue.errors.find((issues) => !isOfOtherType(issues));
  if (meant) return problemsOf(meant, place);
  const types = issue.errors.flatMap(([first]) =>
    first?.code === "invalid_type" ? [first.expected] : []
  );
  if (types.length === 0) return [{ place, message: issue.message }];
  return [{ place, message: `Invalid input: expected ${[...new Set(types)].join(" or ")}` }];
}

/** A place as JavaScript writes it: `models[0].size`. */
function placeOf(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((place, key) => {
    if (typeof key === "number") return `${place}[${key}]`;
    return place === "" ? String(key) : `${place}.${String(key)}`;
  }, root);
}

/** Says what has failed. */
export function answerFailure(
  error: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error }, { status, headers });
}

/** Says what is wrong with a request. */
export function answerProblems(problems: readonly Problem[]): Response {
  return Response.json({ error: describeProblems(problems), problems }, { status: 400 });
}
