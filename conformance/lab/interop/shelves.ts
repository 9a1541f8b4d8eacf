/**
 * The documents that are made of a record: all of a file, or what is between the marks in it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { withMade } from "./markdown.ts";
import { renderPage } from "./page.ts";
import { PROXY_RULES, renderProxyTables } from "./proxies/record.ts";
import { type InteropRecord, RULES } from "./record.ts";
import { renderResults } from "./results.ts";
import { renderSummary } from "./summary.ts";
import type { RuleInfo } from "../../rule.ts";
import { everySubject, type Subject } from "./mod.ts";
import { allProxies } from "./proxies/mod.ts";

/** The top of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Makes the new text of a document of the text that it has. */
type Update = (text: string, record: InteropRecord) => string;

/** Where what was found about some subjects is kept, and shown. */
export interface Shelf {
  /** The subjects. */
  readonly subjects: readonly Subject[];
  /** The rules that they are tried by. */
  readonly rules: readonly RuleInfo[];
  /** The file of the record. */
  readonly record: URL;
  /** The documents that are made of it, from the top of the repository. */
  readonly documents: Readonly<Record<string, Update>>;
}

/** Puts what is made of the record between the marks. */
const between = (render: (record: InteropRecord) => string): Update => (text, record) =>
  withMade(text, render(record));

/** What was found about implementations. */
export const IMPLEMENTATIONS: Shelf = {
  subjects: everySubject,
  rules: RULES,
  record: new URL("record.json", import.meta.url),
  documents: {
    "README.md": between(renderSummary),
    "conformance/RESULTS.md": between(renderResults),
    "conformance/results.html": (_, record) => renderPage(record),
  },
};

/** What was found about proxies. */
export const PROXIES: Shelf = {
  subjects: allProxies,
  rules: PROXY_RULES,
  record: new URL("proxies/record.json", import.meta.url),
  documents: { "conformance/proxies/README.md": between(renderProxyTables) },
};
