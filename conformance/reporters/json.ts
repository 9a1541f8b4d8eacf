/**
 * Reports as JSON: one report as an object, several as an array of such objects. Nothing is left out or
 * merged, so every other format can be produced from it later.
 *
 * @module
 */

import { parseReport, type Report } from "../report.ts";

/** Writes reports as JSON. */
export function jsonReport(reports: readonly Report[]): string {
  const value = reports.length === 1 ? reports[0] : reports;
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Reads the output of {@link jsonReport}.
 *
 * @throws {SyntaxError} If it is not JSON.
 * @throws {TypeError} If it is neither a report nor an array of reports.
 */
export function parseReports(json: string): Report[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value)
    ? value.map((report) => parseReport(JSON.stringify(report)))
    : [parseReport(json)];
}
