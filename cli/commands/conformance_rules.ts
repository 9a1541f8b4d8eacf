/**
 * Lists the rules, or explains one of them.
 *
 * @module
 */

import { LEVELS } from "../../conformance/report.ts";
import { prettyRule, prettyRuleLine } from "../../conformance/reporters/pretty_rule.ts";
import { CannotRun, type RuleInfo } from "../../conformance/rule.ts";
import { quote } from "../../src/text.ts";
import { type CommandContext, EXIT } from "../command.ts";
import type { ConformanceKit } from "./conformance_trial.ts";

/** Lists all rules, one per line. */
export async function listRules(
  kit: Promise<ConformanceKit>,
  { stdout }: CommandContext,
): Promise<number> {
  const { rules } = await kit;
  for (const rule of rules) stdout.write(`${prettyRuleLine(rule)}\n`);
  const counts = LEVELS.map((level) =>
    `${rules.filter((rule) => rule.level === level).length} ${level}`
  );
  stdout.write(`${rules.length} rules: ${counts.join(", ")}\n`);
  return EXIT.success;
}

/**
 * Explains what a rule requires, why, and when its result means something.
 *
 * @throws {CannotRun} If there is no such rule.
 */
export async function explainRule(
  id: string,
  kit: Promise<ConformanceKit>,
  { stdout, invocation }: CommandContext,
): Promise<number> {
  const { rules } = await kit;
  const rule = rules.find((rule) => rule.id === id) ?? missing(id);
  stdout.write(`${prettyRule(rule, { columns: stdout.columns || 80 })}\n\n`);
  const subject = rule.side === "server" ? "--model <name>" : "";
  const flags = ["conformance", rule.side, subject, "--rule", rule.id].filter((flag) =>
    flag !== ""
  );
  const command = rule.side === "client" ? " -- <command...>" : "";
  stdout.write(`  Run only this rule:\n  ${invocation} ${flags.join(" ")}${command}\n`);
  return EXIT.success;
}

function missing(id: string): RuleInfo {
  throw new CannotRun(
    `Cannot explain the rule ${quote(id)}: it does not exist. --list-rules lists all rules`,
  );
}
