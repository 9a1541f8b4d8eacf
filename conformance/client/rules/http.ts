/**
 * Rules about HTTP answers that are not a pull: a client must not report success for them.
 *
 * @module
 */

import fc from "fast-check";
import { blaming } from "../../blame.ts";
import { type CheckRun, Inconclusive, type Rule, rule } from "../../rule.ts";
import { type ClientUnderTest, observe } from "../observation.ts";
import { expectSuccess, FAILURE, requireFailure } from "../plain_pull.ts";
import { wholePull } from "../pull_states.ts";
import type { ContentCoding } from "../scripted_server.ts";
import { encode, lines, messages } from "../wire_bytes.ts";
import { errorShapes, PLAIN_WORDS } from "./errors.ts";

const failingStatuses = fc.constantFrom(500, 400, 401, 403, 404, 429, 502, 503, 504);

/** A line by itself that looks as if the pull had succeeded. */
const SUCCESS_LINE = '{"status":"success"}';

/** Bodies of HTTP errors other than `{"error":"…"}`. */
const errorBodies = errorShapes({
  "OpenAI's": (message) => ({ error: { message, type: "server_error", param: null, code: null } }),
  "FastAPI's": (detail) => ({ detail }),
  "a registry's": (message) => ({ errors: [{ code: "UNKNOWN", message }] }),
  "a message": (message) => ({ message }),
});

/** Whether a client does not report even the simplest HTTP error, which breaks C-HTTP-1. */
async function ignoresRefusals(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const chunks = [encode(JSON.stringify({ error: PLAIN_WORDS }))];
  const script = { status: 500, contentType: "application/json", chunks };
  const { failure } = await observe(client, script, run);
  return !failure?.includes(PLAIN_WORDS) && !failure?.includes("500");
}

/** The body of an HTTP error. */
interface ErrorBody {
  readonly status: number;
  readonly body: string;
}

/** A page with a title, and some text on a line by itself. */
function page(title: string, text = ""): string {
  return `<!doctype html><html lang="en"><head><title>${title}</title></head>\n${text}\n</html>\n`;
}

/** Kinds of bodies, by rule. */
const KINDS = [
  {
    id: "C-HTTP-1",
    kind: "a JSON body",
    contentType: "application/json",
    bodies: [JSON.stringify({ error: PLAIN_WORDS }), `${SUCCESS_LINE}\n`],
    cites: 'observed: a status of 400 or above comes with {"error":"…"}',
    reason: [PLAIN_WORDS],
  },
  {
    id: "C-HTTP-2",
    kind: "an HTML body",
    contentType: "text/html",
    bodies: [page("Bad Gateway"), page("Bad Gateway", SUCCESS_LINE)],
    cites: "observed: proxies answer with their own page when they cannot reach the server",
    reason: [],
  },
  {
    id: "C-HTTP-3",
    kind: "an empty body",
    contentType: "text/plain",
    bodies: [""],
    cites: "observed: proxies and load balancers answer with a status and no body",
    reason: [],
  },
];

/** How a proxy may compress an answer. */
const CODINGS: readonly ContentCoding[] = ["gzip", "deflate"];

/** Why a rule about compressed answers cannot be tested, or `undefined` if it can. */
function unlessCompressing({ transport }: ClientUnderTest): string | undefined {
  if (transport === "in-process") return "Answers in process are not compressed";
  return typeof CompressionStream === "undefined"
    ? "This runtime has no `CompressionStream` to compress answers"
    : undefined;
}

/** The rules. */
export const httpRules: readonly Rule<ClientUnderTest>[] = [
  ...KINDS.map(({ id, kind, contentType, bodies, cites, reason }) =>
    rule<ClientUnderTest, ErrorBody>({
      id,
      side: "client",
      level: "should",
      title: `An HTTP error with ${kind} is a failure that says what happened`,
      cites,
      evidence: FAILURE,
      maxRuns: 20,
      decisive: [500, 404].flatMap((status) => bodies.map((body) => ({ status, body }))),
      inputs: fc.record({ status: failingStatuses, body: fc.constantFrom(...bodies) }),
      async check(client, { status, body }, run) {
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
    title: "An HTTP error in another server's format is a failure, with its message",
    cites: "observed: gateways and compatible servers have their own error formats",
    evidence: FAILURE,
    maxRuns: 20,
    decisive: errorBodies.map((shape, index) => ({
      status: index % 2 === 0 ? 500 : 404,
      text: "é中😀 failed",
      shape,
    })),
    inputs: fc.record({
      status: failingStatuses,
      text: messages(),
      shape: fc.constantFrom(...errorBodies),
    }),
    async check(client, { status, text, shape }, run) {
      const chunks = [encode(JSON.stringify(shape.of(text)))];
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
    title: "A web page instead of a pull is a failure that says so",
    cites: "observed: login pages and the index pages of web apps come with status 200",
    evidence: FAILURE,
    maxRuns: 10,
    decisive: [
      { title: "Sign in to Wi-Fi", text: "" },
      { title: "Open WebUI", text: SUCCESS_LINE },
    ],
    inputs: fc.record({
      title: fc.constantFrom("Sign in to Wi-Fi", "Open WebUI", "Just a moment..."),
      text: fc.constantFrom("", SUCCESS_LINE),
    }),
    async check(client, { title, text }, run) {
      const script = {
        contentType: "text/html; charset=utf-8",
        chunks: [encode(page(title, text))],
      };
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
    id: "C-HTTP-6",
    side: "client",
    level: "observed",
    title: "A client that accepts a compression understands it",
    cites:
      "observed: clients decode the codings that they accept (RFC 9110, 12.5.3), and proxies compress",
    evidence: "a compressed answer",
    maxRuns: 2,
    skips: unlessCompressing,
    decisive: CODINGS,
    inputs: fc.constantFrom(...CODINGS),
    async check(client, coding, run) {
      const script = { chunks: lines(wholePull.statuses), coding };
      const observation = await observe(client, script, run);
      if (!observation.play.hasCompressed) {
        throw new Inconclusive("The client accepts no compression that this runtime can produce");
      }
      run.saw();
      await expectSuccess(client, observation, run);
    },
  }),
];
