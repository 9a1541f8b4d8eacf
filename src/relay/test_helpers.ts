/**
 * What the tests of this folder share: the progress of arbitrary pulls, and how it has ended.
 *
 * @module
 */

import fc from "fast-check";
import { layerSizesOf, type PullSession, pullSessions } from "../../conformance/generators/mod.ts";
import { PullError } from "../errors.ts";
import { PullProgressDecoder } from "../progress.ts";
import type { LayerSize, PullLayer, PullProgress } from "../snapshot.ts";
import { toPullStatus } from "../status.ts";
import { outcomeOf } from "../stream_test_helpers.ts";
import type { Failure } from "../streams/producer.ts";

/** The progress of a pull, and what it failed with. */
export interface Progress {
  readonly snapshots: readonly PullProgress[];
  readonly failure: Failure | undefined;
}

/** What follows from the statuses of a pull. */
function progressOf(
  { statuses }: PullSession,
  layers: readonly LayerSize[],
  stepMs: number,
): Progress {
  let time = 0;
  const now = () => time += stepMs;
  const snapshots: PullProgress[] = [];
  try {
    const decoder = new PullProgressDecoder({ layers, now });
    for (const status of statuses) {
      decoder.push(toPullStatus(status)!, (progress) => snapshots.push(progress));
    }
    decoder.end();
    return { snapshots, failure: undefined };
  } catch (error) {
    return { snapshots, failure: { error } };
  }
}

/** What a pull may fail with that is no `PullError`, as when it is cancelled. */
const OTHER_ERRORS: readonly unknown[] = [
  new DOMException("The pull was cancelled", "AbortError"),
  new TypeError("Cannot read", { cause: new Error("closed") }),
  "enough",
];

const amount = fc.nat({ max: 3 });

const oddLayer: fc.Arbitrary<PullLayer> = fc.tuple(
  fc.oneof(
    fc.record({ digest: fc.constantFrom("sha256:a", "sha256:b") }),
    fc.record({ status: fc.constantFrom("", "a", "\ud800\n\u2028") }),
  ),
  fc.record({ total: amount, completed: amount, done: fc.boolean() }, {
    requiredKeys: ["completed", "done"],
  }),
).map(([name, amounts]) => ({ ...name, ...amounts }));

const oddSnapshot: fc.Arbitrary<PullProgress> = fc.record({
  phase: fc.constantFrom("manifest", "downloading", "success"),
  status: fc.constantFrom("", "a", "\ud800\n\u2028"),
  completed: amount,
  total: amount,
  totalIsKnown: fc.boolean(),
  fraction: fc.constantFrom(0, 0.5, 1),
  layers: fc.array(oddLayer, { maxLength: 3 }),
  bytesPerSecond: amount,
  etaSeconds: amount,
}, {
  requiredKeys: ["phase", "status", "completed", "total", "totalIsKnown", "fraction", "layers"],
});

/** Progress that no pull makes: nothing in it follows from anything else, and anything may fall. */
const oddProgress: fc.Arbitrary<Progress> = fc.array(oddSnapshot).map((snapshots) => ({
  snapshots,
  failure: { error: new PullError("stalled", "Nothing new came") },
}));

/** Progress as a pull makes it: with layers that were listed or not, and some of those lists of another model. */
export const realProgress: fc.Arbitrary<Progress> = fc.record({
  session: pullSessions({ endings: ["success", "error", "cut"] }),
  listed: fc.constantFrom("all", "some", "none"),
  stepMs: fc.constantFrom(0, 60, 700),
  otherError: fc.option(fc.constantFrom(...OTHER_ERRORS), { freq: 8 }),
}).map(({ session, listed, stepMs, otherError }) => {
  const sizes = layerSizesOf(session.manifest);
  const unknown = { digest: `sha256:${"e".repeat(64)}`, size: 5 };
  const layers = { all: sizes, some: [unknown, ...sizes.slice(1)], none: [] }[listed];
  const progress = progressOf(session, layers, stepMs);
  if (otherError === null || progress.failure === undefined) return progress;
  return { ...progress, failure: { error: otherError } };
});

/** Any progress. */
export const anyProgress: fc.Arbitrary<Progress> = fc.oneof(
  { weight: 4, arbitrary: realProgress },
  { weight: 1, arbitrary: oddProgress },
);

/** A stream of some progress. */
export function streamProgress({ snapshots, failure }: Progress): ReadableStream<PullProgress> {
  let index = 0;
  return new ReadableStream<PullProgress>({
    pull(controller) {
      if (index < snapshots.length) controller.enqueue(snapshots[index++]!);
      else if (failure) controller.error(failure.error);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** What of a failure crosses a border. */
export function describeEnd(failure: Failure | undefined): unknown {
  if (!failure) return "success";
  const { error } = failure;
  if (error instanceof PullError) return error.toJSON();
  return error instanceof Error || error instanceof DOMException
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}

/** What a stream of progress gave, and how it ended, to be compared with what was sent. */
export async function receive(stream: ReadableStream<PullProgress>): Promise<{
  snapshots: readonly PullProgress[];
  end: unknown;
}> {
  const { values, failure } = await outcomeOf(stream);
  return { snapshots: values, end: describeEnd(failure) };
}

/** All of a stream. */
export async function collect<Value>(stream: ReadableStream<Value>): Promise<Value[]> {
  const { values, failure } = await outcomeOf(stream);
  if (failure) throw failure.error;
  return values;
}
