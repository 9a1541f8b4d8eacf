/**
 * Rules for clients that report progress over all layers together.
 *
 * @module
 */

import { pullSessions, type StatusObject } from "../../generators/mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { type ClientUnderTest, type Observation, observe, start } from "../observation.ts";
import { expectSuccess } from "../plain_pull.ts";
import {
  eventfulPull,
  longPull,
  MANY,
  manyLayersPull,
  resumedPull,
  unfinishedPull,
} from "../pull_states.ts";
import { unlessAggregating } from "../subject.ts";
import { COMPACT, inEveryStyle, styledLines, type StyledPull, styledPulls } from "../wire_bytes.ts";

/** A client's progress for the whole pull. Each field may be absent. */
interface Progress {
  readonly completed?: number;
  readonly total?: number;
  readonly fraction?: number;
}

/** The progress in an update: only fields that are numbers. */
function progressOf(update: unknown): Progress {
  const { completed, total, fraction } = Object(update);
  const numbers = Object.entries({ completed, total, fraction })
    .filter(([, value]) => typeof value === "number");
  return Object.fromEntries(numbers);
}

/** The fraction, as reported or computed from the bytes. */
function fractionOf({ fraction, completed, total }: Progress): number | undefined {
  if (fraction !== undefined) return fraction;
  return total && completed !== undefined ? completed / total : undefined;
}

/** The sum of the layer sizes that a server reported. */
function totalOf(statuses: readonly StatusObject[]): number {
  const sizes = new Map<unknown, number>();
  for (const { digest, total } of statuses) {
    if (digest !== undefined && typeof total === "number") sizes.set(digest, total);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Shows a client a pull that succeeds. */
async function follow(
  client: ClientUnderTest,
  { statuses, style }: StyledPull,
  run: CheckRun,
): Promise<Observation> {
  const observation = await observe(client, { chunks: styledLines(statuses, style) }, run);
  await expectSuccess(client, observation, run);
  return observation;
}

/** The last progress that a client reported. */
function lastOf({ updates, play }: Observation): Progress {
  const last = updates.map(progressOf).findLast((progress) => Object.keys(progress).length > 0);
  if (last) return last;
  throw new Violation("an update with completed, total or fraction", "none", [play.exchange]);
}

/** Throws if a client reported more than the whole model. */
export function expectNoMoreThanAll(observation: Observation): void {
  for (const progress of observation.updates.map(progressOf)) {
    const { fraction = 0, completed = 0, total = Infinity } = progress;
    if (!(fraction <= 1)) throw violation(observation, "a fraction of at most 1", progress);
    if (!(completed <= total)) {
      throw violation(observation, "a completed of at most total", progress);
    }
  }
}

function violation({ play }: Observation, expected: string, seen: unknown): Violation {
  return new Violation(expected, JSON.stringify(seen), [play.exchange]);
}

const side = "client";
const skips: (client: ClientUnderTest) => string | undefined = unlessAggregating;

/** Pulls with any surprises in their layers. */
const eventful = styledPulls(pullSessions({
  maxLayers: 4,
  surprises: [
    "silent-layer",
    "unfinished-layer",
    "cached-layer",
    "resumed-layer",
    "rollback",
    "parallel-layers",
    "late-layer",
  ],
}));

/** Pulls in which all bytes arrive, though not all of them are reported. */
const unfinished = styledPulls(pullSessions({
  maxLayers: 4,
  surprises: ["silent-layer", "unfinished-layer", "parallel-layers", "late-layer"],
}));

/** Pulls of which some layers were downloaded before, completely or partly. */
const resumed = styledPulls(
  pullSessions({ maxLayers: 4, surprises: ["cached-layer", "resumed-layer"] }),
);

/** A pull with more layers than fit on a screen, and one with as many as large models of tensors have. */
const MANY_LAYERS: StyledPull = { ...manyLayersPull("spec", 40), style: COMPACT };
const ALL_LAYERS: StyledPull = { ...manyLayersPull("client2", 300), style: COMPACT };

/** Fixed pulls that are tried in every run. */
const UNFINISHED = [...inEveryStyle([unfinishedPull]), MANY_LAYERS];
const RESUMED = inEveryStyle([resumedPull]);
const EVENTFUL = [
  ...inEveryStyle([eventfulPull("v0.5")]),
  ...[unfinishedPull, eventfulPull("client2")].map((pull) => ({ ...pull, style: COMPACT })),
  MANY_LAYERS,
];

/** The rules. */
export const progressRules: readonly Rule<ClientUnderTest>[] = [
  rule({
    id: "C-SUM-1",
    side,
    level: "should",
    title: "Progress never falls",
    cites: "observed: layers are announced one after another, and failed parts are rolled back",
    evidence: "two updates with progress",
    skips,
    decisive: EVENTFUL,
    inputs: eventful,
    async check(client, session, run) {
      const observation = await follow(client, session, run);
      const updates = observation.updates.map(progressOf);
      if (updates.filter((progress) => fractionOf(progress) !== undefined).length > 1) run.saw();
      for (const measure of [fractionOf, ({ completed }: Progress) => completed]) {
        let highest = 0;
        for (const [index, progress] of updates.entries()) {
          const now = measure(progress) ?? highest;
          if (!(now >= highest)) {
            const expected = `no less than before, after update ${index}: ${
              JSON.stringify(updates[index - 1])
            }`;
            throw violation(observation, expected, progress);
          }
          highest = now;
        }
      }
    },
  }),
  rule({
    id: "C-SUM-2",
    side,
    level: "should",
    title: "Progress is never above 1",
    cites: "No more than the whole model can be downloaded",
    evidence: "an update with progress",
    skips,
    decisive: EVENTFUL,
    inputs: eventful,
    async check(client, session, run) {
      const observation = await follow(client, session, run);
      expectNoMoreThanAll(observation);
      if (observation.updates.some((update) => fractionOf(progressOf(update)) !== undefined)) {
        run.saw();
      }
    },
  }),
  rule({
    id: "C-SUM-3",
    side,
    level: "should",
    title: "At the end, every layer counts as complete",
    cites:
      "observed: a layer's last line is often short of its total; a later phase shows that it is complete",
    evidence: "a last update in bytes",
    skips,
    decisive: [...UNFINISHED, ALL_LAYERS],
    inputs: unfinished,
    async check(client, session, run) {
      const observation = await follow(client, session, run);
      const sum = totalOf(session.statuses);
      const last = lastOf(observation);
      if (last.completed !== undefined || last.total !== undefined) run.saw();
      const { completed = sum, total = sum } = last;
      if (completed === sum && total === sum) return;
      const expected = `completed and total of ${sum}, the sum of the layers`;
      throw violation(observation, expected, { completed, total });
    },
  }),
  rule({
    id: "C-SUM-4",
    side,
    level: "should",
    title: "Bytes downloaded before are counted",
    cites: 'spec: "Cancelled pulls are resumed from where they left off"',
    evidence: "a last update in bytes",
    skips,
    decisive: RESUMED,
    inputs: resumed,
    async check(client, session, run) {
      const observation = await follow(client, session, run);
      const sum = totalOf(session.statuses);
      const last = lastOf(observation);
      if (last.completed !== undefined) run.saw();
      const { completed = sum } = last;
      if (completed === sum) return;
      throw violation(observation, `completed of ${sum}, the sum of the layers`, { completed });
    },
  }),
  rule({
    id: "C-SUM-5",
    side,
    level: "should",
    title: "Progress is 1 at the end",
    cites: "After `success`, nothing is left to do",
    evidence: "a last update with progress",
    skips,
    decisive: [...UNFINISHED, { statuses: longPull(MANY), style: COMPACT }],
    inputs: unfinished,
    async check(client, session, run) {
      const observation = await follow(client, session, run);
      const fraction = fractionOf(lastOf(observation));
      if (fraction !== undefined) run.saw();
      if (fraction === undefined || fraction === 1) return;
      throw violation(observation, "a fraction of 1 at the end", { fraction });
    },
  }),
  rule({
    id: "C-SUM-6",
    side,
    level: "should",
    title: "A fraction is below 1 until the server has sent `success`",
    cites: "observed: verifying takes minutes after the last byte, and may fail",
    evidence: "a fraction before `success`",
    skips,
    maxRuns: 10,
    decisive: RESUMED,
    inputs: resumed,
    async check(client, { statuses, style }, run) {
      const chunks = styledLines(statuses, style);
      const running = start(client, { chunks, holdBefore: chunks.length - 1 }, run);
      await running.settled();
      const before = running.updates.map(progressOf);
      running.play.release();
      const observation = await running.result;
      await expectSuccess(client, observation, run);
      const fractions = before.map(({ fraction }) => fraction).filter((one) => one !== undefined);
      if (fractions.length === 0) throw new Inconclusive("The client reports no fraction");
      run.saw();
      if (fractions.some((fraction) => fraction >= 1)) {
        throw violation(observation, "a fraction below 1 before `success`", before.at(-1));
      }
    },
  }),
];
