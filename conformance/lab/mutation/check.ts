/**
 * Checks the small server or the small client as it is on disk: exits with 1 if it breaks a rule.
 * `main.ts` runs this for each mutation, which the code selects by an environment variable.
 *
 * @module
 */

import { argv, exit } from "node:process";
import { runClientConformance } from "../../client/suite.ts";
import { isFailure, type RuleResult } from "../../report.ts";
import { runServerConformance } from "../../server/suite.ts";
import { smallClient } from "./small_client_subject.ts";
import { smallServer } from "./small_server_subject.ts";

/**
 * Ends at the first rule, of any level, that is broken or (for `must` and `should`) not seen. Which of
 * them it is does not matter.
 */
function onResult(result: RuleResult): void {
  if (!isFailure(result, { failOn: "observed" })) return;
  console.error(result.id, result.verdict, result.failure?.seen ?? result.reason);
  exit(1);
}

/** How many random inputs are tried for clients. The decisive inputs must catch nearly everything alone. */
const RUNS = 10;

const options = { seed: 1, shrinkTimeMs: 0, checkTimeoutMs: 5_000, runs: RUNS, onResult };
if (argv[2] === "server") await runServerConformance(smallServer, options);
else await runClientConformance(smallClient, options);
exit(0);
