/**
 * What the program finds when it is run on the sources, in Deno: what it must find everywhere.
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
