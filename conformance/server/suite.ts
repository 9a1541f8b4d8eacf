/**
 * The rules for servers, and how to run them.
 *
 * @module
 */

import type { Report } from "../report.ts";
import type { Rule } from "../rule.ts";
import { type RunOptions, runSuite, type Suite } from "../run.ts";
import { watchedRules } from "./invariants/invariants.ts";
import { watchServer } from "./invariants/watch.ts";
import { plainPull } from "./plain_pull.ts";
import { downloadRules } from "./rules/downloads.ts";
import { errorRules } from "./rules/errors.ts";
import { httpRules } from "./rules/http.ts";
import { listingRules } from "./rules/listing.ts";
import { otherModelRules } from "./rules/other_models.ts";
import { requestRules } from "./rules/requests.ts";
import { streamRules } from "./rules/stream.ts";
import type { ServerSubject } from "./subject.ts";
import { LONGEST_WALKS_MS, PULLS_OF_WALKS, walkServer } from "./walk/walks.ts";

/** All rules for servers, by section. */
export const serverRules: readonly Rule<ServerSubject>[] = [
  ...requestRules,
  ...httpRules,
  ...streamRules,
  ...downloadRules,
  ...otherModelRules,
  ...listingRules,
  ...errorRules,
];

/** The rules for servers, and how to test them. */
export const serverSuite: Suite<ServerSubject> = {
  side: "server",
  rules: serverRules,
  plainPull,
  watch: watchServer,
  watched: watchedRules,
  walk: walkServer,
  walkMs: (pullMs) => Math.min(LONGEST_WALKS_MS, PULLS_OF_WALKS * pullMs),
  pullsAnew: ({ lacks }) => lacks.fresh === undefined,
  isOneInput: ({ hasOneModel = false }) => hasOneModel,
};

/**
 * Runs the rules for servers against a server.
 *
 * @param server The server.
 * @param options Which rules to run, and how thoroughly. Unless `runs` is given, the `maxRuns` of the server
 * limits the number of inputs.
 * @return The report. A broken rule does not throw.
 * @throws {CannotRun} If the server cannot be reached, or does not have the model.
 */
export async function runServerConformance(
  server: ServerSubject,
  options: RunOptions = {},
): Promise<Report> {
  const { runs = server.maxRuns, checkTimeoutMs = server.checkTimeoutMs } = options;
  const limited = { ...options, runs, checkTimeoutMs };
  return await runSuite(serverSuite, server, limited);
}
