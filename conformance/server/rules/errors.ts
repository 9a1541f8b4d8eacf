/**
 * Rules about requests that are refused, and pulls that fail.
 *
 * @module
 */

import fc from "fast-check";
import type { Exchange } from "../../exchange.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { REFUSAL, requireSuccess, sawRefusal } from "../plain_pull.ts";
import { READY_WORLD, slowWorlds, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSubject, unlessHas, type World } from "../subject.ts";
import { pullAll } from "../transcript.ts";
import { answerTo, duringPull, inTime, refusalRules } from "./refusals.ts";
import { type Refused, refusedRequests, requireFailure } from "./refused_requests.ts";

type Info = Pick<Rule<ServerSubject>, "id" | "title" | "cites">;

/** A rule about a fault during a pull. */
function faultRule(
  info: Info & Pick<Rule<ServerSubject>, "level" | "evidence">,
  faults: fc.Arbitrary<World["faults"]>,
  check: (server: OpenServer, run: CheckRun, subject: ServerSubject) => Promise<void>,
): Rule<ServerSubject> {
  return rule<ServerSubject, [World, World["faults"]]>({
    evidence: REFUSAL,
    ...info,
    side: "server",
    skips: unlessHas("faults"),
    inputs: fc.tuple(slowWorlds(), faults),
    check: (subject, [world, faults = []], run) =>
      withServer(subject, { ...world, faults }, (server) => check(server, run, subject)),
  });
}

/** All requests that are refused, and when they are made. */
interface Refusals {
  readonly moment: "before a pull" | "during a pull";
  readonly requests: readonly Refused[];
}

const ALL_REFUSED: readonly Refused[] = Object.values(refusedRequests).flat();

/** The rules. */
export const errorRules: readonly Rule<ServerSubject>[] = [
  ...refusalRules,
  faultRule(
    {
      id: "S-ERR-9",
      level: "observed",
      title: "An error is the last object, and there is no success",
      cites:
        'observed: what fails after the first line is {"error":"…"} as the last line, such as ' +
        "`max retries exceeded: …` when the registry keeps failing",
    },
    fc.tuple(
      fc.constantFrom("error" as const, "disk-full" as const),
      fc.integer({ min: 0, max: 100 }),
    ).map(([kind, share]) => [{ kind, at: { completed: `${share}%` } }]),
    async (server, run, subject) => {
      requireFailure(await pullAll(server, run));
      await sawRefusal(subject, run);
    },
  ),
  faultRule(
    {
      id: "S-ERR-10",
      level: "observed",
      title: "A layer that fails its checksum fails the pull, and is fetched again by the next one",
      cites: 'observed: {"error":"digest mismatch, file must be downloaded again: …"}',
      evidence: "a failed pull, and the totals of the next one",
    },
    fc.constant([{ kind: "digest-mismatch" }]),
    async (server, run) => {
      requireFailure(await pullAll(server, run));
      const again = await pullAll(server, run);
      requireFailure(again);
      const downloads = again.statuses.filter(({ total }) => total !== undefined);
      if (downloads.length === 0) throw new Inconclusive("No download reports its total");
      run.saw();
      if (downloads.some(({ total = 0, completed = 0 }) => completed < total)) return;
      throw new Violation("a layer to be fetched again", "every layer is complete", [
        again.exchange,
      ]);
    },
  ),
  rule<ServerSubject, Refusals>({
    id: "S-ERR-11",
    side: "server",
    level: "should",
    title: "A refused request does no harm to the next one",
    cites: "A server serves more than one client",
    evidence: "a refused request, and a pull after it",
    decisive: [
      { moment: "before a pull", requests: ALL_REFUSED },
      { moment: "during a pull", requests: ALL_REFUSED },
    ],
    inputs: fc.record<Refusals>({
      moment: fc.constantFrom("before a pull", "during a pull"),
      requests: fc.subarray([...ALL_REFUSED], { minLength: 1 }),
    }),
    maxRuns: 2,
    check: async (subject, { moment, requests }, run) => {
      const refusals: Exchange[] = [];
      const refuse = async (server: OpenServer) => {
        for (const refused of inTime(requests)) {
          const { status, statuses, exchange } = await answerTo(refused, server, run);
          refusals.push(exchange);
          if (status >= 400 || statuses.at(-1)?.kind === "error") run.saw();
        }
      };
      const pulled = moment === "during a pull"
        ? await duringPull(subject, run, refuse)
        : await withServer(subject, READY_WORLD, async (server) => {
          await refuse(server);
          return await pullAll(server, run);
        });
      await withEarlier(refusals, () => requireSuccess(subject, pulled, run));
    },
  }),
];

/** How many of the requests before a violation are shown. */
const MAX_SHOWN = 5;

/** Shows the requests before a violation with it. */
async function withEarlier(
  earlier: readonly Exchange[],
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { expected, seen, exchanges, because } = error;
    throw new Violation(expected, seen, [...earlier.slice(-MAX_SHOWN), ...exchanges], because);
  }
}
