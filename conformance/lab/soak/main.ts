/**
 * Pulls through real HTTP from a mock that fails by chance: `deno task soak --minutes 10`, with
 * `--seed` for other chances and `--clients` for more at once. Prints what has happened and what was
 * left, and exits with 1 if anything broke or anything was left.
 *
 * @module
 */

import process from "node:process";
import { createTask } from "../../../.ci/task.ts";
import { soak, type SoakCount } from "./soak.ts";

const REPORT_MS = 30_000;

/** How long it takes until the program itself has taken all the memory that it needs. */
const WARM_UP_MS = 10_000;

const program = createTask("soak")
  .description(
    "pulls from the mock through everything that may go wrong, many at once, for some time",
  )
  .option("--clients <number>", "how many pulls there are at once", "48")
  .option("--minutes <number>", "for how long", "1")
  .option("--seed <number>", "what all chance follows from", "1")
  .parse();
const values = program.opts<Record<"clients" | "minutes" | "seed", string>>();
const [clients, minutes, seed] = [values.clients, values.minutes, values.seed].map(Number);
if (!(clients! > 0 && minutes! > 0 && seed! >= 0)) {
  program.error("error: --clients and --minutes must be numbers above 0, and --seed 0 or more");
}

/** The memory that is in use, in MB, once what is not needed any more was let go of, if it can be. */
function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

function describe(count: SoakCount): string {
  return `${count.pulls} pulls: ${count.successes} succeeded, ${count.cancels} cancelled, ` +
    `${count.refusals} refused; ${count.retries} retries, ${count.faults} faults`;
}

const startedAt = performance.now();
const atStart = memory();
let atBegin: number | undefined;
let reportedAt = startedAt;

const { count, failures, left } = await soak({
  seed: seed!,
  clients: clients!,
  isEnough: (count) => {
    const now = performance.now();
    if (atBegin === undefined && now - startedAt > WARM_UP_MS) atBegin = memory();
    if (now - reportedAt > REPORT_MS) {
      reportedAt = now;
      console.log(describe(count));
    }
    return now - startedAt >= minutes! * 60_000;
  },
});

const seconds = (performance.now() - startedAt) / 1000;
console.log(`
seed ${seed}, ${clients} clients, ${seconds.toFixed(0)} s
pulls            ${count.pulls} (${(count.pulls / seconds).toFixed(0)} a second)
  succeeded      ${count.successes}
  cancelled      ${count.cancels}
  refused        ${count.refusals}, by an error or bytes that are none of a pull
  resumed        ${count.resumes}
models deleted   ${count.deletions}
bytes received   ${(count.bytesSent / 1e6).toFixed(1)} MB
faults survived  ${count.faults}
gateways         ${JSON.stringify(count.deeds)}
manifests        ${count.manifests}, and ${count.noManifests} that the registry did not give
retries          ${count.retries}: ${JSON.stringify(count.retriesAfter)}
memory           ${atStart.toFixed(1)} MB at the start, ${
  (atBegin ?? atStart).toFixed(1)
} MB after \
${WARM_UP_MS / 1000} s, ${memory().toFixed(1)} MB at the end
left open        ${left.downloads} downloads, ${left.requests} requests
failures         ${failures.length}`);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length + left.downloads + left.requests === 0 ? 0 : 1;
