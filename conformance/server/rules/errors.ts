/**
 * Rules about refused requests and failed pulls.
 *
 * @module
 */

import fc from "fast-check";
import type { Exchange } from "../../exchange.ts";
import { type CheckRun, Inconclusive, OutOfTime, type Rule, rule, Violation } from "../../rule.ts";
import { causeOfAll, REFUSAL, requireSuccess, sawRefusal } from "../plain_pull.ts";
import {
  READY_SETUP,
  type SetupInputs,
  slowEachSetups,
  slowFirstSetups,
  withServer,
} from "../server_states.ts";
import { type OpenServer, type ServerSetup, type ServerSubject, unlessHas } from "../subject.ts";
import { ask, pullAll, pullBody } from "../transcript.ts";
import { answerTo, duringPull, inTime, refusalRules } from "./refusals.ts";
import { withEarlier } from "./earlier.ts";
import {
  absentPull,
  hasFailed,
  type Refused,
  refusedRequests,
  requireFailure,
} from "./refused_requests.ts";

type Info = Pick<Rule<ServerSubject>, "id" | "title" | "cites">;

/** A rule about faults during a pull. */
function faultRule(
  info: Info & Pick<Rule<ServerSubject>, "level" | "evidence">,
  setups: SetupInputs,
  check: (server: OpenServer, run: CheckRun, subject: ServerSubject) => Promise<void>,
): Rule<ServerSubject> {
  return rule<ServerSubject, ServerSetup>({
    evidence: REFUSAL,
    ...info,
    ...setups,
    side: "server",
    skips: unlessHas("faults"),
    check: (subject, setup, run) =>
      withServer(subject, setup, (server) => check(server, run, subject)),
  });
}

/** Models whose registry or disk fails at some point. */
function failingSetups(): SetupInputs {
  const faults = fc.record({
    kind: fc.constantFrom("error" as const, "disk-full" as const),
    at: fc.integer({ min: 0, max: 100 }).map((share) => ({ completed: `${share}%` })),
  });
  const inputs = fc.tuple(slowFirstSetups(), faults)
    .map(([setup, fault]) => ({ ...setup, faults: [fault] }));
  return { decisive: [], inputs };
}

/** Models in which some layer fails its checksum. */
function corruptSetups(): SetupInputs {
  const { decisive, inputs } = slowEachSetups();
  const corrupt = (setup: ServerSetup, layer: number): ServerSetup => ({
    ...setup,
    faults: [{ kind: "digest-mismatch", at: { layer } }],
  });
  return {
    decisive: decisive.flatMap((setup) => setup.layers.map((_, layer) => corrupt(setup, layer))),
    inputs: fc.tuple(inputs, fc.nat())
      .map(([setup, place]) => corrupt(setup, place % setup.layers.length)),
  };
}

/** All requests that must be refused, and when they are made. */
interface Refusals {
  readonly moment: "before a pull" | "during a pull";
  readonly requests: readonly Refused[];
}

const ALL_REFUSED: readonly Refused[] = Object.values(refusedRequests).flat();

/** Names that the registry does not have: more than a server has connections to its registry. */
const MANY_ABSENT: readonly Refused[] = Array.from(
  { length: 12 },
  (_, index) => absentPull(`:absent-${index}`, index % 2 === 0),
);

/** Names that no registry has, in every valid form. Nothing listens at their address. */
const NAMES = ["", "https://"].flatMap((scheme) => [
  `${scheme}127.0.0.1:9/library/x`,
  `${scheme}127.0.0.1:9/some-space/some_model.v1:1.5b-Q4_K_M`,
]);

/** The rules. */
export const errorRules: readonly Rule<ServerSubject>[] = [
  ...refusalRules,
  faultRule(
    {
      id: "S-ERR-9",
      level: "observed",
      title: "An error is the last object, without a success before it",
      cites:
        'observed: a failure after the first line is {"error":"…"} as the last line, such as ' +
        "`max retries exceeded: …` when the registry keeps failing",
    },
    failingSetups(),
    async (server, run, subject) => {
      requireFailure(await pullAll(server, run));
      await sawRefusal(subject, run);
    },
  ),
  faultRule(
    {
      id: "S-ERR-10",
      level: "observed",
      title:
        "A layer with a wrong checksum fails all its pulls, and the next pull fetches it again",
      cites: 'observed: {"error":"digest mismatch, file must be downloaded again: …"}',
      evidence: "a failed pull, and the totals of the next one",
    },
    corruptSetups(),
    async (server, run) => {
      const single = ask(server, { body: pullBody(server, { stream: false }) }, run);
      const [first, joined, alone] = await Promise.all([
        pullAll(server, run),
        pullAll(server, run),
        single.then((answering) => answering.readAll()),
      ]);
      requireFailure(first);
      await withEarlier([first.exchange], () => requireFailure(joined));
      await withEarlier([first.exchange], () => requireFailure(alone));
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
    title: "A refused request does not affect the next one",
    cites: "A server serves more than one client",
    evidence: "a refused request, and a pull after it",
    decisive: [
      { moment: "before a pull", requests: ALL_REFUSED },
      { moment: "during a pull", requests: ALL_REFUSED },
      { moment: "before a pull", requests: MANY_ABSENT },
    ],
    inputs: fc.record<Refusals>({
      moment: fc.constantFrom("before a pull", "during a pull"),
      requests: fc.subarray([...ALL_REFUSED], { minLength: 1 }),
    }),
    maxRuns: 3,
    check: async (subject, { moment, requests }, run) => {
      const refusals: Exchange[] = [];
      const refuse = async (server: OpenServer) => {
        for (const refused of inTime(requests)) {
          try {
            const answer = await answerTo(refused, server, run);
            refusals.push(answer.exchange);
            if (answer.status >= 400 || hasFailed(answer)) run.saw();
          } catch (error) {
            // Whether that request is answered is for its own rule. This one looks at what follows.
            if (!(error instanceof Violation) || error instanceof OutOfTime) throw error;
            refusals.push(...error.exchanges);
          }
        }
      };
      const pulled = moment === "during a pull"
        ? await duringPull(subject, run, refuse)
        : await withServer(subject, READY_SETUP, async (server) => {
          await refuse(server);
          return await pullAll(server, run);
        });
      await withEarlier(refusals, () => requireSuccess(subject, pulled, run));
    },
  }),
  rule<ServerSubject, string>({
    id: "S-ERR-12",
    side: "server",
    level: "observed",
    title: "A valid name in any form is looked up in its registry",
    cites: "observed: names are `[scheme://][host[:port]/][namespace/]model[:tag]`",
    evidence: "an answer that does not refuse the name",
    decisive: NAMES,
    inputs: fc.constantFrom(...NAMES),
    maxRuns: NAMES.length,
    pulls: 0, // none of them exists
    check: (subject, name, run) =>
      withServer(subject, READY_SETUP, async (server) => {
        const body = pullBody(server, { stream: true }, name);
        const { status, exchange } = await (await ask(server, { body }, run)).readAll();
        if (status !== 400) return run.saw();
        const because = await causeOfAll(subject, run);
        throw new Violation("no HTTP 400", "HTTP 400", [exchange], because);
      }),
  }),
];
