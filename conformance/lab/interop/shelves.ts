/**
 * The documents built from a record: whole files, or the part between two marks.
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

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Computes the new text of a document from its current text. */
type Update = (text: string, record: InteropRecord) => string;

/** The place of the results of some subjects, and the documents that show them. */
export interface Shelf {
  /** The subjects. */
  readonly subjects: readonly Subject[];
  /** The rules that they are tested with. */
  readonly rules: readonly RuleInfo[];
  /** The file with the record. */
  readonly record: URL;
  /** The documents built from it, by path from the root of the repository. */
  readonly documents: Readonly<Record<string, Update>>;
}

/** Puts the rendered record between the marks. */
const between = (render: (record: InteropRecord) => string): Update => (text, record) =>
  withMade(text, render(record));

/** The results of implementations. */
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

/** The results of proxies. */
export const PROXIES: Shelf = {
  subjects: allProxies,
  rules: PROXY_RULES,
  record: new URL("proxies/record.json", import.meta.url),
  documents: { "conformance/proxies/README.md": between(renderProxyTables) },
};
