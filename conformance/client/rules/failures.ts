/**
 * Rules about pulls that fail: a client must not call them a success.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../../src/bytes.ts";
import { blaming } from "../../blame.ts";
import type { PullSession, StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, observe, start } from "../observation.ts";
import { FAILURE, requireFailure } from "../plain_pull.ts";
import { unlessUpdating } from "../subject.ts";
import { encode, line, lines, partOf, smallPulls, texts } from "../wire_bytes.ts";

/** A pull that ends before `success`, after any of its lines. */
const interrupted = fc.tuple(smallPulls(), fc.nat());

/** A part of a pull that has at least its first line. */
function begunPart(session: PullSession, point: number): readonly StatusObject[] {
  const [first, ...rest] = session.statuses;
  return [first!, ...partOf({ ...session, statuses: rest }, point)];
}

const failingStatuses = fc.constantFrom(500, 400, 401, 403, 404, 429, 502, 503, 504);

/** A shape of errors, shown by its name. */
interface ErrorShape {
  /** Puts a message into it. */
  of(message: string): unknown;
  [fc.toStringMethod](): string;
}

function errorShapes(
  shapes: Readonly<Record<string, ErrorShape["of"]>>,
): fc.Arbitrary<ErrorShape> {
  return fc.constantFrom(
    ...Object.entries(shapes).map(([name, of]) => ({ of, [fc.toStringMethod]: () => name })),
  );
}

/** The objects that come as the `error` of a line. */
const errorObjects = errorShapes({
  "a message": (message) => ({ message }),
  "OpenAI's": (message) => ({ message, type: "server_error", param: null, code: null }),
  "with a code": (message) => ({ code: 500, message }),
});

/** The bodies of HTTP errors that are not `{"error":"…"}`. */
const errorBodies = errorShapes({
  "OpenAI's": (message) => ({ error: { message, type: "server_error", param: null, code: null } }),
  "FastAPI's": (detail) => ({ detail }),
  "a registry's": (message) => ({ errors: [{ code: "UNKNOWN", message }] }),
  "a message": (message) => ({ message }),
});

/** What servers say in the simplest errors. */
const PLAIN_WORDS = "something went wrong";

/** Whether a client does not even heed the simplest error line, which breaks C-ERR-1. */
async function ignoresErrors(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const chunks = lines([{ status: "pulling manifest" }, { error: PLAIN_WORDS }]);
  const { failure } = await observe(client, { chunks }, run);
  return !failure?.includes(PLAIN_WORDS);
}

/** Whether a client does not even tell the simplest HTTP error, which breaks C-HTTP-1. */
async function ignoresRefusals(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const chunks = [encode(JSON.stringify({ error: PLAIN_WORDS }))];
  const script = { status: 500, contentType: "application/json", chunks };
  const { failure } = await observe(client, script, run);
  return !failure?.includes(PLAIN_WORDS) && !failure?.includes("500");
}

/** Whether a client takes the end of a stream for success, which breaks C-END-1. */
async function takesEndForSuccess(
  client: ClientUnderTest,
  statuses: readonly StatusObject[],
  run: CheckRun,
): Promise<boolean> {
  return (await observe(client, { chunks: lines(statuses) }, run)).failure === undefined;
}

/** The rules. */
export const failureRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-ERR-1",
    side: "client",
    level: "observed",
    title: "An error line is a failure, with its message",
    cites:
      'observed: what fails after the first line ends the stream with {"error":"…"}; the status is 200',
    evidence: FAILURE,
    inputs: fc.tuple(smallPulls(), fc.nat(), texts()),
    async check(client, [session, point, text], run) {
      const sent = [...begunPart(session, point), { error: text }];
      const observation = await observe(client, { chunks: lines(sent) }, run);
      await requireFailure(
        client,
        observation,
        `the stream ended in the error ${JSON.stringify(text)}`,
        [text],
        run,
      );
    },
  }),
  rule({
    id: "C-ERR-2",
    side: "client",
    level: "observed",
    title: "An error line is a failure even if it is the first",
    cites: "observed: a model that cannot be pulled is an error line at the start of the stream",
    evidence: FAILURE,
    maxRuns: 20,
    inputs: texts(),
    async check(client, text, run) {
      const observation = await observe(client, { chunks: [line({ error: text })] }, run);
      await blaming(
        "C-ERR-1",
        () => ignoresErrors(client, run),
        () =>
          requireFailure(
            client,
            observation,
            `the stream began with the error ${JSON.stringify(text)}`,
            [text],
            run,
          ),
      );
    },
  }),
  rule({
    id: "C-ERR-3",
    side: "client",
    level: "should",
    title: "Nothing that comes after an error counts",
    cites: "observed: nothing follows an error, so a later line is not from this pull",
    evidence: FAILURE,
    inputs: fc.tuple(smallPulls(), fc.nat()),
    async check(client, [session, point], run) {
      const before = partOf(session, point);
      const after = session.statuses.slice(before.length);
      const sent = [...before, { error: "max retries exceeded: EOF" }, ...after];
      const observation = await observe(client, { chunks: [concatBytes(lines(sent))] }, run);
      await blaming(
        "C-ERR-1",
        () => ignoresErrors(client, run),
        () => requireFailure(client, observation, "there was an error before the success", [], run),
      );
    },
  }),
  rule({
    id: "C-ERR-4",
    side: "client",
    level: "should",
    title: "An error that is an object is a failure, with its message",
    cites: 'observed: servers and gateways in the style of OpenAI send {"error":{"message":"…"}}',
    evidence: FAILURE,
    maxRuns: 20,
    inputs: fc.tuple(smallPulls(), fc.nat(), texts(), errorObjects),
    async check(client, [session, point, text, toError], run) {
      const sent = [...begunPart(session, point), { error: toError.of(text) }];
      const observation = await observe(client, { chunks: lines(sent) }, run);
      await blaming(
        "C-ERR-1",
        () => ignoresErrors(client, run),
        () =>
          requireFailure(
            client,
            observation,
            `the stream ended in the error ${JSON.stringify(text)}`,
            [text],
            run,
          ),
      );
    },
  }),
  ...[
    {
      id: "C-HTTP-1",
      kind: "a JSON body",
      contentType: "application/json",
      body: '{"error":"something went wrong"}',
      cites: 'observed: a status of 400 or above comes with {"error":"…"}',
      reason: ["something went wrong"],
    },
    {
      id: "C-HTTP-2",
      kind: "an HTML body",
      contentType: "text/html",
      body: "<html>\n<head><title>Bad Gateway</title></head>\n<body>\n</body>\n</html>\n",
      cites: "observed: proxies answer with a page of their own when the server is not there",
      reason: [],
    },
    {
      id: "C-HTTP-3",
      kind: "an empty body",
      contentType: "text/plain",
      body: "",
      cites: "observed: proxies and load balancers answer with a status and no body",
      reason: [],
    },
  ].map(({ id, kind, contentType, body, cites, reason }) =>
    rule<ClientUnderTest, number>({
      id,
      side: "client",
      level: "should",
      title: `An HTTP error with ${kind} is a failure that says what happened`,
      cites,
      evidence: FAILURE,
      maxRuns: 20,
      inputs: failingStatuses,
      async check(client, status, run) {
        const chunks = body === "" ? [] : [encode(body)];
        const observation = await observe(client, { status, contentType, chunks }, run);
        const checkFailure = () =>
          requireFailure(client, observation, `the HTTP status was ${status}`, [
            String(status),
            ...reason,
          ], run);
        if (id === "C-HTTP-1") await checkFailure();
        else await blaming("C-HTTP-1", () => ignoresRefusals(client, run), checkFailure);
      },
    })
  ),
  rule({
    id: "C-HTTP-4",
    side: "client",
    level: "should",
    title: "An HTTP error in the shape of another server is a failure, with its message",
    cites: "observed: gateways and compatible servers have shapes of their own for errors",
    evidence: FAILURE,
    maxRuns: 20,
    inputs: fc.tuple(failingStatuses, texts(), errorBodies),
    async check(client, [status, text, toBody], run) {
      const chunks = [encode(JSON.stringify(toBody.of(text)))];
      const script = { status, contentType: "application/json", chunks };
      const observation = await observe(client, script, run);
      await blaming(
        "C-HTTP-1",
        () => ignoresRefusals(client, run),
        () => requireFailure(client, observation, `the HTTP status was ${status}`, [text], run),
      );
    },
  }),
  rule({
    id: "C-HTTP-5",
    side: "client",
    level: "should",
    title: "A page in place of a pull is a failure that says so",
    cites: "observed: a login page or the index page of a web app comes with the status 200",
    evidence: FAILURE,
    maxRuns: 10,
    inputs: fc.constantFrom("Sign in to Wi-Fi", "Open WebUI", "Just a moment..."),
    async check(client, title, run) {
      const page = `<!doctype html><html lang="en"><head><title>${title}</title></head></html>\n`;
      const script = { contentType: "text/html; charset=utf-8", chunks: [encode(page)] };
      const observation = await observe(client, script, run);
      await requireFailure(
        client,
        observation,
        "the answer was a page",
        [title, "html", "HTML"],
        run,
      );
    },
  }),
  rule({
    id: "C-END-1",
    side: "client",
    level: "must",
    title: "A stream that ends without `success` is a failure",
    cites: 'spec: "After all the files are downloaded, the final responses are:" … "success"',
    evidence: FAILURE,
    inputs: interrupted,
    async check(client, [session, point], run) {
      const sent = partOf(session, point);
      const observation = await observe(client, { chunks: lines(sent) }, run);
      await requireFailure(client, observation, "the stream ended without `success`", [], run);
    },
  }),
  rule({
    id: "C-END-2",
    side: "client",
    level: "should",
    title: "A stream that is cut inside a line is a failure",
    cites: "A connection that breaks cuts anywhere; half an object is no object",
    evidence: FAILURE,
    inputs: fc.tuple(interrupted, fc.nat()),
    async check(client, [[session, point], place], run) {
      const before = partOf(session, point);
      const next = line(session.statuses[before.length]!);
      // The last two bytes end the object and its line: without them, it is not whole.
      const half = next.slice(0, 1 + place % (next.length - 2));
      const observation = await observe(client, { chunks: [...lines(before), half] }, run);
      await blaming(
        "C-END-1",
        () => takesEndForSuccess(client, before, run),
        () => requireFailure(client, observation, "the stream was cut before `success`", [], run),
      );
    },
  }),
  rule({
    id: "C-END-3",
    side: "client",
    level: "should",
    title: "A connection that breaks is a failure",
    cites: "HTTP: a chunked body without its last chunk is incomplete (RFC 9112, 8)",
    evidence: FAILURE,
    inputs: interrupted,
    async check(client, [session, point], run) {
      const before = partOf(session, point);
      const script = { chunks: lines(before), ending: "reset" } as const;
      const observation = await observe(client, script, run);
      await blaming(
        "C-END-1",
        () => takesEndForSuccess(client, before, run),
        () => requireFailure(client, observation, "the connection broke before `success`", [], run),
      );
    },
  }),
  rule({
    id: "C-DONE-1",
    side: "client",
    level: "must",
    title: "Success is reported only after the server has said `success`",
    cites: 'spec: "After all the files are downloaded, the final responses are:" … "success"',
    evidence: "a success that the client reports after it was sent",
    maxRuns: 10,
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const chunks = lines(statuses);
      const running = start(client, { chunks, holdBefore: chunks.length - 1 }, run);
      await running.settled();
      const wasOver = running.isOver();
      const wasTold = running.updates.some(isSuccess);
      running.play.release();
      const { failure, play } = await running.result;
      if (wasOver && failure !== undefined) {
        throw new Inconclusive(`The client failed before the server sent \`success\`: ${failure}`);
      }
      if (wasOver || wasTold) {
        throw new Violation("the client to wait for `success`", "success", [play.exchange]);
      }
      if (failure === undefined) run.saw();
    },
  }),
  rule({
    id: "C-DONE-2",
    side: "client",
    level: "should",
    title: "Success is reported once",
    cites: 'spec: "the final responses are:", of which one is "success"',
    evidence: "a success among the updates",
    skips: (client: ClientUnderTest) => unlessUpdating(client),
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const { updates, play } = await observe(client, { chunks: lines(statuses) }, run);
      const count = updates.filter(isSuccess).length;
      if (count > 0) run.saw();
      if (count <= 1) return;
      throw new Violation("one success", `${count} successes`, [play.exchange]);
    },
  }),
];

function isSuccess(update: unknown): boolean {
  return (Object(update) as { status?: unknown }).status === "success";
}
