/**
 * Generates whole pulls: the objects that a server sends while it pulls a manifest.
 *
 * @module
 */

import fc from "fast-check";
import { type DialectName, dialects } from "../../src/dialects.ts";
import type { LayerSize } from "../../src/snapshot.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../src/status.ts";
import type { Arbitrary } from "./arbitrary.ts";
import { layerSizesOf, type Manifest, type ManifestOptions, manifests } from "./manifests.ts";
import { type StatusObject, unknownFields, unknownStatuses } from "./objects.ts";

/**
 * Things that may happen in a pull and surprise a naive client (observed, unless marked as spec):
 *
 * - `silent-layer`: a layer sends no line at all.
 * - `unfinished-layer`: the last line of a layer has `completed` below `total`.
 * - `cached-layer`: a layer sends one line, with `completed` equal to `total`.
 * - `resumed-layer`: a layer begins at the bytes kept by an earlier pull (spec: "Cancelled pulls are
 *   resumed from where they left off").
 * - `rollback`: `completed` goes down.
 * - `parallel-layers`: lines about several layers alternate, in any dialect.
 * - `late-layer`: a layer is named only when others are almost done, though layers run in parallel.
 * - `missing-total`: the lines of a layer have no `total`, because the registry sent no length.
 * - `missing-status`: lines about a layer have no `status`.
 * - `missing-digest`: lines about a layer have a `status` but no `digest`, as compatible servers write them.
 * - `failed-removal`: a line says that unused layers could not be removed.
 * - `unknown-status`: a line has a status that no version of the protocol knows, or nothing at all.
 * - `unknown-field`: a line has a field that no version of the protocol knows.
 */
export type PullSurprise =
  | "silent-layer"
  | "unfinished-layer"
  | "cached-layer"
  | "resumed-layer"
  | "rollback"
  | "parallel-layers"
  | "late-layer"
  | "missing-total"
  | "missing-status"
  | "missing-digest"
  | "failed-removal"
  | "unknown-status"
  | "unknown-field";

/**
 * How a session ends: with `success`, with an `error` object (observed: it is the last line), or with
 * neither, because the connection was cut between two lines.
 */
export type PullEnding = "success" | "error" | "cut";

/** A whole pull, as one server reports it. */
export interface PullSession {
  /** The dialect that the server speaks. */
  readonly dialect: DialectName;
  /** What is pulled. */
  readonly manifest: Manifest;
  /** How it ends. */
  readonly ending: PullEnding;
  /** The objects, in the order in which they are sent. */
  readonly statuses: readonly StatusObject[];
}

/** Options of {@link pullSessions}. */
export interface PullSessionOptions extends ManifestOptions {
  /**
   * The dialects to choose from.
   *
   * @default {all of them}
   */
  dialects?: readonly DialectName[] | undefined;
  /**
   * What may happen.
   *
   * @default {everything}
   */
  surprises?: readonly PullSurprise[] | undefined;
  /**
   * How the pull may end.
   *
   * @default {["success"]}
   */
  endings?: readonly PullEnding[] | undefined;
}

const MAX_TICKS = 6;

/** In the order that shrinking prefers: the spec first. */
const ALL_DIALECTS = Object.keys(dialects) as DialectName[];

/**
 * Whole pulls, as a server of some dialect reports them: `pulling manifest`, lines about downloads, the final
 * lines of the dialect, and the ending. `total` and `completed` are in bytes; a field that is 0 is left out
 * (observed), and `completed` never exceeds `total`.
 *
 * @param options What may happen in the pulls.
 */
export function pullSessions(options: PullSessionOptions = {}): Arbitrary<PullSession> {
  const { dialects: dialectNames = ALL_DIALECTS, endings = ["success"] } = options;
  const may = chances(options.surprises);
  return fc.record({
    manifest: manifests(options),
    dialect: fc.constantFrom(...dialectNames),
    ending: fc.constantFrom(...endings),
  }).chain(({ manifest, dialect, ending }) =>
    fc.record({
      downloads: downloads(dialect, layerSizesOf(manifest), may),
      finals: finalStatuses(dialect, may),
      strangers: strangers(may),
      strangeFields: strangeFields(may),
      endsAfter: fc.nat(),
    }).map(({ downloads, finals, strangers, strangeFields, endsAfter }) => {
      const plain = [{ status: "pulling manifest" }, ...downloads, ...finals];
      const whole = withStrangeFields(withStrangers(plain, strangers), strangeFields);
      return { dialect, manifest, ending, statuses: endedBy(whole, ending, endsAfter) };
    })
  );
}

/** Whether a surprise happens: rarely, and never if it is not allowed. */
type Chance = (surprise: PullSurprise) => Arbitrary<boolean>;

function chances(surprises: readonly PullSurprise[] | undefined): Chance {
  return (surprise) =>
    surprises === undefined || surprises.includes(surprise)
      ? fc.nat({ max: 3 }).map((number) => number === 3)
      : fc.constant(false);
}

/** The lines about all downloads. */
function downloads(
  dialect: DialectName,
  layers: readonly LayerSize[],
  may: Chance,
): Arbitrary<StatusObject[]> {
  const inOrder = dialects[dialect].layers;
  if (inOrder === "aggregate") {
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    return download(dialect, { digest: DIGEST_OF_ALL_LAYERS, size }, may);
  }
  return fc.record({
    parallel: inOrder === "parallel" ? fc.constant(true) : may("parallel-layers"),
    downloads: fc.tuple(...layers.map((layer) => download(dialect, layer, may))),
    schedules: fc.tuple(...layers.map(() => schedule(may))),
  }).map(({ parallel, downloads, schedules }) =>
    parallel ? interleave(downloads, schedules) : downloads.flat()
  );
}

/** When the lines of a layer are sent, in ticks: the first one, then one every `pace` ticks. */
interface Schedule {
  readonly announcedAt: number;
  readonly pace: number;
}

function schedule(may: Chance): Arbitrary<Schedule> {
  return fc.record({
    late: may("late-layer"),
    delay: fc.integer({ min: 1, max: MAX_TICKS }),
    pace: fc.integer({ min: 1, max: 3 }),
  }).map(({ late, delay, pace }) => ({ announcedAt: late ? delay : 0, pace }));
}

/** Merges the lines of several layers. Lines of the same tick stay in the order of the layers. */
function interleave(
  downloads: readonly StatusObject[][],
  schedules: readonly Schedule[],
): StatusObject[] {
  const timed = downloads.flatMap((lines, layer) => {
    const { announcedAt, pace } = schedules[layer]!;
    return lines.map((status, index) => ({ status, time: announcedAt + index * pace }));
  });
  return timed.sort((a, b) => a.time - b.time).map(({ status }) => status);
}

/** The lines about one download. */
function download(
  dialect: DialectName,
  { digest, size }: LayerSize,
  may: Chance,
): Arbitrary<StatusObject[]> {
  const { cached, downloading } = dialects[dialect];
  return fc.record({
    silent: may("silent-layer"),
    cached: may("cached-layer"),
    unfinished: may("unfinished-layer"),
    missingTotal: may("missing-total"),
    missingStatus: may("missing-status"),
    missingDigest: may("missing-digest"),
    kept: bytesKept(size, may),
    received: bytesReceived(size, may),
  }).map((course) => {
    if (course.silent) return [];
    const words = course.cached ? cached(digest) : downloading(digest);
    const status = course.missingStatus ? undefined : words;
    const total = course.missingTotal ? undefined : size;
    const rising = [course.kept, ...course.received.map((bytes) => Math.max(bytes, course.kept))];
    if (!course.unfinished) rising.push(size);
    const completions = course.cached ? [size] : rising;
    const named = course.missingDigest && status ? { status } : { status, digest };
    return completions.map((completed) => withoutEmpty({ ...named, total, completed }));
  });
}

/** The bytes of a layer that are on disk before the pull begins. */
function bytesKept(size: number, may: Chance): Arbitrary<number> {
  return fc.record({ resumed: may("resumed-layer"), kept: fc.nat({ max: size - 1 }) })
    .map(({ resumed, kept }) => resumed ? kept : 0);
}

/** The bytes of a layer on disk at each tick, except at the end of the download. */
function bytesReceived(size: number, may: Chance): Arbitrary<number[]> {
  return fc.record({
    rollback: may("rollback"),
    received: fc.array(fc.nat({ max: size - 1 }), { maxLength: MAX_TICKS }),
  }).map(({ rollback, received }) => rollback ? received : received.sort((a, b) => a - b));
}

/** A status object without the fields that servers leave out: those that are 0 or absent (observed). */
function withoutEmpty(fields: StatusObject): StatusObject {
  const isSaid = (field: unknown) => field !== undefined && field !== 0;
  return Object.fromEntries(Object.entries(fields).filter(([_, field]) => isSaid(field)));
}

/** The lines after the downloads. */
function finalStatuses(dialect: DialectName, may: Chance): Arbitrary<StatusObject[]> {
  const { verifies, removing, alwaysRemoves } = dialects[dialect];
  return fc.record({
    hasUnused: alwaysRemoves ? fc.constant(true) : fc.boolean(),
    failed: may("failed-removal"),
  }).map(({ hasUnused, failed }) => {
    const removal = failed ? "couldn't remove unused layers: permission denied" : removing;
    return [
      verifies && "verifying sha256 digest",
      "writing manifest",
      hasUnused && removal,
      "success",
    ].filter((status) => typeof status === "string").map((status) => ({ status }));
  });
}

/** An object to insert into a session, and where. */
interface Insertion<Item> {
  readonly position: number;
  readonly item: Item;
}

function insertions<Item>(
  chance: Arbitrary<boolean>,
  item: Arbitrary<Item>,
): Arbitrary<Insertion<Item>[]> {
  const some = fc.array(fc.record({ position: fc.nat(), item }), { maxLength: 3 });
  return fc.tuple(chance, some).map(([happens, insertions]) => happens ? insertions : []);
}

function strangers(may: Chance): Arbitrary<Insertion<StatusObject>[]> {
  return insertions(may("unknown-status"), unknownStatuses());
}

function strangeFields(may: Chance): Arbitrary<Insertion<[string, unknown]>[]> {
  return insertions(may("unknown-field"), unknownFields());
}

/** Inserts objects, never before the first (spec: the manifest) or after the last. */
function withStrangers(
  statuses: readonly StatusObject[],
  strangers: readonly Insertion<StatusObject>[],
): StatusObject[] {
  const whole = [...statuses];
  for (const { position, item } of strangers) {
    whole.splice(1 + position % (whole.length - 1), 0, item);
  }
  return whole;
}

function withStrangeFields(
  statuses: readonly StatusObject[],
  fields: readonly Insertion<[string, unknown]>[],
): StatusObject[] {
  const whole = [...statuses];
  for (const { position, item } of fields) {
    const index = position % whole.length;
    // Not with a literal or by assignment, since the key may be `__proto__`.
    whole[index] = Object.fromEntries([...Object.entries(whole[index]!), item]);
  }
  return whole;
}

function endedBy(statuses: StatusObject[], ending: PullEnding, endsAfter: number): StatusObject[] {
  if (ending === "success") return statuses;
  const sent = statuses.slice(0, endsAfter % statuses.length);
  return ending === "cut" ? sent : [...sent, { error: "max retries exceeded: EOF" }];
}
