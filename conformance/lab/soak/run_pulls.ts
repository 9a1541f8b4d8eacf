/**
 * Soaks pulls for some time, and prints what has happened.
 *
 * @module
 */

import { Memory } from "./memory.ts";
import { soak, type SoakCount } from "./soak.ts";

const REPORT_MS = 30_000;

function describe(count: SoakCount): string {
  return `${count.pulls} pulls: ${count.successes} succeeded, ${count.cancels} cancelled, ` +
    `${count.refusals} refused; ${count.retries} retries, ${count.faults} faults`;
}

/** Soaks pulls. Returns whether nothing broke, and nothing was left. */
export async function runPulls(seed: number, clients: number, minutes: number): Promise<boolean> {
  const startedAt = performance.now();
  const memory = new Memory(startedAt);
  let reportedAt = startedAt;
  const { count, failures, left } = await soak({
    seed,
    clients,
    isEnough: (count) => {
      const now = performance.now();
      memory.sample(now);
      if (now - reportedAt > REPORT_MS) {
        reportedAt = now;
        console.log(describe(count));
      }
      return now - startedAt >= minutes * 60_000;
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`
pulls: seed ${seed}, ${clients} clients, ${seconds.toFixed(0)} s
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
memory           ${memory}
left open        ${left.downloads} downloads, ${left.requests} requests
failures         ${failures.length}`);
  for (const failure of failures) console.error(failure);
  return failures.length + left.downloads + left.requests === 0;
}
