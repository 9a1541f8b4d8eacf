/**
 * Describes a rule, for people at a terminal:
 *
 *     S-SEQ-4 must: `success` is sent once
 *
 *       rests on  spec: "…"
 *       level     must: the spec says so
 *       counts    if an input shows a `success`
 *
 * @module
 */

import { LEVELS } from "../report.ts";
import type { RuleInfo } from "../rule.ts";
import { drawField, type PrettyOptions } from "./pretty_failure.ts";
import { type Paint, plain } from "./styles.ts";
import { oneLine } from "./texts.ts";
import { LEVEL_MEANINGS } from "./words.ts";

/** The width of the longest name of a level, in characters. */
export const LEVEL_WIDTH: number = Math.max(...LEVELS.map((level) => level.length));
const ID_WIDTH = "S-CANCEL-10".length;

/** A rule as a line without its line break. */
export function prettyRuleLine({ level, id, title }: RuleInfo, paint: Paint = plain): string {
  const shownLevel = level.padEnd(LEVEL_WIDTH);
  const emphasized = level === "must" ? shownLevel : paint("dim", shownLevel);
  return `${emphasized} ${oneLine(id).padEnd(ID_WIDTH)} ${oneLine(title)}`;
}

/** What a rule requires, why, and when a result means something, without a final line break. */
export function prettyRule(rule: RuleInfo, options: PrettyOptions = {}): string {
  const { id, level, title, cites, evidence = "any result" } = rule;
  return [
    `${oneLine(id)} ${level}: ${oneLine(title)}`,
    "",
    ...drawField("rests on", cites, options),
    ...drawField("level", `${level}: ${LEVEL_MEANINGS[level]}`, options),
    ...drawField("counts", `if an input shows ${evidence}`, options),
  ].join("\n");
}
