/**
 * Rules about HTTP. They make few requests of their own, but are checked against every exchange of a run.
 *
 * @module
 */

import fc from "fast-check";
import { type Rule, rule, Violation } from "../../rule.ts";
import { isJsonObject, NDJSON_TYPE } from "../../../src/ndjson.ts";
import { pullAskedFor, type Seen } from "../invariants/seen.ts";
import { READY_SETUP, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSubject, unlessHas } from "../subject.ts";
import { absentModel, ask, parseJson, pullBody } from "../transcript.ts";

/** A rule about HTTP. */
export interface HttpRule extends Rule<ServerSubject> {
  /** Checks an exchange. Throws a `Violation` if the rule is broken. */
  readonly look: (seen: Seen, saw: () => void) => void;
}

/** Requests with different answers: a stream, an object, an error, a refusal. */
const requests: readonly ((server: OpenServer) => unknown)[] = [
  (server) => pullBody(server, { stream: true }),
  (server) => pullBody(server, { stream: false }),
  (server) => pullBody(server, { stream: true }, absentModel(server)),
  (server) => pullBody(server, { stream: false }, absentModel(server)),
  () => "{",
];

function httpRule(
  info: Pick<Rule<ServerSubject>, "id" | "level" | "title" | "cites" | "evidence" | "skips">,
  look: HttpRule["look"],
): HttpRule {
  const made = rule<ServerSubject, (server: OpenServer) => unknown>({
    ...info,
    side: "server",
    decisive: requests,
    inputs: fc.constantFrom(...requests),
    maxRuns: requests.length,
    pulls: 0, // the model may already be on disk
    // The watcher of all exchanges finds out whether it is broken.
    check: (subject, bodyOf, run) =>
      withServer(subject, READY_SETUP, async (server) => {
        await (await ask(server, { body: bodyOf(server) }, run)).readAll();
      }),
  });
  return { ...made, look };
}

/** The media type in a header, without its parameters. */
function mediaType(contentType: string | null): string | undefined {
  return contentType?.split(";")[0]?.trim().toLowerCase();
}

/** The rules. */
export const httpRules: readonly HttpRule[] = [
  httpRule({
    id: "S-HTTP-1",
    level: "must",
    title: "An answer is valid HTTP, and ends as HTTP requires",
    cites: "RFC 9112, 8: an answer that ends before its length or its last chunk is incomplete",
    evidence: "an answer over a socket",
    skips: unlessHas("wire"),
  }, ({ wire, transcript: { exchange } }, saw) => {
    if (wire === undefined) return;
    saw();
    const [problem] = wire.problems;
    if (problem !== undefined) throw new Violation("valid HTTP", problem, [exchange]);
  }),
  httpRule({
    id: "S-HTTP-2",
    level: "should",
    title: "An answer is not compressed, unless the request allows it",
    cites:
      "RFC 9110, 8.4 and 12.5.3: a coding that the request does not name may not be understood",
    evidence: "an answer to a request that allows no coding",
  }, ({ acceptEncoding, fields, transcript: { exchange } }, saw) => {
    if (acceptEncoding !== null && acceptEncoding !== "identity") return;
    saw();
    const coding = fields.get("Content-Encoding");
    if (coding === null || coding === "identity") return;
    throw new Violation("no coding", `Content-Encoding: ${coding}`, [exchange]);
  }),
  httpRule({
    id: "S-HTTP-3",
    level: "observed",
    title: "Single objects and refusals are JSON, and declare it",
    cites:
      'observed: Content-Type: application/json, and {"error":"…"} with a status of 400 or above',
    evidence: "a single object or a refusal",
  }, (seen, saw) => {
    const asked = pullAskedFor(seen);
    const { status, contentType, text, exchange } = seen.transcript;
    const isRefused = status >= 400;
    if (seen.method !== "POST" || seen.path !== "/api/pull" || !seen.isWhole) return;
    if (!isRefused && (asked?.isStreamed !== false || mediaType(contentType) === NDJSON_TYPE)) {
      return;
    }
    saw();
    if (mediaType(contentType) !== "application/json") {
      throw new Violation("application/json", contentType ?? "no content type", [exchange]);
    }
    const value = parseJson(text);
    const isFine = isJsonObject(value) && (!isRefused || hasError(value));
    if (isFine) return;
    const expected = isRefused ? '{"error":"…"}' : "one object";
    throw new Violation(expected, JSON.stringify(text), [exchange]);
  }),
];

function hasError({ error }: Readonly<Record<string, unknown>>): boolean {
  return typeof error === "string" && error !== "";
}
