/**
 * Rules about requests that must be refused. A rule makes its requests once while the server is idle and once
 * during a pull. One pull is enough for all of them, because they take almost no time:
 *
 *     pull begins ─▶ S-ERR-1 … S-ERR-8, one request after another ─▶ pull ends
 *
 * A violation there is confirmed with a separate pull before it counts: an earlier request may be to blame,
 * which S-ERR-11 covers.
 *
 * @module
 */

import fc, { type Arbitrary } from "fast-check";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { causeOfAll, REFUSAL, sawRefusal } from "../plain_pull.ts";
import { READY_SETUP, SLOW_SETUP, withServer } from "../server_states.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import {
  type ActivePull,
  ask,
  beginPull,
  isPartial,
  pullBody,
  type Transcript,
} from "../transcript.ts";
import {
  PLAIN_REGISTRY_MODEL,
  type Refused,
  refusedBody,
  refusedName,
  refusedRequests,
  requireFailure,
} from "./refused_requests.ts";

/** When a request is made: while the server is idle, or while it pulls the model. */
type Moment = "idle" | "pulling";

/** A request that must be refused at some moment. */
interface RefusedThen {
  readonly refused: Refused;
  readonly moment: Moment;
}

/** What a rule checks besides its fixed requests. */
interface RefusalOptions {
  /** Random requests. */
  readonly byChance?: Arbitrary<Refused>;
  /** Compares the refusal of an idle server with its answer to another request. */
  readonly compare?: (
    refusal: Transcript,
    server: OpenServer,
    run: CheckRun,
    subject: ServerSubject,
  ) => Promise<void>;
}

/** Creates a rule about requests that must be refused. */
function refusalRule(
  { id, ...info }: Pick<Rule<ServerSubject>, "title" | "cites"> & {
    readonly id: keyof typeof refusedRequests;
  },
  { byChance, compare }: RefusalOptions = {},
): Rule<ServerSubject> {
  const requests: readonly Refused[] = refusedRequests[id];
  const at = (moment: Moment) => requests.map((refused): RefusedThen => ({ refused, moment }));
  const decisive = [...at("idle"), ...at("pulling")];
  return rule<ServerSubject, RefusedThen>({
    ...info,
    id,
    side: "server",
    level: "observed",
    evidence: REFUSAL,
    decisive,
    inputs: byChance?.map((refused) => ({ refused, moment: "idle" as const })) ??
      fc.constantFrom(...decisive),
    maxRuns: decisive.length + (byChance ? MAX_RUNS : 0),
    pulls: 0, // all of them share one
    check: async (subject, { refused, moment }, run) => {
      if (moment === "pulling") {
        await requireRefusalDuringPull(subject, refused, run);
        return await sawRefusal(subject, run);
      }
      await withServer(subject, READY_SETUP, async (server) => {
        const refusal = await answerTo(refused, server, run);
        refused.require(refusal);
        await sawRefusal(subject, run);
        await compare?.(refusal, server, run, subject);
      });
    },
  });
}

/** How many random requests are worth trying. */
const MAX_RUNS = 20;

/** Makes a request, and reads as much of the answer as its rule needs. */
export async function answerTo(
  { request, read = (answering) => answering.readToEnd() }: Refused,
  server: OpenServer,
  run: CheckRun,
): Promise<Transcript> {
  const answering = await ask(server, request(server), run);
  await read(answering);
  return answering.transcript();
}

async function requireRefusalDuringPull(
  subject: ServerSubject,
  refused: Refused,
  run: CheckRun,
): Promise<void> {
  const answers = await answersDuringPull(subject, run);
  if (!answers.has(refused)) {
    throw new Inconclusive("The server did not answer during a pull");
  }
  if (answers.get(refused) === "refused") return;
  await duringPull(subject, run, async (server, pulling) => {
    try {
      refused.require(await answerTo(refused, server, run));
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { exchange } = pulling.transcript();
      const exchanges = [exchange, ...error.exchanges];
      throw new Violation(`${error.expected}, also during a pull`, error.seen, exchanges);
    }
  });
}

/** The results of requests made during a pull. */
type Answers = ReadonlyMap<Refused, "refused" | "not refused">;

/**
 * Each server's answers during a pull, so that it is asked only once per run, which watches its own server.
 */
const known = new WeakMap<ServerSubject, Answers>();

/** Makes all requests during one pull, unless that has already been done. */
async function answersDuringPull(subject: ServerSubject, run: CheckRun): Promise<Answers> {
  const before = known.get(subject);
  if (before) return before;
  const answers = new Map<Refused, "refused" | "not refused">();
  // If the server hangs, it is asked twice, and not once more for each rule.
  if (run.graceMs > 0) known.set(subject, answers);
  try {
    await duringPull(subject, run, async (server) => {
      for (const refused of inTime(Object.values(refusedRequests).flat())) {
        answers.set(refused, await isRefused(refused, server, run) ? "refused" : "not refused");
      }
    });
  } catch (error) {
    // Pulls that do not begin are for other rules.
    if (!(error instanceof Violation || error instanceof Inconclusive)) throw error;
  }
  known.set(subject, answers);
  return answers;
}

/** How long all requests may take together, in milliseconds: about as long as the pull meanwhile. */
const MANY_REQUESTS_MS = 5_000;

/** Yields requests while there is time for them, because a server may be far away. */
export function* inTime(requests: readonly Refused[]): Generator<Refused, void, void> {
  const end = performance.now() + MANY_REQUESTS_MS;
  for (const request of requests) {
    if (performance.now() > end) return;
    yield request;
  }
}

async function isRefused(refused: Refused, server: OpenServer, run: CheckRun): Promise<boolean> {
  try {
    refused.require(await answerTo(refused, server, run));
    return true;
  } catch (error) {
    if (error instanceof Violation) return false;
    throw error;
  }
}

/** Does something during a pull. Returns everything the pull has sent, to its end. */
export async function duringPull(
  subject: ServerSubject,
  run: CheckRun,
  work: (server: OpenServer, pulling: ActivePull) => Promise<void>,
): Promise<Transcript> {
  const { fresh: reason } = subject.lacks;
  if (reason !== undefined) throw new Inconclusive(reason);
  return await withServer(subject, SLOW_SETUP, async (server) => {
    const pulling = await beginPull(server, run);
    await pulling.readUntil((statuses) => statuses.some(isPartial));
    const { statuses } = pulling.transcript();
    if (!statuses.some(isPartial)) throw new Inconclusive("No download was seen in progress");
    await work(server, pulling);
    return await pulling.readAll();
  });
}

/** The JSON of a pull, cut short. */
const cutBodies = fc.nat().map((at): Refused => {
  const cut = (text: string) => text.slice(0, 1 + at % (text.length - 1));
  return {
    ...refusedBody(""),
    request: (server) => ({ body: cut(JSON.stringify(pullBody(server, { stream: true }))) }),
  };
});

/** Fields of a pull with a wrong type. `null` is not wrong: it means that the field is absent. */
const wrongTypes = fc.oneof(
  fc.jsonValue().filter((value) => value !== null && typeof value !== "string")
    .map((model) => ({ model })),
  fc.tuple(
    fc.constantFrom("stream", "insecure"),
    fc.jsonValue().filter((value) => value !== null && typeof value !== "boolean"),
  ).map(([field, value]) => ({ model: "x", [field]: value })),
).map(refusedBody);

/** Names with a character that no part of a name may have. */
const badNames = fc.tuple(
  fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/),
  fc.constantFrom(..." ?*#%&+=,;!\"'<>|\\^~(){}[]$\u0000\u007fé😀"),
  fc.stringMatching(/^[a-z0-9]{1,9}$/),
).map((parts) => refusedName(parts.join("")));

/** Throws unless a registry without TLS gets another answer when `insecure` allows it. */
async function requireOtherAnswer(
  refusal: Transcript,
  server: OpenServer,
  run: CheckRun,
  subject: ServerSubject,
): Promise<void> {
  const body = pullBody(server, { insecure: true, stream: true }, PLAIN_REGISTRY_MODEL);
  const allowed = await (await ask(server, { body }, run)).readAll();
  if (allowed.text !== refusal.text) return requireFailure(allowed); // nothing listens there
  const exchanges = [refusal.exchange, allowed.exchange];
  const because = await causeOfAll(subject, run);
  throw new Violation("another answer with `insecure`", allowed.text, exchanges, because);
}

/** The rules. */
export const refusalRules: readonly Rule<ServerSubject>[] = [
  refusalRule({
    id: "S-ERR-1",
    title: "A request without a body is refused",
    cites: 'observed: 400 {"error":"missing request body"}',
  }),
  refusalRule({
    id: "S-ERR-2",
    title: "A body that is not JSON is refused",
    cites: "observed: 400 with the parser's message",
  }, { byChance: cutBodies }),
  refusalRule({
    id: "S-ERR-3",
    title: "A field of the wrong type is refused",
    cites: "observed: 400 with the parser's message",
  }, { byChance: wrongTypes }),
  refusalRule({
    id: "S-ERR-4",
    title: "An invalid name is refused",
    cites: 'observed: 400 {"error":"invalid model name"}',
  }, { byChance: badNames }),
  refusalRule({
    id: "S-ERR-5",
    title: "A registry without TLS is not used, unless `insecure` allows it",
    cites:
      'spec: "insecure: (optional) allow insecure connections to the library"; observed: the ' +
      "pull fails before the first line or after it",
  }, { compare: requireOtherAnswer }),
  refusalRule({
    id: "S-ERR-6",
    title: "A model that the registry does not have is an error",
    cites:
      'observed: "pulling manifest", then {"error":"pull model manifest: file does not exist"}',
  }),
  refusalRule({
    id: "S-ERR-7",
    title: "A failed pull without a stream is an HTTP error",
    cites: 'observed: with `stream` false, a status of 400 or above with {"error":"…"}',
  }),
  refusalRule({
    id: "S-ERR-8",
    title: "Another method is refused",
    cites: "observed: 404 or 405",
  }),
];
