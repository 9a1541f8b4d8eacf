/**
 * Rules about bytes: how objects are cut out of them does not change what a client reports.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../../src/bytes.ts";
import { blaming } from "../../blame.ts";
import type { Bytes } from "../../generators/bytes.ts";
import { cutBytes } from "../../generators/chunkings.ts";
import type { PullSession, StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import {
  type ClientUnderTest,
  comparableUpdates,
  expectSame,
  expectTold,
  type Observation,
  observe,
} from "../observation.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { expectSuccess, FAILURE, requireFailure, requireReason, SUCCESS } from "../plain_pull.ts";
import { unlessForwarding } from "../subject.ts";
import { cutPulls, encode, lines, smallPulls, texts } from "../wire_bytes.ts";

/** Checks that a client reports the same for a pull in another form that means the same. */
async function checkSame(
  client: ClientUnderTest,
  { statuses }: PullSession,
  script: AnswerScript,
  run: CheckRun,
): Promise<void> {
  const plain = await observe(client, { chunks: lines(statuses) }, run);
  const other = await observe(client, script, run);
  expectSame(client, plain, other);
  if (plain.failure === undefined) run.saw();
}

/**
 * Shows a client objects with a text, as servers send them and cut inside its characters. Returns
 * whether the client shows the text at all.
 */
async function checkText(
  client: ClientUnderTest,
  text: string,
  objects: readonly StatusObject[],
  run: CheckRun,
): Promise<boolean> {
  const chunks = lines(objects);
  const plain = await observe(client, { chunks }, run);
  const other = await observe(
    client,
    { chunks: cutCharacters(concatBytes(chunks)), paced: true },
    run,
  );
  // A client that trips over any cut trips over these, too.
  const halves = { chunks: chunks.flatMap((chunk) => cutBytes(chunk, [1])), paced: true };
  const isCutBadly = async () => !isSame(client, plain, await observe(client, halves, run));
  await blaming("C-FRAME-2", isCutBadly, () => expectSame(client, plain, other));
  if (plain.failure?.includes(text)) await requireReason(client, other, [text], run);
  const shown = [plain.failure, ...comparableUpdates(client, plain).map(({ status }) => status)];
  return shown.some((words) => typeof words === "string" && words.includes(text));
}

/** Whether a client reported the same for two scripts. */
function isSame(client: ClientUnderTest, plain: Observation, other: Observation): boolean {
  try {
    expectSame(client, plain, other);
    return true;
  } catch (error) {
    if (error instanceof Violation) return false;
    throw error;
  }
}

/** The bytes of a text, cut inside each character of more than one byte. */
function cutCharacters(bytes: Bytes): Bytes[] {
  const chunks: Bytes[] = [];
  let start = 0;
  for (const [index, byte] of bytes.entries()) {
    if (byte < 0xc0) continue;
    chunks.push(bytes.slice(start, index + 1));
    start = index + 1;
  }
  return [...chunks, bytes.slice(start)];
}

/** Lines that are not JSON: half an object, a web page, the message of a proxy. */
const unreadable = fc.constantFrom(
  '{"status":"pulling',
  '{"error":"max retries exceeded',
  "<html><head><title>502 Bad Gateway</title></head></html>",
  "upstream connect error or disconnect/reset before headers",
  "nul",
);

/** How long a long line is, in bytes: longer than the buffers that readers of lines begin with. */
const LONG_LINE_BYTES = 200_000;

/** The rules. */
export const framingRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-FRAME-1",
    side: "client",
    level: "should",
    title: "Every object of the stream is reported, in order",
    cites: 'spec: "a stream of JSON objects is returned"',
    evidence: SUCCESS,
    skips: (client: ClientUnderTest) => unlessForwarding(client),
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const observation = await observe(client, { chunks: lines(statuses) }, run);
      await expectSuccess(client, observation, run);
      run.saw();
      expectTold(client, observation, statuses);
    },
  }),
  rule({
    id: "C-FRAME-2",
    side: "client",
    level: "must",
    title: "The same bytes give the same updates, however they are cut into chunks",
    cites: 'spec: "a stream of JSON objects is returned", not a stream of chunks',
    evidence: SUCCESS,
    inputs: cutPulls(),
    async check(client, { session, chunks }, run) {
      await checkSame(client, session, { chunks, paced: true }, run);
    },
  }),
  rule({
    id: "C-FRAME-3",
    side: "client",
    level: "should",
    title: "A character is whole, even if its bytes arrive in two chunks",
    cites: "JSON is exchanged in UTF-8 (RFC 8259, 8.1), and networks cut anywhere",
    evidence: "a text of more than ASCII that the client shows",
    inputs: texts(),
    async check(client, text, run) {
      const manifest = { status: "pulling manifest" };
      const isShown = [
        await checkText(client, text, [manifest, { status: text }, { status: "success" }], run),
        await checkText(client, text, [manifest, { error: text }], run),
      ];
      if (!isShown.includes(true)) {
        throw new Inconclusive("The client shows no text from the server");
      }
      if (cutCharacters(encode(text)).length > 1) run.saw();
    },
  }),
  rule({
    id: "C-FRAME-4",
    side: "client",
    level: "should",
    title: "Lines may end in CR and LF",
    cites: 'NDJSON, 3.2: "The parser MUST accept newline as line delimiter \\n (0x0A) as well as ' +
      'carriage return and newline \\r\\n (0x0D0A)."',
    evidence: SUCCESS,
    inputs: smallPulls(),
    async check(client, session, run) {
      const chunks = session.statuses.map((object) => encode(`${JSON.stringify(object)}\r\n`));
      await checkSame(client, session, { chunks }, run);
    },
  }),
  rule({
    id: "C-FRAME-5",
    side: "client",
    level: "should",
    title: "Blank lines are ignored",
    cites:
      'NDJSON, 3.2: "The parser MAY silently ignore empty lines"; proxies and load balancers ' +
      "are kept from hanging up by them",
    evidence: SUCCESS,
    inputs: fc.tuple(smallPulls(), fc.nat(), fc.constantFrom("\n", "\r\n", "\n\n")),
    async check(client, [session, place, blank], run) {
      const chunks = lines(session.statuses);
      chunks.splice(place % chunks.length, 0, encode(blank));
      await checkSame(client, session, { chunks }, run);
    },
  }),
  rule({
    id: "C-FRAME-6",
    side: "client",
    level: "should",
    title: "The last line counts without its newline",
    cites: "A complete object counts: nothing in the spec requires a newline after the last one",
    evidence: SUCCESS,
    inputs: smallPulls(),
    async check(client, session, run) {
      const chunks = lines(session.statuses);
      const last = chunks.pop()!;
      await checkSame(client, session, { chunks: [...chunks, last.slice(0, -1)] }, run);
    },
  }),
  rule({
    id: "C-FRAME-7",
    side: "client",
    level: "should",
    title: "A line may be long",
    cites: "The protocol sets no limit, and readers of lines often have one that nobody has chosen",
    evidence: SUCCESS,
    maxRuns: 10,
    inputs: smallPulls(),
    async check(client, session, run) {
      const [first, ...rest] = lines(session.statuses);
      // White space inside an object, so that there is nothing in it that is not known.
      const long = concatBytes([encode(`{${" ".repeat(LONG_LINE_BYTES)}`), first!.slice(1)]);
      await checkSame(client, session, { chunks: [long, ...rest] }, run);
    },
  }),
  rule({
    id: "C-FRAME-8",
    side: "client",
    level: "should",
    title: "A line that is not JSON is a failure",
    cites:
      'NDJSON, 3.2: "If the JSON text is not parsable, the parser SHOULD raise an error." It ' +
      "may have been one itself",
    evidence: FAILURE,
    inputs: fc.tuple(smallPulls(), fc.nat(), unreadable),
    async check(client, [{ statuses }, place, text], run) {
      const chunks = lines(statuses);
      chunks.splice(1 + place % (chunks.length - 1), 0, encode(`${text}\n`));
      const observation = await observe(client, { chunks }, run);
      await requireFailure(client, observation, `there was the line ${text}`, [], run);
    },
  }),
  rule({
    id: "C-FRAME-9",
    side: "client",
    level: "should",
    title: "A line ends in a newline, and in nothing else that ends lines of text",
    cites:
      'NDJSON, 3.1: "Each JSON text MUST be followed by the newline character \\n (0x0A)."; in ' +
      "strings, JSON allows U+0085, U+2028 and U+2029 as they are (RFC 8259, 7)",
    evidence: SUCCESS,
    inputs: fc.tuple(smallPulls(), fc.nat(), fc.constantFrom("\u0085", "\u2028", "\u2029")),
    async check(client, [{ statuses }, place, separator], run) {
      const follow = async (words: string) => {
        const sent = [...statuses];
        sent.splice(1 + place % (sent.length - 1), 0, { status: words });
        return await observe(client, { chunks: lines(sent) }, run);
      };
      const plain = await follow("one line");
      if (plain.failure !== undefined) {
        throw new Inconclusive("The client fails on an unknown status");
      }
      const other = await follow(`one${separator}line`);
      await expectSuccess(client, other, run);
      run.saw();
      const [expected, seen] = [
        comparableUpdates(client, plain).length,
        comparableUpdates(client, other).length,
      ];
      if (seen === expected) return;
      throw new Violation(`${expected} updates`, `${seen} updates`, [other.play.exchange]);
    },
  }),
];
