/**
 * Runs the suites against faulty implementations that the rules were not written for, and prints
 * how many of them are caught. The correct ones come first: any rule that they break is a false alarm.
 *
 * ```sh
 * deno task strangers servers
 * ```
 *
 * @module
 */

import { Argument } from "commander";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { createTask } from "../../../.ci/task.ts";
import { runClientConformance } from "../../client/suite.ts";
import type { ClientSubject } from "../../client/subject.ts";
import { isBroken, type Report } from "../../report.ts";
import { CannotRun } from "../../rule.ts";
import { runServerConformance } from "../../server/suite.ts";
import { rightClient, rightCommand, rightProgressClient, strangerClients } from "./clients/mod.ts";
import { BYTES_PER_MS, strangerSubject } from "./server_subject.ts";
import { rightServer, type Stranger, strangers } from "./servers/mod.ts";

/** An implementation to run. */
interface Trial {
  readonly name: string;
  /** Whether it is correct, so that every finding is a false alarm. */
  readonly isRight: boolean;
  readonly run: () => Promise<Report>;
}

/** The result. */
interface Outcome {
  readonly name: string;
  readonly isRight: boolean;
  /** The rules that it breaks. */
  readonly breaks: readonly string[];
  readonly seconds: number;
}

const program = createTask("strangers")
  .description(
    "measures how many broken servers and clients the suites catch that they do not know",
  )
  .addArgument(
    new Argument("[side]", "what to run (default: both)").choices(["servers", "clients"]),
  )
  .option("--jobs <number>", "how many servers at the same time", "2")
  .option("--only <text>", "only those with this in their name")
  .option("--out <file>", "where to write what was caught, as JSON")
  .option("--seed <number>", "what all inputs follow from", "1")
  .parse();
const [side] = program.args;
const values = program.opts<{ jobs: string; only?: string; out?: string; seed: string }>();
const options = { seed: Number(values.seed), shrinkTimeMs: 0 };

function trialOfServer(
  { name, make }: Pick<Stranger, "name" | "make">,
  isRight: boolean,
): Trial {
  return {
    name,
    isRight,
    async run() {
      const running = await make({ bytesPerMs: BYTES_PER_MS }).start();
      try {
        return await runServerConformance(strangerSubject(name, running), options);
      } finally {
        await running.close();
      }
    },
  };
}

function trialOfClient(client: ClientSubject, isRight: boolean): Trial {
  return { name: client.name, isRight, run: () => runClientConformance(client, options) };
}

async function carryOut({ name, isRight, run }: Trial): Promise<Outcome> {
  const start = performance.now();
  const breaks = await run().then(
    ({ results }) => results.filter(isBroken).map(({ id }) => id),
    (error) => {
      // "Cannot be tested" is a valid result; any other error is a bug of the suite.
      if (error instanceof CannotRun) return [`stopped: ${error.message}`];
      throw error;
    },
  );
  const seconds = Math.round((performance.now() - start) / 1_000);
  const verdict = breaks.length === 0 ? (isRight ? "right" : "MISSED") : breaks.join(", ");
  process.stdout.write(`${name} (${seconds} s): ${verdict}\n`);
  return { name, isRight, breaks, seconds };
}

/** Runs trials, a few at the same time. */
async function carryOutAll(trials: readonly Trial[], jobs: number): Promise<Outcome[]> {
  const wanted = trials.filter(({ name }) =>
    values.only === undefined || name.includes(values.only)
  );
  const queue = wanted.values();
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (const trial of queue) outcomes.push(await carryOut(trial));
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return outcomes;
}

/** The number caught, for the output. */
function summaryOf(what: string, outcomes: readonly Outcome[]): string {
  const wrong = outcomes.filter(({ isRight }) => !isRight);
  const caught = wrong.filter(({ breaks }) => breaks.length > 0).length;
  const alarms = outcomes.filter(({ isRight, breaks }) => isRight && breaks.length > 0).length;
  return `${what}: ${caught} of ${wrong.length} caught, ${alarms} false alarms\n`;
}

const found: Record<string, readonly Outcome[]> = {};
if (side !== "clients") {
  const trials = [
    trialOfServer(rightServer, true),
    ...strangers.map((stranger) => trialOfServer(stranger, false)),
  ];
  found.servers = await carryOutAll(trials, Number(values.jobs));
}
if (side !== "servers") {
  const trials = [
    ...[rightClient, rightProgressClient, rightCommand].map((client) =>
      trialOfClient(client, true)
    ),
    ...strangerClients.map(({ client }) => trialOfClient(client, false)),
  ];
  found.clients = await carryOutAll(trials, 1);
}
for (const [what, outcomes] of Object.entries(found)) {
  process.stdout.write(summaryOf(what, outcomes));
}
if (values.out !== undefined) {
  await writeFile(values.out, `${JSON.stringify(found, null, 2)}\n`);
}
const alarms = Object.values(found).flat().filter(({ isRight, breaks }) =>
  isRight && breaks.length > 0
);
process.exit(alarms.length > 0 ? 1 : 0);
