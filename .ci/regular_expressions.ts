/**
 * Finds the regular expressions in code, and what may make one take longer than its text is long.
 *
 * The rules are stricter than need be, so that they can be simple. In what keeps them a text is matched
 * in time that grows in proportion to its length:
 *
 * - No repetition without a limit is repeated itself, as in `(a+)+`.
 * - Nothing refers back to what was matched.
 * - After a repetition without a limit comes nothing that could fail, unless the whole begins at a
 *   fixed place (`^`, or the flag `y`): `a+$` would be tried anew from each `a`.
 * - Nothing is repeated without a limit twice in a row, as in `a*a*`.
 *
 * @module
 */

/** A regular expression in code. */
export interface FoundExpression {
  readonly source: string;
  readonly flags: string;
}

/** Comments, texts and templates: what may look like an expression and is none. */
const NOT_CODE = /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/y;

/** An expression, where one may stand. */
const LITERAL =
  /\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*)\/([a-z]*)/y;

/** What a division comes after, and an expression does not. */
const ENDS_A_VALUE = /[\w)\]}]\s*$/;

/** The regular expressions in a file of code. */
export function findExpressions(code: string): FoundExpression[] {
  const found: FoundExpression[] = [];
  for (let at = 0; at < code.length;) {
    NOT_CODE.lastIndex = LITERAL.lastIndex = at;
    const skipped = NOT_CODE.exec(code);
    const before = code.slice(Math.max(0, at - 20), at);
    const literal = skipped || (ENDS_A_VALUE.test(before) && !/\breturn\s$/.test(before))
      ? null
      : LITERAL.exec(code);
    if (literal) found.push({ source: literal[1]!, flags: literal[2]! });
    at += (skipped ?? literal)?.[0].length ?? 1;
  }
  return found;
}

/** A part of an expression: a character, a class, a group or an assertion, and how often it may come. */
interface Part {
  readonly text: string;
  readonly isEndless: boolean;
}

const PART =
  /((?:\\(?:p\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.))|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<\w+>))?|\)|\||[^\\[()|])([*+]\??|\?\??|\{\d+(?:(,)(\d*))?\}\??)?/y;

function partsOf(source: string): Part[] {
  const parts: Part[] = [];
  for (PART.lastIndex = 0; PART.lastIndex < source.length;) {
    const match = PART.exec(source);
    if (!match) throw new SyntaxError(`Cannot read the expression ${source}`);
    const [, text = "", count = "", comma, most] = match;
    const isEndless = /^[*+]/.test(count) || (comma !== undefined && most === "");
    parts.push({ text, isEndless });
  }
  return parts;
}

/** What may make an expression slow, or `undefined` if nothing does. */
export function problemOf({ source, flags }: FoundExpression): string | undefined {
  if (/\\[1-9]|\\k</.test(source)) return "refers back";
  const parts = partsOf(source);
  const isAnchored = flags.includes("y") || /^(?:\(\?:)?\^/.test(source);
  const open: boolean[] = [false]; // whether each group that is open holds an endless part
  let previous: Part | undefined;
  for (const [index, part] of parts.entries()) {
    if (part.text.startsWith("(")) open.push(false);
    else if (part.text === ")") {
      const holdsEndless = open.pop()!;
      if (holdsEndless && part.isEndless) return "repeats what is repeated";
      if (holdsEndless || part.isEndless) open[open.length - 1] = true;
    } else if (part.isEndless) {
      open[open.length - 1] = true;
    }
    if (!part.isEndless || part.text === ")") {
      if (!"()|".includes(part.text[0]!)) previous = undefined;
      continue;
    }
    if (previous?.text === part.text) return "repeats the same twice in a row";
    const canFailAfter = parts.slice(index + 1).some(({ text }) => text !== ")");
    if (!isAnchored && canFailAfter) return "may fail after a repetition that begins anywhere";
    previous = part;
  }
  return undefined;
}
