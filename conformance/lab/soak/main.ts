/**
 * Pulls through real HTTP while everything fails by chance, first with many clients, then through a relay with
 * many viewers: `deno task soak --minutes 10`, with `--seed` for other chances and `--only` for one of both.
 * Prints what has happened and what was left, and exits with 1 if anything broke or anything was left.
 *
 * @module
 */

import { Option } from "commander";
import process from "node:process";
import { createTask } from "../../../.ci/task.ts";
import { runPulls } from "./run_pulls.ts";
import { runRelay } from "./run_relay.ts";

const program = createTask("soak")
  .description(
    "pulls from the mock through everything that may go wrong, many at once, for some time, by itself and " +
      "through a relay",
  )
  .option("--clients <number>", "how many pulls there are at once", "48")
  .option("--viewers <number>", "how many watch through the relay at once", "1000")
  .addOption(
    new Option("--only <what>", "only one of both, for all of the time").choices([
      "pulls",
      "relay",
    ]),
  )
  .option("--minutes <number>", "for how long", "1")
  .option("--seed <number>", "what all chance follows from", "1")
  .parse();
const values = program.opts<
  Record<"clients" | "viewers" | "minutes" | "seed", string> & { only?: "pulls" | "relay" }
>();
const [clients, viewers, minutes, seed] = [
  Number(values.clients),
  Number(values.viewers),
  Number(values.minutes),
  Number(values.seed),
] as const;
if (!(clients > 0 && viewers > 0 && minutes > 0 && seed >= 0)) {
  program.error(
    "error: --clients, --viewers and --minutes must be numbers above 0, and --seed 0 or more",
  );
}

const share = values.only ? minutes : minutes / 2;
const isPullsFine = values.only === "relay" || await runPulls(seed, clients, share);
const isRelayFine = values.only === "pulls" || await runRelay(seed, viewers, share);
process.exitCode = isPullsFine && isRelayFine ? 0 : 1;
