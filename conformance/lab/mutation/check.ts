/**
 * Checks the small server or the small client as it stands on the disk: exits with 1 if it breaks a rule.
 * `main.ts` has this run for each mutation of them, which the code takes from the environment.
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
 * Ends at the first rule that is broken, of any level, or, if it is a `must` or a `should`, not seen: which of
 * them does not matter.
 */
function onResult(result: RuleResult): void {
  if (!isFailure(result, { failOn: "observed" })) return;
  console.error(result.id, result.verdict, result.failure?.seen ?? result.reason);
  exit(1);
}

/** How many inputs by chance are tried for clients: those that decide must find nearly all by themselves. */
const RUNS = 10;

const options = { seed: 1, shrinkTimeMs: 0, checkTimeoutMs: 5_000, runs: RUNS, onResult };
if (argv[2] === "server") await runServerConformance(smallServer, options);
else await runClientConformance(smallClient, options);
exit(0);
