/**
 * Runs the suites against all subjects, or those of a name, and prints what each of them breaks and
 * why. With `--out`, a folder gets the reports as JSON and, side by side, as a page.
 *
 * ```sh
 * deno task interop curl npm --out reports
 * ```
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Report } from "../report.ts";
import { reporters } from "../reporters/mod.ts";
import { subjects } from "./mod.ts";
import { runSubject, summary, surprises } from "./run.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string" }, runs: { type: "string" }, seed: { type: "string" } },
});
const options = {
  ...(values.runs !== undefined && { runs: Number(values.runs) }),
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
};

// Clients write to the console what they think of their answers.
for (const method of ["log", "warn", "error"] as const) console[method] = () => {};

const chosen = subjects.filter(({ implementation: { name } }) =>
  positionals.length === 0 || positionals.some((part) => name.includes(part))
);
const reports: Report[] = [];
for (const subject of chosen) {
  const report = await runSubject(subject, options);
  reports.push(report);
  process.stdout.write(summary(subject, report));
  if (surprises(subject, report).length > 0) process.exitCode = 1;
}
if (values.out !== undefined) {
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, "reports.json"), reporters.json(reports));
  await writeFile(join(values.out, "reports.html"), reporters.html(reports));
}
