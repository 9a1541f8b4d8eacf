/**
 * Finds the regular expressions in code, and those that some text can make slow.
 *
 *     code ── parser of `deno lint` ──▶ FoundExpression ── recheck ──▶ problem or none
 *
 * An expression is slow if the time for a match can grow faster than linearly: exponentially, as
 * for `^(a+)+$`, or polynomially, as for `a+$`, which is tried again from each `a`.
 *
 * @module
 */

import { check } from "recheck";

/** A regular expression in code. */
export interface FoundExpression {
  /** Its source code. */
  readonly code: string;
  /** Its pattern, or `undefined` if that is known only when the code runs. */
  readonly pattern: string | undefined;
  /** Its flags, or `undefined` if they are known only when the code runs. */
  readonly flags: string | undefined;
}

/** How long to check one expression: enough for a slow machine. Most take a few milliseconds. */
const TIMEOUT_MS = 60_000;

/** The regular expressions in TypeScript: literals, and calls of `RegExp`. Works in `deno test` only. */
export function findExpressions(code: string): FoundExpression[] {
  const found: FoundExpression[] = [];

  function addLiteral(node: Deno.lint.Literal): void {
    const { regex } = node as Partial<Deno.lint.RegExpLiteral>;
    if (regex) found.push({ code: node.raw, ...regex });
  }

  function addCall(node: Deno.lint.CallExpression | Deno.lint.NewExpression): void {
    if (!isRegExp(node.callee)) return;
    const [pattern, flags] = node.arguments;
    found.push({
      code: code.slice(...node.range),
      pattern: textOf(pattern),
      flags: flags === undefined ? "" : textOf(flags),
    });
  }

  const visitor = { Literal: addLiteral, CallExpression: addCall, NewExpression: addCall };
  const rules = { find: { create: () => visitor } };
  Deno.lint.runPlugin({ name: "regular-expressions", rules }, "code.ts", code);
  return found;
}

/** Whether a call creates a regular expression: a call of `RegExp` or `globalThis.RegExp`. */
function isRegExp(callee: Deno.lint.Expression): boolean {
  const name = callee.type === "MemberExpression" ? callee.property : callee;
  return name.type === "Identifier" && name.name === "RegExp";
}

/** The text of a node, if it is constant: a literal, or a template without `${…}`. */
function textOf(node: Deno.lint.Node | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.cooked;
}

/** Why an expression may be slow, or `undefined` if no text can make it slow. */
export async function problemOf(
  { pattern, flags }: FoundExpression,
): Promise<string | undefined> {
  if (pattern === undefined || flags === undefined) return "is known only when the code runs";
  const verdict = await check(pattern, flags, { timeout: TIMEOUT_MS });
  if (verdict.status === "safe") return undefined;
  if (verdict.status === "unknown") return `cannot be checked: ${JSON.stringify(verdict.error)}`;
  return `is ${verdict.complexity.summary} for ${verdict.attack.pattern}`;
}
