/**
 * The result of the program on the sources, in Deno, which must be the same everywhere.
 *
 * @module
 */

import { type Findings, tryPackage } from "./program.ts";

let findings: Promise<Findings> | undefined;

/** The verdict on each rule, by subject. */
export async function verdictsOfSources(): Promise<Findings["verdicts"]> {
  findings ??= tryPackage();
  return (await findings).verdicts;
}
