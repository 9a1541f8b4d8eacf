/**
 * Reporters: functions from reports to text, for people and for programs. They have no side effects, so they
 * run wherever a suite runs.
 *
 * @module
 */

import { type HtmlOptions, htmlReport } from "./html.ts";
import { jsonReport } from "./json.ts";
import { junitReport } from "./junit.ts";
import { prettyReport } from "./pretty.ts";
import type { PrettyOptions } from "./pretty_failure.ts";
import type { Reporter } from "./reporter.ts";
import { tapReport } from "./tap.ts";

export { type HtmlOptions, htmlReport } from "./html.ts";
export { jsonReport, parseReports } from "./json.ts";
export { junitReport } from "./junit.ts";
export {
  type Finding,
  type Implementation,
  type Matrix,
  type MatrixSection,
  mergeReports,
} from "./matrix.ts";
export { prettyEnd, prettyHeader, prettyReport, prettyResult } from "./pretty.ts";
export { prettyFailure, type PrettyOptions } from "./pretty_failure.ts";
export { describeReplay, type Reporter, type ReporterOptions } from "./reporter.ts";
export { tapReport } from "./tap.ts";

/** The reporters by name. */
export interface Reporters {
  /** For people at a terminal. */
  readonly pretty: Reporter<PrettyOptions>;
  /** TAP, the Test Anything Protocol. */
  readonly tap: Reporter;
  /** JUnit XML, which most CI services read. */
  readonly junit: Reporter;
  /** JSON, which {@link parseReports} reads. */
  readonly json: Reporter;
  /** A page for a browser. */
  readonly html: Reporter<HtmlOptions>;
}

/** The reporters by name. */
export const reporters: Reporters = {
  pretty: prettyReport,
  tap: tapReport,
  junit: junitReport,
  json: jsonReport,
  html: htmlReport,
};

/** The name of a reporter. */
export type ReporterName = keyof Reporters;
