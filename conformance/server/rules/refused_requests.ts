/**
 * Requests that must be refused, grouped by their rule.
 *
 * @module
 */

import { Violation } from "../../rule.ts";
import type { OpenServer } from "../subject.ts";
import {
  absentModel,
  type ActivePull,
  parseJson,
  pullBody,
  type PullRequest,
  type Transcript,
} from "../transcript.ts";

/** A request that must be refused. */
export interface Refused {
  /** The request. */
  readonly request: (server: OpenServer) => PullRequest;
  /** Reads as much of the answer as is needed to see whether it is a refusal. @default to the end */
  readonly read?: (answering: ActivePull) => Promise<void>;
  /** Throws a {@link Violation} unless the answer refuses the request. */
  readonly require: (answer: Transcript) => void;
}

/** Throws unless an answer has one of the statuses and an error message. */
function requireRefusal({ status, text, exchange }: Transcript): void {
  if (status !== 400) throw new Violation("HTTP 400", `HTTP ${status}`, [exchange]);
  if (hasError(text)) return;
  throw new Violation('{"error":"…"}', JSON.stringify(text), [exchange]);
}

/** Whether the body of a refusal has an error that says something. */
function hasError(text: string): boolean {
  return saysSomething(Object(parseJson(text)).error);
}

/** Whether an error contains words, because nobody can act on one without. */
function saysSomething(error: unknown): boolean {
  return typeof error === "string" && error.trim() !== "";
}

/** Whether a pull was refused, or ended in an error, with a message. */
export function hasFailed({ status, text, statuses }: Transcript): boolean {
  if (status >= 400) return hasError(text);
  const last = statuses.at(-1);
  return last?.kind === "error" && saysSomething(last.error);
}

/** Throws unless a pull fails: by its status, or by an error as its last object. */
export function requireFailure(transcript: Transcript): void {
  const { status, text, statuses, exchange } = transcript;
  const success = statuses.find(({ kind }) => kind === "success");
  if (success) throw new Violation("no success", '"success"', [exchange]);
  if (hasFailed(transcript)) return;
  const seen = `HTTP ${status} and ${JSON.stringify(statuses.at(-1)?.status ?? text)} at the end`;
  throw new Violation('an {"error":"…"} as the last object', seen, [exchange]);
}

/** Throws unless a pull without a stream fails with an error status. */
function requireHttpError(transcript: Transcript): void {
  const { status, exchange } = transcript;
  if (status < 400) throw new Violation("HTTP 400 or above", `HTTP ${status}`, [exchange]);
  requireFailure(transcript);
}

/** Throws unless a method is refused. */
function requireOtherMethod({ status, exchange }: Transcript): void {
  if (status === 404 || status === 405) return;
  throw new Violation("HTTP 404 or 405", `HTTP ${status}`, [exchange]);
}

/** Throws if the answer to an OPTIONS request is a pull. */
function requireNoPull(answer: Transcript): void {
  if (answer.status >= 300) return requireOtherMethod(answer);
  if (answer.statuses.length === 0) return;
  throw new Violation("no pull", `HTTP ${answer.status} and a pull`, [answer.exchange]);
}

/** A pull with an invalid body. */
export function refusedBody(body: unknown): Refused {
  return { request: () => ({ body }), require: requireRefusal };
}

/** A pull with an invalid model name. */
export function refusedName(model: string): Refused {
  return refusedBody({ model });
}

/** The address of a registry without TLS, where nothing listens. */
export const PLAIN_REGISTRY_MODEL = "http://127.0.0.1:9/library/x";

/** A pull from a registry without TLS. */
function insecurePull(insecure: false | undefined): Refused {
  return {
    request: (server) => ({
      body: pullBody(server, { insecure, stream: true }, PLAIN_REGISTRY_MODEL),
    }),
    require: requireFailure,
  };
}

/** A pull of a model that the registry does not have. */
export function absentPull(tag: string, stream: boolean): Refused {
  return {
    request: (server) => ({ body: pullBody(server, { stream }, absentModel(server, tag)) }),
    require: stream ? requireFailure : requireHttpError,
  };
}

/** A request with a method that the path does not support. */
function wrongMethod(method: string, path: string): Refused {
  return {
    request: () => ({ method, path, body: undefined, headers: {} }),
    read: readRefusal,
    require: requireOtherMethod,
  };
}

/** In characters: so long that a server might leave it unread. */
const UNREAD_LENGTH = 4_000;

/**
 * A request with a body and a method that the path does not support. A server that leaves the body unread
 * mistakes it for the next request on the same connection.
 */
function wrongMethodWithBody(method: string, path: string): Refused {
  const unread = "x".repeat(UNREAD_LENGTH);
  return {
    ...wrongMethod(method, path),
    request: (server) => ({ method, path, body: { ...pullBody(server), unread } }),
  };
}

/** A pull with a wrong method. */
function pullBy(method: string): Refused {
  return {
    request: (server) => ({ method, body: pullBody(server, { stream: true }) }),
    read: readRefusal,
    require: requireOtherMethod,
  };
}

/** An OPTIONS request for the endpoint, with the body of a pull. */
const OPTIONS: Refused = { ...pullBy("OPTIONS"), read: readFirst, require: requireNoPull };

/** Reads a refusal to its end, so that the connection can be reused for the next request. */
async function readRefusal(answering: ActivePull): Promise<void> {
  if (answering.transcript().status >= 300) await answering.readToEnd();
  else await answering.leave();
}

/** Reads a refusal to its end, or the first object of a success, which may be that of a pull. */
async function readFirst(answering: ActivePull): Promise<void> {
  if (answering.transcript().status < 300) {
    await answering.readUntil((statuses) => statuses.length > 0);
  }
  await readRefusal(answering);
}

/** Other endpoints, which support only reading. */
const READ_PATHS = ["/", "/api/tags", "/api/version"];

/** Endings of names that no registry has, in the forms that tags may have. */
const ABSENT_TAGS = ["", ":none", ":1.5b-instruct-q4_K_M"];

/** The requests, grouped by their rule. */
export const refusedRequests = {
  "S-ERR-1": [
    ...["", " \r\n\t"].map(refusedBody),
    refusedBody(undefined),
  ],
  "S-ERR-2": [
    ...["model", "{", '{"model":', "<html>", '{"model" "x"}', "{'model':'x'}"],
    ...['{"model":"x"', '{"model":"x",}', '{model:"x"}', '{"model":"a\nb"}', '{"model":"\\x"}'],
    ...['"x', "[1,", "nul", "model=x&stream=false", "\u0000", "}"],
    // The parser's message repeats part of these; their characters take more than one byte.
    ...["модель", '{"модель"}', '{"model":"ж', '{"model":é}', '{"model":"x",模}', "😀"],
  ].map(refusedBody),
  "S-ERR-3": [
    ...[5, true, ["x"], { x: 1 }].map((model) => ({ model })),
    ...["yes", "да", 0, [], {}].map((stream) => ({ model: "x", stream })),
    ...["true", "é", 1, [], {}].map((insecure) => ({ model: "x", insecure })),
    ...[["x"], "5", "true", '"x"', "[]"],
  ].map(refusedBody),
  "S-ERR-4": [
    ...["a b", "../../etc/passwd", "a//b", "name:", ":tag", "a/b/c/d/e", "-name", "na\u0000me"],
    ...[
      "x".repeat(400),
      "модель",
      "x:é",
      "模/😀",
      "/",
      ".",
      "a?b",
      "a\\b",
      "a/b:c/d:",
      "<x>",
      "$x",
      "%2e%2e/x",
    ],
  ].map(refusedName).concat([{}, { model: "" }, { model: null }, "null"].map(refusedBody)),
  "S-ERR-5": [insecurePull(undefined), insecurePull(false)],
  "S-ERR-6": ABSENT_TAGS.map((tag) => absentPull(tag, true)),
  "S-ERR-7": ABSENT_TAGS.map((tag) => absentPull(tag, false)),
  "S-ERR-8": [
    ...["GET", "HEAD"].map((method) => wrongMethod(method, "/api/pull")),
    ...["PUT", "PATCH", "DELETE"].map(pullBy),
    OPTIONS,
    ...READ_PATHS.flatMap((path) =>
      ["POST", "PUT", "PATCH", "DELETE"].flatMap((method) =>
        [wrongMethod, wrongMethodWithBody].map((refusedBy) => refusedBy(method, path))
      )
    ),
  ],
} satisfies Record<string, readonly Refused[]>;
