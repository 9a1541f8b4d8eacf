/**
 * The states of a pull, and fixed pulls on which rules depend: they are tried in every run.
 *
 * A rule says how a client must handle what may happen next, in every state unless it says otherwise:
 *
 *     the stream ends    the connection breaks    half a line    an error line    an error object
 *     C-END-1            C-END-3                  C-END-2        C-ERR-1, -2, -3  C-ERR-4
 *
 *     a line that is not JSON   silence     cancelled during silence        success
 *     C-FRAME-8                 C-TIME-1    C-CANCEL-1                      C-DONE-1
 *
 * Silence is tried in five states in which nothing takes long: during verifying, servers are silent for
 * minutes. After success, nothing changes the outcome (C-DONE-3).
 *
 * @module
 */

import { type DialectName, dialects } from "../../src/dialects.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../src/status.ts";
import type { PullSession, StatusObject } from "../generators/mod.ts";

/** A pull at some point before `success`. */
export interface PullPoint {
  /** The objects that have already been sent. */
  readonly sent: readonly StatusObject[];
  /** The objects that would follow. */
  readonly left: readonly StatusObject[];
}

/** A pull after some of its objects. */
export function pointIn({ statuses }: Pick<PullSession, "statuses">, count: number): PullPoint {
  return { sent: statuses.slice(0, count), left: statuses.slice(count) };
}

const FIRST = `sha256:${"1a".repeat(32)}`;
const LATER = `sha256:${"2b".repeat(32)}`;
const LAST = `sha256:${"3c".repeat(32)}`;

const MANIFEST: StatusObject = { status: "pulling manifest" };
const VERIFYING: StatusObject = { status: "verifying sha256 digest" };
const WRITING: StatusObject = { status: "writing manifest" };
const REMOVING: StatusObject = { status: "removing any unused layers" };
const SUCCESS: StatusObject = { status: "success" };

/** A line about a layer, in the words of a dialect. A `completed` of 0 is left out. */
function layerLine(
  dialect: DialectName,
  digest: string,
  total: number,
  completed: number,
): StatusObject {
  const { downloading, cached } = dialects[dialect];
  const status = (completed === total ? cached : downloading)(digest);
  return {
    ...(status !== undefined && { status }),
    digest,
    total,
    ...(completed > 0 && { completed }),
  };
}

const first = (completed: number) => layerLine("spec", FIRST, 1_000, completed);
const later = (completed: number) => layerLine("spec", LATER, 5_000, completed);

/** A pull of two layers, as on the published page. */
const WHOLE = [
  ...[MANIFEST, first(0), first(400), first(1_000), later(0), later(3_000), later(5_000)],
  ...[VERIFYING, WRITING, REMOVING, SUCCESS],
];

/** A pull of two layers that are already on disk, one complete and one partial. */
const PARTLY_CACHED = [MANIFEST, first(1_000), later(2_000), ...WHOLE.slice(6)];

/** A pull of two layers that are already complete. */
const CACHED = [MANIFEST, first(1_000), later(5_000), ...WHOLE.slice(7)];

/** The states of a pull before `success`, each with the objects sent and those to follow. */
export const PULL_STATES: Readonly<Record<string, PullPoint>> = {
  "nothing sent": pointIn({ statuses: WHOLE }, 0),
  "manifest only": pointIn({ statuses: WHOLE }, 1),
  "in the first layer": pointIn({ statuses: WHOLE }, 3),
  "in a later layer": pointIn({ statuses: WHOLE }, 6),
  "downloaded": pointIn({ statuses: WHOLE }, 7),
  "resumed": pointIn({ statuses: PARTLY_CACHED.toSpliced(1, 1) }, 2),
  "partly cached": pointIn({ statuses: PARTLY_CACHED }, 3),
  "cached": pointIn({ statuses: CACHED }, 3),
  "verifying": pointIn({ statuses: WHOLE }, 8),
  "writing": pointIn({ statuses: WHOLE }, 9),
  "removing": pointIn({ statuses: WHOLE }, 10),
};

/** All states. */
export const pullPoints: readonly PullPoint[] = Object.values(PULL_STATES);

/** All states except the first: something has already been sent. */
export const begunPoints: readonly PullPoint[] = pullPoints.slice(1);

/** A complete pull of two layers, as on the published page. */
export const wholePull: Pick<PullSession, "statuses"> = { statuses: WHOLE };

/**
 * A slow pull that makes progress: something new comes within each pause except the longest, after which the
 * same line is repeated a few times.
 */
export const slowPull = {
  statuses: [
    ...[MANIFEST, first(0), first(100), first(200), first(400)],
    ...[first(400), first(400), first(400), ...WHOLE.slice(3)],
  ],
  /** Lines that follow a pause: their indexes, each with its share of the longest pause. */
  pausesBefore: [[2, 0.5], [3, 0.5], [4, 0.5], [5, 1]],
  /** The line after the longest pause: verifying takes minutes. */
  beforeWriting: 13,
} as const;

/** More lines than fit into the buffers between a client and its output. */
export const MANY = 3_000;

/** A pull whose only layer has a number of lines. */
export function longPull(count: number): StatusObject[] {
  const downloads = Array.from(
    { length: count + 1 },
    (_, index) => layerLine("spec", FIRST, count, index),
  );
  return [MANIFEST, ...downloads, VERIFYING, WRITING, REMOVING, SUCCESS];
}

/** The digest of one of many layers. They start with the same digits. */
function digestOf(index: number): string {
  return `sha256:${index.toString(16).padStart(12, "0").padEnd(64, "0")}`;
}

/**
 * A pull of many layers, as for models of tensors, whose last lines fall short of their totals. The layers
 * come one after another or in parallel, depending on the dialect.
 */
export function manyLayersPull(
  dialect: DialectName,
  count: number,
): Pick<PullSession, "statuses"> {
  const line = (index: number, share: number) => {
    const total = 1_000 + index;
    return layerLine(dialect, digestOf(index), total, Math.floor(share * total));
  };
  const shares = [0, 0.5, 0.9];
  const layers = Array.from({ length: count }, (_, index) => index);
  const downloads = dialects[dialect].layers === "parallel"
    ? shares.flatMap((share) => layers.map((index) => line(index, share)))
    : layers.flatMap((index) => shares.map((share) => line(index, share)));
  return { statuses: [MANIFEST, ...downloads, ...finalsOf(dialect)] };
}

/** The final lines of a dialect. */
function finalsOf(dialect: DialectName): StatusObject[] {
  const { verifies, removing } = dialects[dialect];
  return [
    ...(verifies ? [VERIFYING] : []),
    WRITING,
    ...(removing === undefined ? [] : [{ status: removing }]),
    SUCCESS,
  ];
}

/** A pull with many things that a dialect allows: bytes kept and lost, lines that fall short. */
export function eventfulPull(dialect: DialectName): Pick<PullSession, "statuses"> {
  const line = (digest: string, total: number, completed: number) =>
    layerLine(dialect, digest, total, completed);
  const order = dialects[dialect].layers;
  if (order === "aggregate") {
    const all = (completed: number): StatusObject => line(DIGEST_OF_ALL_LAYERS, 6_100, completed);
    const downloads = [all(400), all(1_900), all(700), all(6_000)];
    return { statuses: [MANIFEST, ...downloads, ...finalsOf(dialect)] };
  }
  if (dialect === "spec") {
    const resumed = [line(FIRST, 1_000, 400), line(FIRST, 1_000, 1_000)];
    return { statuses: [MANIFEST, ...resumed, ...WHOLE.slice(4)] };
  }
  // The first is rolled back and short of its total, the second cached, the third short of its total.
  const layers = [
    [line(FIRST, 1_000, 900), line(FIRST, 1_000, 100), line(FIRST, 1_000, 950)],
    [line(LATER, 5_000, 5_000)],
    [line(LAST, 100, 30), line(LAST, 100, 60)],
  ];
  const turns = [0, 1, 2].flatMap((turn) => layers.flatMap((lines) => lines.slice(turn, turn + 1)));
  const downloads = order === "parallel" ? turns : layers.flat();
  return { statuses: [MANIFEST, ...downloads, ...finalsOf(dialect)] };
}

/** A pull of two layers whose last lines fall short of their totals, one after another. */
export const unfinishedPull: Pick<PullSession, "statuses"> = {
  statuses: [MANIFEST, first(0), first(900), later(0), later(4_000), ...WHOLE.slice(7)],
};

/** A pull of two layers that are already partly on disk. */
export const resumedPull: Pick<PullSession, "statuses"> = { statuses: PARTLY_CACHED };
