/**
 * The promises of SECURITY.md, and the tests that hold them.
 *
 * A promise is an item of a list, and below it are its tests, each as its file and its name.
 *
 * @module
 */

/** Where a test is said to be. */
export interface NamedTest {
  readonly file: string;
  /** Its name as it stands in the file: a template is named as it is written. */
  readonly name: string;
}

/** Something that is promised. */
export interface Promised {
  readonly text: string;
  readonly tests: readonly NamedTest[];
}

/** The promises of a document in Markdown: the items of lists with tests below a heading. */
export function readPromises(markdown: string, heading: string): Promised[] {
  const [, section = ""] = markdown.split(`\n## ${heading}\n`);
  const [text = ""] = section.split(/^## /m);
  return text.split(/^- /m).slice(1).map((item) => {
    const [promise = "", ...tests] = item.split(/^ +- /m).map(inOneLine);
    return { text: promise, tests: tests.map(readTest) };
  });
}

/** An item without its line breaks, and without a heading that comes after it. */
function inOneLine(item: string): string {
  const [paragraph = ""] = item.split("\n\n");
  return paragraph.replace(/\s+/g, " ").trim();
}

function readTest(item: string): NamedTest {
  const { file, name } = /^`(?<file>[^`]+)`: (?<name>.+)$/.exec(item)?.groups ?? {};
  if (!file || !name) throw new Error(`This names no test: ${item}`);
  return { file, name };
}

/** Whether code has a test of a name: one that is registered, or a check of a list of them. */
export function hasTest(code: string, name: string): boolean {
  const quoted = ['"', "'", "`"].map((quote) => RegExp.escape(quote + name + quote)).join("|");
  const registered = `\\b(?:it|forEachStream|Deno\\.test)\\(\\s*(?:\\w+,\\s*)?(?:${quoted})`;
  return new RegExp(`${registered}|\\basync (?:${quoted})\\(\\)`).test(code);
}
