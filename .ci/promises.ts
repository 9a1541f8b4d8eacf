/**
 * The promises of SECURITY.md, and the tests that prove them.
 *
 * A promise is a list item, and the items below it are its tests, each as a file and a name.
 *
 * @module
 */

/** A test that a promise names. */
export interface NamedTest {
  readonly file: string;
  /** Its name, exactly as in the source: a template is not evaluated. */
  readonly name: string;
}

/** A promise. */
export interface Promised {
  readonly text: string;
  readonly tests: readonly NamedTest[];
}

/** Reads the promises below a heading of a Markdown document. */
export function readPromises(markdown: string, heading: string): Promised[] {
  const [, section = ""] = markdown.split(`\n## ${heading}\n`);
  const [text = ""] = section.split(/^## /m);
  return text.split(/^- /m).slice(1).map((item) => {
    const [promise = "", ...tests] = item.split(/^ +- /m).map(inOneLine);
    return { text: promise, tests: tests.map(readTest) };
  });
}

/** A list item on one line, without a heading that follows it. */
function inOneLine(item: string): string {
  const [paragraph = ""] = item.split("\n\n");
  return paragraph.replace(/\s+/g, " ").trim();
}

function readTest(item: string): NamedTest {
  const { file, name } = /^`(?<file>[^`]+)`: (?<name>.+)$/.exec(item)?.groups ?? {};
  if (!file || !name) throw new Error(`This item does not name a test: ${item}`);
  return { file, name };
}

/** Whether the code has a test with this name: a registered one, or a check in a list. */
export function hasTest(code: string, name: string): boolean {
  const quoted = ['"', "'", "`"].map((quote) => RegExp.escape(quote + name + quote)).join("|");
  const registered = `\\b(?:it|forEachStream|Deno\\.test)\\(\\s*(?:\\w+,\\s*)?(?:${quoted})`;
  return new RegExp(`${registered}|\\basync (?:${quoted})\\(\\)`).test(code);
}
