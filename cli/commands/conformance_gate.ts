/**
 * Which results make `conformance` fail: the lowest level that counts, the rules known to be broken, and the
 * rules that may be unseen.
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

/** Options that decide which results count. */
export interface GateFlags {
  /** The lowest level that counts. */
  readonly failOn: Level;
  /** Ids of rules known to be broken, or files with such ids. */
  readonly known?: readonly string[];
  /** Ids of rules that may be unseen. */
  readonly allowNotSeen?: readonly string[];
}

const ID = /^[SC]-[A-Z]+-\d+$/;

const collect = (text: string, texts: readonly string[] = []) => [...texts, text];

/** Adds the options that decide which results count. */
export function addGateOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--fail-on <level>", "the lowest level whose broken rules make the run fail")
        .choices(LEVELS).default("should"),
    )
    .option(
      "--known <ids|file>",
      "rules that are known to be broken: ids separated by commas, or a file with one per line; " +
        "may be repeated",
      collect,
    )
    .option(
      "--allow-not-seen <ids>",
      "ids of rules that may be unseen, separated by commas; may be repeated",
      collect,
    );
}

/**
 * Reads the gate from the options.
 *
 * @throws {UsageError} If an id is unknown.
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

/** Splits a list of ids, or the contents of a file, in which `#` starts a comment. */
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

/** Reports rules that are kept although they are listed as broken, so that the list stays up to date. */
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
    stderr.write(`${id} is kept, although --known lists it: remove it from the list\n`);
  }
}
