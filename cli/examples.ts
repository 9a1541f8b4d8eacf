/**
 * The examples at the end of a command's help.
 *
 * @module
 */

/**
 * Writes examples, one a line, to be added to the help of a command.
 *
 * @param does What each command line does, by the command line.
 */
export function examples(does: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(does).map((line) => line.length));
  const lines = Object.entries(does).map(([line, what]) => `\n  ${line.padEnd(width)}   ${what}`);
  return `\nExamples:${lines.join("")}`;
}
