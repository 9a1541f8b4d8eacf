/**
 * Rules about errors in the stream: a client must not report success for such a pull.
 *
 * @module
 */

import fc from "fast-check";
import { concatBytes } from "../../../src/bytes.ts";
import { blaming } from "../../blame.ts";
import { MISLEADING_TEXTS } from "../../generators/misleading.ts";
import type { StatusObject } from "../../generators/mod.ts";
import type { JsonStyle } from "../../generators/ndjson.ts";
import { type CheckRun, type Rule, rule } from "../../rule.ts";
import { type ClientUnderTest, observe } from "../observation.ts";
import { expectSuccess, FAILURE, requireFailure, SUCCESS } from "../plain_pull.ts";
import { begunPoints, type PullPoint, pullPoints, wholePull } from "../pull_states.ts";
import {
  begunPulls,
  COMPACT,
  inEveryStyle,
  interruptedPulls,
  line,
  lines,
  messages,
  smallPulls,
  styledLines,
  styledPulls,
  UNUSUAL,
  wireStyles,
} from "../wire_bytes.ts";

/** A pull that fails at some point. */
interface FailingPull {
  readonly point: PullPoint;
  /** The error message. */
  readonly text: string;
  /** How the error is written. */
  readonly style: JsonStyle;
  /** What precedes the error in the line: some servers also send a code (observed). */
  readonly beside: StatusObject;
}

/** Lines with only an error, or with a code before it. */
const BESIDE: readonly StatusObject[] = [{}, { code: "internal_error" }];

/** Error messages: plain ones, and misleading ones. */
const MESSAGES = ["something went wrong", ...MISLEADING_TEXTS];

/**
 * A pull that fails in each state, with every message, in the JSON of Ollama's server and in that of others.
 */
function failingAt(points: readonly PullPoint[]): FailingPull[] {
  return points.map((point, index) => ({
    point,
    text: MESSAGES[index % MESSAGES.length]!,
    style: index % 2 === 0 ? COMPACT : UNUSUAL,
    beside: BESIDE[Math.floor(index / 2) % BESIDE.length]!,
  }));
}

/** Pulls that fail at any point. */
const failingPulls: fc.Arbitrary<FailingPull> = fc.record({
  point: begunPulls(),
  text: messages(),
  style: wireStyles(),
  beside: fc.constantFrom(...BESIDE),
});

/** A form of error with a name to show. */
export interface ErrorShape {
  /** Puts a message into the form. */
  of(message: string): unknown;
  [fc.toStringMethod](): string;
}

/** Forms of errors. */
export function errorShapes(
  shapes: Readonly<Record<string, ErrorShape["of"]>>,
): readonly ErrorShape[] {
  return Object.entries(shapes).map(([name, of]) => ({ of, [fc.toStringMethod]: () => name }));
}

/** Objects that appear as the `error` of a line. */
const errorObjects = errorShapes({
  "a message": (message) => ({ message }),
  "OpenAI's": (message) => ({ message, type: "server_error", param: null, code: null }),
  "with a code": (message) => ({ code: 500, message }),
});

/** The message of the simplest errors. */
export const PLAIN_WORDS = "something went wrong";

/** Whether a client ignores even the simplest error line, which breaks C-ERR-1. */
async function ignoresErrors(client: ClientUnderTest, run: CheckRun): Promise<boolean> {
  const chunks = lines([{ status: "pulling manifest" }, { error: PLAIN_WORDS }]);
  const { failure } = await observe(client, { chunks }, run);
  return !failure?.includes(PLAIN_WORDS);
}

/** Whether a client cannot follow even a pull without errors, which breaks C-DIALECT-1. */
async function failsAnyway(
  client: ClientUnderTest,
  { sent, left }: PullPoint,
  run: CheckRun,
): Promise<boolean> {
  return (await observe(client, { chunks: lines([...sent, ...left]) }, run)).failure !== undefined;
}

/** Shows a client a pull that ends with an error. */
async function checkError(
  client: ClientUnderTest,
  { point, text, style, beside }: FailingPull,
  error: unknown,
  run: CheckRun,
): Promise<void> {
  const chunks = [...lines(point.sent), ...styledLines([{ ...beside, error }], style)];
  const observation = await observe(client, { chunks }, run);
  const why = `the stream ended with the error ${JSON.stringify(text)}`;
  await blaming(
    "C-DIALECT-1",
    () => failsAnyway(client, point, run),
    () => requireFailure(client, observation, why, [text], run),
  );
}

/** The rules. */
export const errorRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-ERR-1",
    side: "client",
    level: "observed",
    title: "An error line is a failure, with its message",
    cites:
      'observed: a failure after the first line ends the stream with {"error":"…"}; the status is 200',
    evidence: FAILURE,
    decisive: failingAt(begunPoints),
    inputs: failingPulls,
    check: (client, pull, run) => checkError(client, pull, pull.text, run),
  }),
  rule({
    id: "C-ERR-2",
    side: "client",
    level: "observed",
    title: "An error line is a failure even if it is the first",
    cites: "observed: a model that cannot be pulled is an error line at the start of the stream",
    evidence: FAILURE,
    maxRuns: 20,
    decisive: [PLAIN_WORDS, '{"status":"success"}'],
    inputs: messages(),
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
    title: "Nothing after an error counts",
    cites: "observed: nothing follows an error, so a later line does not belong to this pull",
    evidence: FAILURE,
    decisive: pullPoints,
    inputs: interruptedPulls(),
    async check(client, { sent, left }, run) {
      const all = [...sent, { error: "max retries exceeded: EOF" }, ...left];
      const observation = await observe(client, { chunks: [concatBytes(lines(all))] }, run);
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
    cites: 'observed: OpenAI-compatible servers and gateways send {"error":{"message":"…"}}',
    evidence: FAILURE,
    maxRuns: 20,
    decisive: failingAt(begunPoints).map((pull, index) => ({
      ...pull,
      shape: errorObjects[index % errorObjects.length]!,
    })),
    inputs: fc.record({ pull: failingPulls, shape: fc.constantFrom(...errorObjects) })
      .map(({ pull, shape }) => ({ ...pull, shape })),
    check: (client, pull, run) =>
      blaming(
        "C-ERR-1",
        () => ignoresErrors(client, run),
        () => checkError(client, pull, pull.shape.of(pull.text), run),
      ),
  }),
  rule({
    id: "C-ERR-5",
    side: "client",
    level: "should",
    title: "An `error` of null is not an error",
    cites: "A gateway that fills in every field writes null for one without a value",
    evidence: SUCCESS,
    maxRuns: 20,
    decisive: inEveryStyle([wholePull]),
    inputs: styledPulls(smallPulls()),
    async check(client, { statuses, style }, run) {
      const filled = statuses.map((object) => ({ ...object, error: null }));
      const observation = await observe(client, { chunks: styledLines(filled, style) }, run);
      await expectSuccess(client, observation, run);
      run.saw();
    },
  }),
];
