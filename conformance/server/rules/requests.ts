/**
 * Rules about the forms that a request may have.
 *
 * @module
 */

import fc from "fast-check";
import { type Rule, rule, Violation } from "../../rule.ts";
import { causeOfAll, PLAIN_SETUP } from "../plain_pull.ts";
import { READY_SETUP, setups, withServer } from "../server_states.ts";
import type { OpenServer, ServerSetup, ServerSubject } from "../subject.ts";
import {
  absentModel,
  ask,
  isSingleSuccess,
  pullBody,
  type PullRequest,
  type Transcript,
} from "../transcript.ts";
import { bodyRules } from "./bodies.ts";
import { type ClientHeaders, clientHeaders, expectingHeaders } from "./client_headers.ts";
import { type Form, streamRule } from "./forms.ts";

/** The content types that clients declare, if any. */
const CONTENT_TYPES = [
  undefined,
  "application/x-www-form-urlencoded", // as `curl -d` and PowerShell do
  "text/plain",
  "text/plain;charset=UTF-8",
  "application/json; charset=utf-8",
  "application/JSON;charset=UTF-8",
  "application/x-ndjson",
  "application/octet-stream",
  "text/html",
];

/** A form with additional fields. */
function withFields(more: Readonly<Record<string, unknown>>): Form {
  return (server) => ({ body: { ...more, ...pullBody(server, { stream: true }) } });
}

/** A form with some headers. */
function withHeaders(headers: ClientHeaders): Form {
  return (server) => ({ body: pullBody(server, { stream: true }), headers });
}

function nested(depth: number): unknown {
  return depth === 0 ? [] : { x: [nested(depth - 1)] };
}

/** How deeply unknown fields are nested, and how long they are. */
const DEPTH = 50;
const LENGTH = 1_000;

/** Values of unknown fields. */
const UNKNOWN_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1.5e300,
  2 ** 53,
  "",
  "\u0000é\u2028😀\ud800",
  "x".repeat(LENGTH),
  [],
  {},
  [null, [1, "x"], { x: null }],
  { model: 5, stream: "no" },
  nested(DEPTH),
];

/** Names of unknown fields: those of other endpoints and versions, and those that all objects inherit. */
const UNKNOWN_NAMES = [
  ...["x", "", "keep_alive", "options", "quantize", "modelfile", "path", "é😀"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
];

/** Headers that no server knows. */
const unknownHeaders = fc.dictionary(
  fc.stringMatching(/^X-[A-Za-z0-9][A-Za-z0-9-]{0,20}$/),
  fc.stringMatching(/^[!-~]{0,200}$/),
);

/** The rules. */
export const requestRules: readonly Rule<ServerSubject>[] = [
  streamRule({
    id: "S-REQ-1",
    level: "must",
    title: "Without `stream`, the answer is a stream of objects",
    cites:
      'spec: "If stream is not specified, or set to true, a stream of JSON objects is returned"',
    forms: [(server) => ({ body: pullBody(server) })],
  }),
  streamRule({
    id: "S-REQ-2",
    level: "must",
    title: "With `stream` true, the answer is a stream of objects",
    cites:
      'spec: "If stream is not specified, or set to true, a stream of JSON objects is returned"',
    forms: [withFields({})],
  }),
  rule<ServerSubject, ServerSetup>({
    id: "S-REQ-3",
    side: "server",
    level: "must",
    title: "With `stream` false, the answer is exactly one object",
    cites: 'spec: "if stream is set to false, then the response is a single JSON object"',
    evidence: "an answer",
    decisive: [PLAIN_SETUP, READY_SETUP],
    inputs: setups().map((setup) => ({ ...setup, mayBeThere: true })),
    maxRuns: 4,
    check: (subject, setup, run) =>
      withServer(subject, setup, async (server) => {
        const pulling = await ask(server, { body: pullBody(server, { stream: false }) }, run);
        const { text, exchange } = await pulling.readAll();
        run.saw();
        if (isSingleSuccess(text)) return;
        const because = await causeOfAll(subject, run);
        const expected = '{"status":"success"} and nothing else';
        throw new Violation(expected, JSON.stringify(text), [exchange], because);
      }),
  }),
  streamRule({
    id: "S-REQ-4",
    level: "observed",
    title: "`name` is used if `model` is absent or empty",
    cites: 'observed: the `ollama` command sends {"model":"","name":"…"}',
    forms: [
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
      besideName,
    ],
  }),
  streamRule({
    id: "S-REQ-5",
    level: "observed",
    title: "The content type of the request does not matter, even if it is missing",
    cites: "observed: curl -d sends JSON as application/x-www-form-urlencoded, which is accepted",
    forms: CONTENT_TYPES.map((type) =>
      withHeaders(type === undefined ? {} : { "Content-Type": type })
    ),
  }),
  streamRule({
    id: "S-REQ-6",
    level: "must",
    title: "`insecure` is accepted",
    cites: 'spec: "insecure: (optional) allow insecure connections to the library"',
    forms: [(server) => ({ body: pullBody(server, { insecure: true, stream: true }) })],
  }),
  streamRule({
    id: "S-REQ-7",
    level: "should",
    title: "Unknown fields do no harm",
    cites: "Clients of other versions send other fields",
    forms: [
      ...UNKNOWN_VALUES.map((value) => withFields({ x: value })),
      ...UNKNOWN_NAMES.map((name) => withFields(Object.fromEntries([[name, "x"]]))),
    ],
    byChance: fc.dictionary(fc.constantFrom(...UNKNOWN_NAMES), fc.jsonValue()).map(withFields),
  }),
  streamRule({
    id: "S-REQ-8",
    level: "must",
    title: "`model` alone names the model",
    cites: 'spec: "model: name of the model to pull"',
    forms: [
      (server) => ({
        body: pullBody(server, { model: server.model, name: undefined, stream: true }),
      }),
    ],
  }),
  streamRule({
    id: "S-REQ-9",
    level: "observed",
    title:
      "The headers of clients do not matter, and the answer is not compressed even if they allow it",
    cites: "observed: the reference ignores the headers that clients send, and compresses nothing",
    forms: Object.values(clientHeaders).map(withHeaders),
    rareForms: [withHeaders(expectingHeaders)],
    byChance: fc.tuple(fc.constantFrom(...Object.values(clientHeaders)), unknownHeaders)
      .map(([headers, more]) => withHeaders({ ...headers, ...more })),
    requireMore: requireUncompressed,
  }),
  ...bodyRules,
];

/** Names the model in `model`, and another one in `name`, which must be ignored. */
function besideName(server: OpenServer): PullRequest | undefined {
  const fields = pullBody(server, { stream: true });
  if (fields.model === undefined) return undefined;
  return { body: { ...fields, name: absentModel(server) } };
}

function requireUncompressed({ contentEncoding, exchange }: Transcript): void {
  if (contentEncoding === null || contentEncoding === "identity") return;
  throw new Violation("an answer that is not compressed", contentEncoding, [exchange]);
}
