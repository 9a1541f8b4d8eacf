/**
 * What counts as a failure, as `conformance` is told: the lowest level, the rules that are known to be
 * broken, and those that need not be seen.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { type Gate, isBroken, LEVELS, type Report } from "../../conformance/report.ts";
import { CannotRun, type Level } from "../../conformance/rule.ts";
import { messageOf, quote } from "../../src/text.ts";
import { type CommandContext, UsageError } from "../command.ts";
import { printable } from "../printable.ts";

/** What counts as a failure. */
export interface GateFlags {
  /** The lowest level that counts. */
  readonly failOn: Level;
  /** Ids of rules, or files of such ids. */
  readonly known?: readonly string[];
  /** Ids of rules that need not be seen. */
  readonly allowNotSeen?: readonly string[];
}

const ID = /^[SC]-[A-Z]+-\d+$/;

const collect = (text: string, texts: readonly string[] = []) => [...texts, text];

/** Adds the options that say what counts. */
export function addGateOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--fail-on <level>", "the lowest level whose broken rules count as a failure")
        .choices(LEVELS).default("should"),
    )
    .option(
      "--known <ids|file>",
      "rules that are known to be broken: ids with commas between them, or a file with one a line; " +
        "may be repeated",
      collect,
    )
    .option(
      "--allow-not-seen <ids>",
      "rules that need not be seen, with commas between them; may be repeated",
      collect,
    );
}

/**
 * What counts, by the options.
 *
 * @throws {UsageError} If an id is none.
 * @throws {CannotRun} If a file cannot be read.
 */
export async function readGate(
  { failOn, known = [], allowNotSeen = [] }: GateFlags,
): Promise<Gate> {
  const lists = await Promise.all(known.map(readKnown));
  const mayBeUnseen = allowNotSeen.flatMap((text) =>
    requireIds(text.split(","), "--allow-not-seen")
  );
  return { failOn, known: lists.flat(), mayBeUnseen };
}

/** Ids, or those in a file, in which `#` begins a comment. */
async function readKnown(text: string): Promise<string[]> {
  const words = text.split(",").map((word) => word.trim());
  if (words.every((word) => ID.test(word))) return words;
  const content = await readFile(text, "utf8").catch((error) => {
    throw new CannotRun(
      `Cannot use --known ${quote(text)}: it must be ids such as S-SEQ-1,S-SEQ-2, or a file: ` +
        messageOf(error),
    );
  });
  const lines = content.split(/\r?\n/).map((line) => line.replace(/#.*/, "").trim());
  return requireIds(lines.filter((line) => line !== ""), `--known ${text}`);
}

function requireIds(words: readonly string[], where: string): string[] {
  return words.map((word) => word.trim()).map((id) => {
    if (ID.test(id)) return id;
    throw new UsageError(
      `Cannot use ${
        printable(`${quote(id)} of ${where}`)
      }: it must be the id of a rule, such as S-SEQ-1`,
    );
  });
}

/** Says which rules are kept that are known to be broken, so that the list does not grow old. */
export function tellMended(
  reports: readonly Report[],
  { known = [] }: Gate,
  { stderr }: CommandContext,
): void {
  const results = reports.flatMap(({ results }) => results);
  const kept = results.filter(({ verdict }) => verdict === "kept");
  const broken = new Set(results.filter(isBroken).map(({ id }) => id));
  for (const id of new Set(known)) {
    if (broken.has(id)) continue;
    if (!kept.some((result) => result.id === id)) continue;
    stderr.write(`${id} is kept, although --known has it: take it off the list\n`);
  }
}
