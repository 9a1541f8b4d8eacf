/**
 * Rules about requests that are refused, and pulls that fail.
 *
 * @module
 */

import fc from "fast-check";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { causeOfAll, PLAIN_WORLD, REFUSAL, requireSuccess, sawRefusal } from "../plain_pull.ts";
import { slowWorlds, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSubject, unlessHas, type World } from "../subject.ts";
import { absentModel, ask, pullAll, pullBody, type Transcript } from "../transcript.ts";

type Info = Pick<Rule<ServerSubject>, "id" | "title" | "cites">;

/** Throws unless an answer has one of the statuses and an error message. */
function requireRefusal({ status, text, exchange }: Transcript, statuses: readonly number[]): void {
  if (!statuses.includes(status)) {
    throw new Violation(`HTTP ${statuses.join(" or ")}`, `HTTP ${status}`, [exchange]);
  }
  if (errorIn(text) !== undefined) return;
  throw new Violation('{"error":"…"}', JSON.stringify(text), [exchange]);
}

function errorIn(text: string): string | undefined {
  try {
    const { error } = Object(JSON.parse(text));
    return typeof error === "string" && error !== "" ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Throws unless a pull fails: by its status, or by an error as its last object. */
function requireFailure({ status, text, statuses, exchange }: Transcript): void {
  const success = statuses.find(({ kind }) => kind === "success");
  if (success) throw new Violation("no success", '"success"', [exchange]);
  const isReported = status >= 400
    ? errorIn(text) !== undefined
    : statuses.at(-1)?.kind === "error";
  if (isReported) return;
  const seen = `HTTP ${status} and ${JSON.stringify(statuses.at(-1)?.status ?? text)} at the end`;
  throw new Violation('an {"error":"…"} as the last object', seen, [exchange]);
}

/** A rule about bodies that are refused. */
function refusalRule(
  info: Info,
  bodies: fc.Arbitrary<unknown>,
  statuses: readonly number[] = [400],
): Rule<ServerSubject> {
  return rule<ServerSubject, unknown>({
    ...info,
    side: "server",
    level: "observed",
    evidence: REFUSAL,
    maxRuns: 30,
    inputs: bodies,
    check: (subject, body, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        requireRefusal(await (await ask(server, { body }, run)).readAll(), statuses);
        await sawRefusal(subject, run);
      }),
  });
}

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

/** Names that are invalid in one place. */
const badNames = fc.constantFrom(
  "a b",
  "../../etc/passwd",
  "a//b",
  "name:",
  ":tag",
  "a/b/c/d/e",
  "-name",
  "na\u0000me",
  "x".repeat(400),
  "модель",
);

/** The end of a name that no registry has: without a tag, and with one. */
const absentTags = fc.constantFrom("", ":none");

/** The rules. */
export const errorRules: readonly Rule<ServerSubject>[] = [
  refusalRule({
    id: "S-ERR-1",
    title: "A request without a body is refused",
    cites: 'observed: 400 {"error":"missing request body"}',
  }, fc.constant("")),
  refusalRule({
    id: "S-ERR-2",
    title: "A body that is not JSON is refused",
    cites: "observed: 400 with the parser's words",
  }, fc.constantFrom("model", "{", '{"model":', "<html>", '{"model" "x"}', "{'model':'x'}")),
  refusalRule(
    {
      id: "S-ERR-3",
      title: "A field of the wrong type is refused",
      cites: "observed: 400 with the parser's words",
    },
    fc.constantFrom<unknown[]>(
      { model: 5 },
      { model: ["x"] },
      { model: "x", stream: "yes" },
      { model: "x", insecure: 1 },
      ["x"],
      "5",
    ),
  ),
  refusalRule(
    {
      id: "S-ERR-4",
      title: "An invalid name is refused",
      cites: 'observed: 400 {"error":"invalid model name"}',
    },
    fc.oneof(badNames.map((model) => ({ model })), fc.constant({}), fc.constant({ model: "" })),
  ),
  rule<ServerSubject, Record<string, unknown>>({
    id: "S-ERR-5",
    side: "server",
    level: "observed",
    title: "A registry without TLS is not used, unless `insecure` allows it",
    cites:
      'spec: "insecure: (optional) allow insecure connections to the library"; observed: the ' +
      "pull fails before the first line or after it",
    evidence: REFUSAL,
    maxRuns: 2,
    inputs: fc.constantFrom<Record<string, unknown>>({}, { insecure: false }),
    check: (subject, fields, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        const model = "http://127.0.0.1:9/library/x"; // where nothing listens
        const answer = async (fields: Record<string, unknown>) => {
          const body = pullBody(server, { insecure: undefined, stream: true, ...fields }, model);
          return await (await ask(server, { body }, run)).readAll();
        };
        const refused = await answer(fields);
        requireFailure(refused);
        await sawRefusal(subject, run);
        const allowed = await answer({ insecure: true });
        if (allowed.text !== refused.text) return;
        const exchanges = [refused.exchange, allowed.exchange];
        const because = await causeOfAll(subject, run);
        throw new Violation("another answer with `insecure`", allowed.text, exchanges, because);
      }),
  }),
  rule<ServerSubject, string>({
    id: "S-ERR-6",
    side: "server",
    level: "observed",
    title: "A model that the registry does not have is an error",
    cites:
      'observed: "pulling manifest", then {"error":"pull model manifest: file does not exist"}',
    evidence: REFUSAL,
    maxRuns: 3,
    inputs: absentTags,
    check: (subject, tag, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        const body = pullBody(server, { stream: true }, absentModel(server, tag));
        requireFailure(await (await ask(server, { body }, run)).readAll());
        await sawRefusal(subject, run);
      }),
  }),
  rule<ServerSubject, string>({
    id: "S-ERR-7",
    side: "server",
    level: "observed",
    title: "A failed pull without a stream is an HTTP error",
    cites: 'observed: with `stream` false, a status of 400 or above with {"error":"…"}',
    evidence: REFUSAL,
    maxRuns: 3,
    inputs: absentTags,
    check: (subject, tag, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        const body = pullBody(server, { stream: false }, absentModel(server, tag));
        const pulling = await ask(server, { body }, run);
        const transcript = await pulling.readAll();
        if (transcript.status < 400) {
          const seen = `HTTP ${transcript.status}`;
          throw new Violation("HTTP 400 or above", seen, [transcript.exchange]);
        }
        requireFailure(transcript);
        await sawRefusal(subject, run);
      }),
  }),
  rule<ServerSubject, string>({
    id: "S-ERR-8",
    side: "server",
    level: "observed",
    title: "Another method is refused",
    cites: "observed: 404 or 405",
    evidence: REFUSAL,
    inputs: fc.constantFrom("GET", "PUT", "DELETE", "PATCH"),
    maxRuns: 8,
    check: (subject, method, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        const response = await server.fetch("/api/pull", { method, signal: run.signal });
        const { status } = response;
        await response.body?.cancel();
        await sawRefusal(subject, run);
        if (status === 404 || status === 405) return;
        const exchange = { request: `${method} /api/pull` };
        throw new Violation("HTTP 404 or 405", `HTTP ${status}`, [exchange]);
      }),
  }),
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
  rule<ServerSubject, unknown>({
    id: "S-ERR-11",
    side: "server",
    level: "should",
    title: "A refused request does no harm to the next one",
    cites: "A server serves more than one client",
    evidence: "a refused request, and a pull after it",
    maxRuns: 10,
    inputs: fc.constantFrom<unknown[]>("", "{", { model: 5 }, { model: "a b" }),
    check: (subject, body, run) =>
      withServer(subject, PLAIN_WORLD, async (server) => {
        const { status, statuses } = await (await ask(server, { body }, run)).readAll();
        await requireSuccess(subject, await pullAll(server, run), run);
        if (status >= 400 || statuses.at(-1)?.kind === "error") run.saw();
      }),
  }),
];
