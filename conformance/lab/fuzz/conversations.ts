/**
 * Requests that a client might send to the mock, and many that no client should, and what must hold for the
 * answers: the mock never throws, never fails unless a fault says so, and every answer ends.
 *
 * @module
 */

import {
  createMockServer,
  type DialectName,
  dialects,
  type MockServer,
} from "../../../mock/mod.ts";
import { check, Finding, require, requireCleanPrototypes } from "./checks.ts";
import type { Dice } from "./dice.ts";
import { plainInput } from "./inputs.ts";
import { inUtf8, toBytes } from "./text.ts";

/** A request. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, one character per byte, or `undefined` for none. */
  readonly body: string | undefined;
}

/** Requests to one mock, one after another. */
export interface Conversation {
  readonly dialect: DialectName;
  readonly seed: number;
  /** Whether the mock has random faults. */
  readonly faulty: boolean;
  readonly requests: readonly WireRequest[];
}

const DIALECTS = Object.keys(dialects) as DialectName[];

const MODELS = [
  { name: "tiny", layers: [{ size: 1_000 }, { size: 100_000 }] },
  { name: "space/x:1b", layers: [{ size: 30_000_000 }] },
];

const PATHS = [
  ...["/api/pull", "/api/pull", "/api/pull", "/api/pull", "/api/pull", "/api/pull/", "//api/pull"],
  ...["/", "/api/tags", "/api/version", "/api/show", "/api/delete", "/api/push", "/api/create"],
  ...[
    "/v2/",
    "/v2/library/tiny/manifests/latest",
    "/v2/library/tiny/blobs/sha256:0",
    "/v2/%2e%2e/x",
  ],
  ...["/api", "/nowhere", "/api/pull?x=1", "/__proto__", "/constructor", "/%", "/api/%70ull"],
];

const METHODS = [
  "POST",
  "POST",
  "POST",
  "POST",
  "GET",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
];

const NAMES = [
  ...[
    "tiny",
    "tiny",
    "tiny",
    "TINY:Latest",
    "space/x:1b",
    "missing",
    "",
    "../../etc/passwd",
    "a/b/c/d",
  ],
  ...["http://127.0.0.1:5000/library/tiny", "https://h/library/tiny", "x:", ":x", "/", "%2e", "é"],
  ...["__proto__", "constructor", "toString", "x".repeat(400), "a\u0000b", "tiny\n", " tiny "],
];

const VALUES = [
  ...["true", "false", "null", "0", "1e400", '"true"', "[]", "{}", '{"__proto__":{"p":1}}', "nul"],
];

const KEYS = [
  ...["stream", "stream", "insecure", "name", "model", "username", "password", "from", "Model"],
  ...["__proto__", "constructor", "STREAM", ""],
];

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { "Content-Type": "application/json" },
  { "Content-Type": "application/x-www-form-urlencoded" },
  { "Content-Type": "multipart/form-data; boundary=" },
  { Origin: "http://localhost:3000" },
  { Origin: "https://example.com" },
  { Origin: "null" },
  { Range: "bytes=0-10" },
  { Range: "bytes=9-1" },
  { Range: `bytes=${"9".repeat(400)}-` },
  { Accept: "text/html" },
  { Authorization: "Bearer x" },
  { "Content-Length": "5" },
];

/** Makes a conversation. */
export function makeConversation(dice: Dice): Conversation {
  const requests = Array.from({ length: 1 + dice.below(4) }, () => makeRequest(dice));
  const [dialect, seed] = [dice.pick(DIALECTS), dice.below(1000)];
  return { dialect, seed, faulty: dice.isOneIn(4), requests };
}

function makeRequest(dice: Dice): WireRequest {
  const method = dice.pick(METHODS);
  const hasBody = method !== "GET" && method !== "HEAD" && !dice.isOneIn(16);
  return {
    method,
    path: dice.pick(PATHS),
    headers: dice.pick(HEADERS),
    body: hasBody ? makeBody(dice) : undefined,
  };
}

function makeBody(dice: Dice): string {
  const fields = [`"model":${inUtf8(JSON.stringify(dice.pick(NAMES)))}`];
  while (!dice.isOneIn(3)) fields.push(`"${dice.pick(KEYS)}":${dice.pick(VALUES)}`);
  const body = `{${fields.join(",")}}`;
  const at = dice.below(body.length + 1);
  const [before, after] = [body.slice(0, at), body.slice(at)];
  switch (dice.below(10)) {
    case 0:
      return before;
    case 1:
      return before + String.fromCharCode(dice.below(256)) + after;
    case 2:
      return before + after.slice(1 + dice.below(4));
    case 3:
      return before + dice.pick(['"', "{", "}", "[", "\\u", "\\", "1e", "\xff", "\ufeff"]) + after;
    case 4:
      return `${body}${body}`;
    case 5:
      return "[".repeat(dice.below(12_000)) + body;
    default:
      return body;
  }
}

/** Throws a {@link Finding} if a property does not hold for a conversation. */
export async function checkConversation(conversation: Conversation): Promise<void> {
  const { dialect, seed, faulty, requests } = conversation;
  const faults = faulty ? { chance: 0.5 } : [];
  const server = createMockServer({ models: MODELS, dialect, seed, faults });
  for (const request of requests) await checkAnswer(server, request, faulty);
  require(server.activeDownloads === 0, "A download is left");
  for (const { outcome, path } of server.requests) {
    require(outcome !== "running", `A request of ${path} does not end`);
    require(outcome !== "faulted" || faulty, `A request of ${path} has failed`);
  }
  requireCleanPrototypes();
}

async function checkAnswer(
  server: MockServer,
  { method, path, headers, body }: WireRequest,
  faulty: boolean,
): Promise<void> {
  const request = new Request(`http://localhost:11434${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: toBytes(body) }),
  });
  try {
    const response = await server.fetch(request);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status >= 500 && !faulty) requireRefusal(bytes, response.status);
    if (response.status !== 200 || path !== "/api/pull" || method !== "POST") return;
    await check(plainInput(bytes, "decodeProgress"));
  } catch (error) {
    if (error instanceof Finding) throw error;
    require(
      faulty && String(error).includes("The mock broke the connection"),
      `It throws ${error}`,
    );
  }
}

/** The prefixes of errors that the protocol answers with HTTP 500: the server refuses to pull or push. */
const REFUSALS = [
  "pull model manifest: ",
  "insecure protocol http",
  "model ",
  "this model requires MLX support",
  "open ",
  "unqualified name: ",
];

/** Requires that an error is one that the protocol also answers with HTTP 500. */
function requireRefusal(bytes: Uint8Array, status: number): void {
  const text = new TextDecoder().decode(bytes);
  const isRefusal = REFUSALS.some((start) => text.startsWith(`{"error":"${start}`));
  require(isRefusal, `It answers with ${status}: ${text.slice(0, 200)}`);
}
