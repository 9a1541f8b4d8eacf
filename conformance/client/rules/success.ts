/**
 * Rules about success: a client reports it when the server has sent it, and only then.
 *
 * @module
 */

import fc from "fast-check";
import { blaming } from "../../blame.ts";
import type { StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, isSuccess, observe, start } from "../observation.ts";
import { expectSuccess, FAILURE, requireFailure, SUCCESS } from "../plain_pull.ts";
import { pointIn, PULL_STATES, type PullPoint, pullPoints, wholePull } from "../pull_states.ts";
import type { AnswerScript } from "../scripted_server.ts";
import { unlessUpdating } from "../subject.ts";
import { interruptedPulls, line, lines, smallPulls } from "../wire_bytes.ts";

/** Whether a client treats the end of a stream as success, which breaks C-END-1. */
async function takesEndForSuccess(
  client: ClientUnderTest,
  statuses: readonly StatusObject[],
  run: CheckRun,
): Promise<boolean> {
  return (await observe(client, { chunks: lines(statuses) }, run)).failure === undefined;
}

/** Objects that contain something of `success`, but do not mean it. */
const NEAR_SUCCESS: readonly StatusObject[] = [
  { status: 'this is not yet a "success"' },
  { status: "success is near" },
  { status: "Success so far: 1 of 2" },
  { status: '{"status":"success"}' },
  { status: "unknown", note: "success", success: true, last: { status: "success" } },
];

/** A pull in which something looks like success, but is not. */
const nearlyDone: PullPoint = {
  ...PULL_STATES["writing"]!,
  sent: [...PULL_STATES["writing"]!.sent, ...NEAR_SUCCESS],
};

/** A pull that is cut inside a line. */
interface CutPull {
  readonly point: PullPoint;
  /** How much of the next object was sent. It is cut before its closing bracket. */
  readonly share: number;
}

/** Every state, with a little, half and almost all of the next line. */
const cutPulls: readonly CutPull[] = [
  ...pullPoints.map((point, index) => ({ point, share: [1, 0, 0.5][index % 3]! })),
  { point: PULL_STATES["removing"]!, share: 1 },
];

/** A connection that breaks. */
interface BrokenPull {
  readonly point: PullPoint;
  readonly framing: AnswerScript["framing"];
}

/** How a connection breaks after `success`, by how the answer marks its end. */
const AFTERMATHS: readonly Pick<AnswerScript, "framing" | "ending">[] = [
  { ending: "reset", framing: "chunked" },
  { ending: "reset", framing: "length" },
];

/** How long after `success` a connection breaks, in milliseconds: enough for the client to read the line. */
const BREAK_AFTER_MS = { "network": 200, "in-process": 0 };

/** The rules. */
export const successRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-END-1",
    side: "client",
    level: "must",
    title: "A stream that ends without `success` is a failure",
    cites: 'spec: "After all the files are downloaded, the final responses are:" … "success"',
    evidence: FAILURE,
    decisive: [...pullPoints, nearlyDone],
    inputs: interruptedPulls(),
    async check(client, { sent }, run) {
      const observation = await observe(client, { chunks: lines(sent) }, run);
      await requireFailure(client, observation, "the stream ended without `success`", [], run);
    },
  }),
  rule({
    id: "C-END-2",
    side: "client",
    level: "should",
    title: "A stream that is cut inside a line is a failure",
    cites: "A broken connection cuts anywhere; half an object is not an object",
    evidence: FAILURE,
    decisive: cutPulls,
    inputs: fc.record({
      point: interruptedPulls(),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    async check(client, { point: { sent, left }, share }, run) {
      const next = line(left[0]!);
      // The last two bytes end the object and its line. Without them, it is incomplete.
      const half = next.slice(0, 1 + Math.floor(share * (next.length - 3)));
      const observation = await observe(client, { chunks: [...lines(sent), half] }, run);
      await blaming(
        "C-END-1",
        () => takesEndForSuccess(client, sent, run),
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
    decisive: pullPoints.map((point, index): BrokenPull => ({
      point,
      framing: index % 2 === 0 ? "chunked" : "length",
    })),
    inputs: fc.record<BrokenPull>({
      point: interruptedPulls(),
      framing: fc.constantFrom("chunked", "length"),
    }),
    async check(client, { point: { sent }, framing }, run) {
      const script = { chunks: lines(sent), ending: "reset", framing } as const;
      const observation = await observe(client, script, run);
      await blaming(
        "C-END-1",
        () => takesEndForSuccess(client, sent, run),
        () => requireFailure(client, observation, "the connection broke before `success`", [], run),
      );
    },
  }),
  rule({
    id: "C-DONE-1",
    side: "client",
    level: "must",
    title: "Success is reported only after the server has sent `success`",
    cites: 'spec: "After all the files are downloaded, the final responses are:" … "success"',
    evidence: "a success that the client reports after the server sent it",
    maxRuns: 20,
    decisive: [...pullPoints, nearlyDone],
    inputs: smallPulls().map((session) => pointIn(session, session.statuses.length - 1)),
    async check(client, { sent }, run) {
      const chunks = lines([...sent, { status: "success" }]);
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
    maxRuns: 20,
    decisive: [wholePull],
    inputs: smallPulls(),
    async check(client, { statuses }, run) {
      const { updates, play } = await observe(client, { chunks: lines(statuses) }, run);
      const count = updates.filter(isSuccess).length;
      if (count > 0) run.saw();
      if (count <= 1) return;
      throw new Violation("one success", `${count} successes`, [play.exchange]);
    },
  }),
  rule({
    id: "C-DONE-3",
    side: "client",
    level: "should",
    title: "A connection that breaks after `success` is not a failure",
    cites: "`success` is the last object of a pull; observed: proxies break connections",
    evidence: SUCCESS,
    maxRuns: 6,
    decisive: AFTERMATHS.map((aftermath) => ({ ...wholePull, ...aftermath })),
    inputs: fc.tuple(smallPulls(), fc.constantFrom(...AFTERMATHS))
      .map(([{ statuses }, aftermath]) => ({ statuses, ...aftermath })),
    async check(client, { statuses, ...aftermath }, run) {
      const pauses = { [statuses.length]: BREAK_AFTER_MS[client.transport] };
      const script = { chunks: lines(statuses), pauses, ...aftermath };
      await expectSuccess(client, await observe(client, script, run), run);
      run.saw();
    },
  }),
];
