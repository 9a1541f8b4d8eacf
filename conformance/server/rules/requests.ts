/**
 * Rules about the forms that a request may have.
 *
 * @module
 */

import fc from "fast-check";
import { type CheckRun, type Rule, rule, Violation } from "../../rule.ts";
import { withServer, worlds } from "../server_states.ts";
import type { OpenServer, ServerSubject, World } from "../subject.ts";
import { causeOfAll, requireSuccess, SUCCESS } from "../plain_pull.ts";
import {
  ask,
  isSingleObject,
  pullAll,
  pullBody,
  type PullRequest,
  type Transcript,
} from "../transcript.ts";

/** The headers of a request by `curl -d`. */
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** A request that is to be answered with a stream. */
type Form = (server: OpenServer) => PullRequest;

/** Throws unless the answer is a stream of objects that ends in `success`. */
async function requireStream(
  subject: ServerSubject,
  server: OpenServer,
  transcript: Transcript,
  run: CheckRun,
): Promise<void> {
  const { status, statuses, exchange } = transcript;
  await requireSuccess(subject, transcript, run);
  if (status !== 200) throw new Violation("HTTP 200", `HTTP ${status}`, [exchange]);
  run.saw();
  if (statuses.length > 1) return;
  const because = isSingleObject(await pullAll(server, run)) ? "S-REQ-2" : undefined;
  throw new Violation("a stream of objects", "a single object", [exchange], because);
}

/** A rule about forms of request that are to be answered with a stream. */
function streamRule(
  info: Pick<Rule<ServerSubject>, "id" | "level" | "title" | "cites">,
  ...forms: Form[]
): Rule<ServerSubject> {
  return rule<ServerSubject, [World, Form]>({
    ...info,
    side: "server",
    evidence: SUCCESS,
    maxRuns: 20,
    inputs: fc.tuple(worlds(), fc.constantFrom(...forms)),
    check: (subject, [world, form], run) =>
      withServer(subject, world, async (server) => {
        await requireStream(
          subject,
          server,
          await (await ask(server, form(server), run)).readAll(),
          run,
        );
      }),
  });
}

/** The rules. */
export const requestRules: readonly Rule<ServerSubject>[] = [
  streamRule({
    id: "S-REQ-1",
    level: "must",
    title: "Without `stream`, the answer is a stream of objects",
    cites:
      'spec: "If stream is not specified, or set to true, a stream of JSON objects is returned"',
  }, (server) => ({ body: pullBody(server) })),
  streamRule({
    id: "S-REQ-2",
    level: "must",
    title: "With `stream` true, the answer is a stream of objects",
    cites:
      'spec: "If stream is not specified, or set to true, a stream of JSON objects is returned"',
  }, (server) => ({ body: pullBody(server, { stream: true }) })),
  rule<ServerSubject, World>({
    id: "S-REQ-3",
    side: "server",
    level: "must",
    title: "With `stream` false, the answer is exactly one object",
    cites: 'spec: "if stream is set to false, then the response is a single JSON object"',
    evidence: "an answer",
    maxRuns: 10,
    inputs: worlds(),
    check: (subject, world, run) =>
      withServer(subject, world, async (server) => {
        const pulling = await ask(server, { body: pullBody(server, { stream: false }) }, run);
        const { text, exchange } = await pulling.readAll();
        run.saw();
        if (isSingleSuccess(text)) return;
        const because = await causeOfAll(subject, run);
        const expected = '{"status":"success"} and nothing else';
        throw new Violation(expected, JSON.stringify(text), [exchange], because);
      }),
  }),
  streamRule(
    {
      id: "S-REQ-4",
      level: "observed",
      title: "`name` stands for `model` where that is absent or empty",
      cites: 'observed: a command line sends {"model":"","name":"…"}',
    },
    (server) => ({
      body: pullBody(server, { model: undefined, name: server.model, stream: true }),
    }),
    (server) => ({
      body: pullBody(server, {
        model: "",
        name: server.model,
        username: "",
        password: "",
        stream: true,
      }),
    }),
  ),
  streamRule(
    {
      id: "S-REQ-5",
      level: "observed",
      title: "The content type of the request does not matter, nor whether there is one",
      cites: "observed: curl -d sends JSON as application/x-www-form-urlencoded, and it is taken",
    },
    ...[{}, FORM, { "Content-Type": "text/plain" }].map((headers): Form => {
      return (server) => ({ body: pullBody(server, { stream: true }), headers });
    }),
  ),
  streamRule({
    id: "S-REQ-6",
    level: "must",
    title: "`insecure` is accepted",
    cites: 'spec: "insecure: (optional) allow insecure connections to the library"',
  }, (server) => ({ body: pullBody(server, { insecure: true, stream: true }) })),
  rule<ServerSubject, [World, Record<string, unknown>]>({
    id: "S-REQ-7",
    side: "server",
    level: "should",
    title: "Unknown fields do no harm",
    cites: "Clients of other versions send other fields",
    evidence: SUCCESS,
    maxRuns: 20,
    inputs: fc.tuple(
      worlds(),
      fc.dictionary(fc.constantFrom("x", "keep_alive", "__proto__"), fc.jsonValue()),
    ),
    check: (subject, [world, more], run) =>
      withServer(subject, world, async (server) => {
        const body = { ...more, ...pullBody(server, { stream: true }) };
        await requireStream(
          subject,
          server,
          await (await ask(server, { body }, run)).readAll(),
          run,
        );
      }),
  }),
  streamRule(
    {
      id: "S-REQ-8",
      level: "must",
      title: "`model` alone names the model",
      cites: 'spec: "model: name of the model to pull"',
    },
    (server) => ({
      body: pullBody(server, { model: server.model, name: undefined, stream: true }),
    }),
  ),
];

function isSingleSuccess(text: string): boolean {
  try {
    return JSON.parse(text)?.status === "success";
  } catch {
    return false;
  }
}
