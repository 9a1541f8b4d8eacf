/**
 * Rules about downloads that are cancelled, resumed, shared and repeated.
 *
 * @module
 */

import fc, { type Arbitrary } from "fast-check";
import type { LayerSize, PullStatus } from "../../../mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { requireSuccess, SUCCESS } from "../plain_pull.ts";
import { READY_SETUP, setups, slowFirstSetups, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSetup, type ServerSubject, unlessHas } from "../subject.ts";
import {
  absentModel,
  type ActivePull,
  ask,
  beginPull,
  hasSucceeded,
  isPartial,
  pullAll,
  pullBody,
  type Transcript,
} from "../transcript.ts";
import { withEarlier } from "./earlier.ts";

/** The last status that reports downloaded bytes. */
function lastDownload(statuses: readonly PullStatus[]): PullStatus | undefined {
  return statuses.findLast(({ completed }) => completed !== undefined);
}

/** A pull in progress, and the last status of an incomplete layer. */
interface PartialPull {
  readonly pulling: ActivePull;
  readonly last: PullStatus;
}

/** Pulls until a number of lines have reported bytes, with a layer still incomplete. */
async function pullInPart(
  server: OpenServer,
  lines: number,
  run: CheckRun,
): Promise<PartialPull> {
  const pulling = await beginPull(server, run);
  let last: PullStatus | undefined;
  await pulling.readUntil((statuses) => {
    last = lastDownload(statuses);
    return statuses.filter(({ completed }) => completed !== undefined).length > lines;
  });
  if (last?.digest !== undefined && last.completed !== last.total) return { pulling, last };
  await pulling.leave();
  throw new Inconclusive("No download was seen in progress");
}

/** Throws unless a pull continues from the bytes already downloaded. */
async function requireFrom(
  pulling: ActivePull,
  { digest, completed = 0 }: PullStatus,
  run: CheckRun,
): Promise<void> {
  const reportsLayer = (status: PullStatus) =>
    status.digest === digest && status.completed !== undefined;
  await pulling.readUntil((statuses) => statuses.some(reportsLayer));
  const { statuses, exchange } = pulling.transcript();
  const first = statuses.find(reportsLayer);
  if (first) run.saw();
  if (!first || (first.completed ?? 0) >= completed) return;
  throw new Violation(
    `at least the ${completed} bytes of ${digest} that were downloaded`,
    `${first.completed}`,
    [exchange],
  );
}

/** How a model was pulled before another version of it is published. */
type Before = "ended" | "cancelled";

/** A model of which another version is published, in which the layer at `place` is larger. */
interface ChangedSetup {
  readonly setup: ServerSetup;
  readonly place: number;
  readonly before: Before;
}

/** Models that are republished after their pull has ended or was cancelled. */
function changedSetups(): { decisive: readonly ChangedSetup[]; inputs: Arbitrary<ChangedSetup> } {
  const of = (before: Before, setups: Arbitrary<ServerSetup>) =>
    fc.record({ setup: setups, place: fc.nat(), before: fc.constant(before) });
  return {
    decisive: [{ setup: { layers: [40_000_000, 2_000] }, place: 0, before: "cancelled" }],
    inputs: fc.oneof(of("ended", setups()), of("cancelled", slowFirstSetups())),
  };
}

/** Pulls a model to the end, or partly and then disconnects. */
async function pullBefore(
  before: Before,
  server: OpenServer,
  subject: ServerSubject,
  run: CheckRun,
): Promise<void> {
  if (before === "ended") {
    return await requireSuccess(subject, await pullAll(server, run), run);
  }
  const reason = subject.lacks.fresh;
  if (reason !== undefined) throw new Inconclusive(reason);
  await (await pullInPart(server, 1, run)).pulling.leave();
}

/** Throws if a pull reports a layer that was removed. */
function requireNoRemoved(
  { statuses, exchange }: Transcript,
  before: readonly LayerSize[],
  after: readonly LayerSize[],
): void {
  const kept = new Set(after.map(({ digest }) => digest));
  const removed = new Set(before.map(({ digest }) => digest).filter((digest) => !kept.has(digest)));
  const told = statuses.find(({ digest = "" }) => removed.has(digest));
  if (!told) return;
  throw new Violation("no layer of the previous version alone", told.digest!, [exchange]);
}

/** Throws if a pull downloads a layer that the model already had. */
function requireKept({ statuses, exchange }: Transcript, before: readonly LayerSize[]): void {
  const had = new Set(before.map(({ digest }) => digest));
  const again = statuses.find((status) => had.has(status.digest ?? "") && isPartial(status));
  if (!again) return;
  const expected = "a layer that the model kept to be complete";
  throw new Violation(expected, describe(again), [exchange]);
}

/** Pulls a model again. Throws if any of it is downloaded again. */
async function requireAllThere(
  server: OpenServer,
  before: Transcript,
  run: CheckRun,
  subject: ServerSubject,
): Promise<Transcript> {
  const again = await pullAll(server, run);
  await requireSuccess(subject, again, run);
  const partial = again.statuses.find(isPartial);
  if (!partial) return again;
  const exchanges = [before.exchange, again.exchange];
  throw new Violation("every layer to be complete", describe(partial), exchanges);
}

function describe({ digest, total, completed }: PullStatus): string {
  return `${completed} of ${total} bytes of ${digest}`;
}

/** Ways in which a layer can become unused. */
const REMOVALS = ["deletion", "update"] as const;

/** A model whose first layer is on disk until it becomes unused. */
interface Removal {
  readonly by: typeof REMOVALS[number];
  readonly setup: ServerSetup;
}

/** Makes the first layer of a model unused until the model is pulled again. */
async function removeFirstLayer(
  by: Removal["by"],
  server: OpenServer,
  { layers: [first = 0, ...others] }: ServerSetup,
  subject: ServerSubject,
  run: CheckRun,
): Promise<void> {
  if (by === "deletion") {
    const status = await server.remove?.();
    if (status !== 200) throw new Inconclusive("The model cannot be deleted");
    return;
  }
  await server.change!([first + CHANGED_BYTES, ...others]);
  await requireSuccess(subject, await pullAll(server, run), run);
  await server.change!([first, ...others]);
}

/** The sizes in bytes of the layers of a model that is published later. No other layer has these sizes. */
const PUBLISHED_SIZES = [2_003, 1_007];

/** How many models were published. Each gets a different name, because a registry may keep them. */
let publishedModels = 0;

/** How much larger a layer is in another version of its model, in bytes. */
const CHANGED_BYTES = 1_000;

/** The size in bytes of the one layer that another model does not share. */
const ADDED_BYTES = 3_011;

/** The name of a new model for the registry. */
function nameToOffer(server: OpenServer): string {
  if (!server.offer) throw new Inconclusive("No model can be added to the registry");
  return absentModel(server, `:published-${++publishedModels}`);
}

/** A rule about what happens after part of a layer was downloaded. */
function partialRule(
  info: Pick<Rule<ServerSubject>, "id" | "level" | "title" | "cites" | "evidence" | "skips">,
  check: (
    part: PartialPull & { readonly setup: ServerSetup },
    server: OpenServer,
    run: CheckRun,
    subject: ServerSubject,
  ) => Promise<void>,
): Rule<ServerSubject> {
  return rule<ServerSubject, [ServerSetup, number]>({
    skips: unlessHas("fresh"),
    ...info,
    side: "server",
    inputs: fc.tuple(slowFirstSetups(), fc.integer({ min: 1, max: 4 })),
    check: (subject, [setup, lines], run) =>
      withServer(subject, setup, async (server) => {
        const part = await pullInPart(server, lines, run);
        await check({ ...part, setup }, server, run, subject);
      }),
  });
}

/** The rules. */
export const downloadRules: readonly Rule<ServerSubject>[] = [
  partialRule({
    id: "S-RESUME-1",
    level: "must",
    title: "A cancelled pull is resumed from where it left off",
    cites: 'spec: "Cancelled pulls are resumed from where they left off"',
    evidence: "a layer that was partly downloaded, and is reported again",
  }, async ({ pulling, last }, server, run, subject) => {
    await pulling.leave();
    const again = await beginPull(server, run);
    await requireFrom(again, last, run);
    await requireSuccess(subject, await again.readAll(), run);
  }),
  partialRule({
    id: "S-SHARE-1",
    level: "must",
    title: "Pulls of one model at the same time share one download",
    cites: 'spec: "multiple calls will share the same download progress"',
    evidence: "a partial layer that the second pull reports",
  }, async ({ pulling, last }, server, run, subject) => {
    const other = await beginPull(server, run);
    await requireFrom(other, last, run);
    const [first, second] = await Promise.all([pulling.readAll(), other.readAll()]);
    await requireSuccess(subject, first, run);
    await requireSuccess(subject, second, run);
  }),
  partialRule({
    id: "S-OTHER-2",
    level: "observed",
    title: "A layer that two models share is downloaded once",
    cites: "observed: downloads are identified by digest, whichever model they are for",
    evidence: "a partial layer that the pull of another model reports",
    skips: unlessHas("fresh", "changes"),
  }, async ({ pulling, last, setup }, server, run, subject) => {
    if (!server.layers?.some(({ digest }) => digest === last.digest)) {
      throw new Inconclusive("The server does not report downloads by layer digest");
    }
    const name = nameToOffer(server);
    await server.offer!(name, [...setup.layers, ADDED_BYTES]);
    const other = await ask(server, { body: pullBody(server, { stream: true }, name) }, run);
    await requireFrom(other, last, run);
    const [first, second] = await Promise.all([pulling.readAll(), other.readAll()]);
    await requireSuccess(subject, first, run);
    await requireSuccess(subject, second, run);
  }),
  partialRule({
    id: "S-LEAVE-1",
    level: "should",
    title: "A caller that disconnects early does not affect the others",
    cites: "observed: a download is cancelled only when its last caller disconnects",
    evidence: "a layer whose download continues after the other caller has disconnected",
  }, async ({ pulling, last }, server, run, subject) => {
    const other = await beginPull(server, run);
    await other.readUntil((statuses) => lastDownload(statuses) !== undefined);
    const { statuses: before } = other.transcript();
    await pulling.leave();
    const transcript = await other.readAll();
    await requireSuccess(subject, transcript, run);
    const { digest, completed = 0 } = lastDownload(before) ?? last;
    const after = transcript.statuses.slice(before.length)
      .filter((status) => status.digest === digest && status.completed !== undefined);
    if (after.length > 0) run.saw();
    const fallen = after.find((status) => status.completed! < completed);
    if (!fallen) return;
    throw new Violation(
      `no fewer than the ${completed} bytes of ${digest} that were downloaded`,
      `${fallen.completed} bytes after the other caller disconnected`,
      [transcript.exchange],
    );
  }),
  rule({
    id: "S-AGAIN-1",
    side: "server",
    level: "observed",
    title: "A downloaded layer is not downloaded again",
    cites: "observed: a downloaded layer is reported once, with `completed` equal to `total`",
    evidence: "a downloaded layer that is reported again",
    pulls: 0, // the model may already be on disk
    inputs: setups().map((setup) => ({ ...setup, mayBeThere: true })),
    check: (subject, setup, run) =>
      withServer(subject, setup, async (server) => {
        const first = await pullAll(server, run);
        await requireSuccess(subject, first, run);
        const again = await requireAllThere(server, first, run, subject);
        if (again.statuses.some(({ completed }) => completed !== undefined)) run.saw();
      }),
  }),
  rule<ServerSubject, ChangedSetup>({
    id: "S-AGAIN-2",
    side: "server",
    level: "observed",
    title: "Only the new layers of a changed model are downloaded",
    cites: "observed: the manifest is fetched at each pull, and downloaded layers are kept",
    evidence: "a changed model whose layers are reported",
    skips: unlessHas("changes"),
    ...changedSetups(),
    check: (subject, { setup, place, before }, run) =>
      withServer(subject, setup, async (server) => {
        await pullBefore(before, server, subject, run);
        const changed = place % setup.layers.length;
        const sizes = setup.layers.map((size, index) =>
          index === changed ? size + CHANGED_BYTES : size
        );
        const layers = await server.change!(sizes);
        const again = await pullAll(server, run);
        await requireSuccess(subject, again, run);
        if (again.statuses.some(({ digest }) => digest !== undefined)) run.saw();
        requireNoRemoved(again, server.layers ?? [], layers);
        if (before === "ended") requireKept(again, server.layers ?? []);
        // Unused layers are removed, and no others.
        await requireAllThere(server, again, run, subject);
      }),
  }),
  rule<ServerSubject, Removal>({
    id: "S-AGAIN-4",
    side: "server",
    level: "observed",
    title: "Layers that no model uses any more are removed",
    cites: "observed: deleting a model removes the layers that no other model has, and an update " +
      "removes those of the previous version",
    evidence: "a removed layer that is pulled again",
    skips: unlessHas("fresh", "manifest", "changes"),
    decisive: REMOVALS.map((by) => ({ by, setup: { layers: [40_000_000, 2_000] } })),
    inputs: fc.record({ by: fc.constantFrom(...REMOVALS), setup: slowFirstSetups() }),
    pulls: 2,
    check: (subject, { by, setup }, run) =>
      withServer(subject, setup, async (server) => {
        const removed = server.layers?.[0]?.digest;
        await requireSuccess(subject, await pullAll(server, run), run);
        await removeFirstLayer(by, server, setup, subject, run);
        const again = await pullAll(server, run);
        await requireSuccess(subject, again, run);
        const reports = again.statuses.filter(({ digest }) => digest === removed);
        if (reports.length === 0) throw new Inconclusive("No line reports the layer");
        run.saw();
        const { total, completed } = reports[0]!;
        if (reports.some(isPartial) || completed === undefined || completed !== total) return;
        throw new Violation("a download of the layer", describe(reports[0]!), [again.exchange]);
      }),
  }),
  rule<ServerSubject, boolean>({
    id: "S-AGAIN-3",
    side: "server",
    level: "observed",
    title: "A model can be pulled as soon as it is published",
    cites: "observed: the manifest is fetched at each pull",
    evidence: SUCCESS,
    skips: unlessHas("changes"),
    decisive: [true, false],
    inputs: fc.boolean(),
    maxRuns: 2,
    check: (subject, stream, run) =>
      withServer(subject, READY_SETUP, async (server) => {
        const name = nameToOffer(server);
        const pull = async (stream: boolean) =>
          await (await ask(server, { body: pullBody(server, { stream }, name) }, run)).readAll();
        const absent = await pull(stream);
        if (hasSucceeded(absent)) throw new Inconclusive("The model already existed");
        await server.offer!(name, PUBLISHED_SIZES);
        const found = await pull(true);
        await withEarlier([absent.exchange], () => requireSuccess(subject, found, run));
        run.saw();
      }),
  }),
  rule<ServerSubject, [ServerSetup, number]>({
    id: "S-LOAD-1",
    side: "server",
    level: "should",
    title: "Many pulls at the same time all succeed",
    cites: 'spec: "multiple calls will share the same download progress"',
    evidence: SUCCESS,
    decisive: [[{ layers: [1_000_000, 5] }, 12]],
    maxRuns: 20,
    inputs: fc.tuple(setups(), fc.integer({ min: 2, max: 12 })),
    check: (subject, [setup, callers], run) =>
      withServer(subject, setup, async (server) => {
        const pulls = Array.from({ length: callers }, () => pullAll(server, run));
        for (const transcript of await Promise.all(pulls)) {
          await requireSuccess(subject, transcript, run);
        }
        run.saw();
      }),
  }),
];
