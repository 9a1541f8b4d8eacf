/**
 * A record as a web page, `conformance/results.html`, built by the HTML reporter from reports that are
 * reconstructed from the record.
 *
 * @module
 */

import { htmlReport } from "../../reporters/html.ts";
import type { Report } from "../../report.ts";
import { type Subject, subjects } from "./mod.ts";
import { moreSubjects } from "./more/mod.ts";
import { allProxies } from "./proxies/mod.ts";
import { type InteropRecord, reportsOf } from "./record.ts";

/** The text about the origin of the results. */
const ABOUT =
  "`ollama serve` and most clients are unmodified software of others; `ollama serve` pulled from the mock's " +
  "registry. The mock and `pull` are this package's. `RESULTS.md`, beside this page, has the same as tables, and " +
  "how to repeat it.";

/** The page. */
export function renderPage(record: InteropRecord): string {
  return htmlReport(reportsOf(record), { replay: describeCommand, about: ABOUT });
}

/** The command that tests an implementation again. */
export function describeCommand({ side, subject }: Report): string {
  const isTested = ({ name, version = subject.version, ...found }: Subject) =>
    found.side === side && name === subject.name && version === subject.version;
  const [flag, found] = RUNS.map(([flag, subjects]) => [flag, subjects.find(isTested)] as const)
    .find(([, found]) => found !== undefined) ?? ["", undefined];
  const words = [subject.name, found?.version].filter((word) => word !== undefined).join(" ");
  return `deno task interop ${flag}"${words}"`;
}

/** The subjects, by the option that runs them. */
const RUNS: readonly (readonly [flag: string, subjects: readonly Subject[]])[] = [
  ["", subjects],
  ["--more ", moreSubjects],
  ["--proxies ", allProxies],
];
