/**
 * Clients that sum up their layers, each wrong in one way.
 *
 * @module
 */

import type { ClientSubject } from "../../client/subject.ts";
import { type ClientParts, correct, TIME_LIMIT_MS } from "./client_parts.ts";
import {
  belowOne,
  type Known,
  pullWithSums,
  rising,
  sumOf,
  type Sums,
  sumsOf,
} from "./progress_parts.ts";
import type { Specimen } from "./specimen.ts";

/** A client that sums up its layers. */
export function progressClient(
  name: string,
  startSums: () => (known: Known) => Sums,
  parts: Partial<ClientParts> = {},
): ClientSubject {
  return {
    name,
    reports: "progress",
    transport: "in-process",
    timeLimitMs: TIME_LIMIT_MS,
    pull: pullWithSums(startSums, parts),
  };
}

/** Describes a client whose sums are wrong. */
function client(
  name: string,
  does: string,
  breaks: readonly string[],
  startSums: () => (known: Known) => Sums,
  parts: Partial<ClientParts> = {},
): Specimen<ClientSubject> {
  return { name, does, breaks, subject: progressClient(name, startSums, parts) };
}

/** How many layers a client keeps that drops the oldest ones. */
const KEPT_LAYERS = 32;

/** The specimens. */
export const progressSpecimens: readonly Specimen<ClientSubject>[] = [
  client(
    "shares out what is known so far",
    "Its fraction falls when another layer is reported.",
    ["C-SUM-1"],
    () => sumsOf,
  ),
  client(
    "counts again what is fetched again",
    "Its fraction counts all bytes that arrived, including lost ones.",
    ["C-SUM-2"],
    rising((known) => {
      const sums = sumsOf(known);
      const share = sumOf(known.layers, ({ first, arrived }) => first + arrived) / sums.total;
      return { ...sums, fraction: share > 1 ? share : sums.fraction };
    }),
  ),
  client(
    "waits for the last line of each layer",
    "It counts only the reported bytes of a layer, even when the layer is complete.",
    ["C-SUM-3"],
    rising((known) => ({ ...sumsOf(known), completed: sumOf(known.layers, ({ most }) => most) })),
  ),
  client(
    "sums by the last digest only",
    "It reports only the layer reported last, so progress falls with each new one, and there is no sum " +
      "of none at the end, whether bytes were there before or not.",
    ["C-SUM-1", "C-SUM-3", "C-SUM-4"],
    rising((known) => {
      const { current, isDownloaded } = known;
      const { most = 0, total = 0 } = current ?? {};
      return { ...sumsOf(known), completed: isDownloaded ? total : most, total };
    }),
  ),
  client(
    "counts from where it began",
    "It leaves out the bytes of a layer that were present at its first report.",
    ["C-SUM-4"],
    rising((known) => {
      const sums = sumsOf(known);
      return { ...sums, completed: sums.completed - sumOf(known.layers, ({ first }) => first) };
    }),
  ),
  client(
    "forgets the oldest layers",
    "It sums up only the newest layers, which are those that it shows.",
    ["C-SUM-1", "C-SUM-3"],
    rising((known) => sumsOf({ ...known, layers: known.layers.slice(-KEPT_LAYERS) })),
  ),
  client(
    "finds figures by what is before them",
    "It searches for numbers right after a colon, so it misses those after a space.",
    ["C-OBJ-5", "C-SUM-3", "C-SUM-4"],
    rising(sumsOf),
    {
      parse(line) {
        const object = correct.parse(line);
        if (!object?.digest) return object;
        const figure = (name: string) => Number(line.match(`"${name}":(\\d+)`)?.[1] ?? 0);
        return { ...object, total: figure("total"), completed: figure("completed") };
      },
    },
  ),
  client(
    "never gets there",
    "It stays below 1 after success.",
    ["C-SUM-5"],
    rising((known) => sumsOf({ ...known, isDone: false })),
  ),
  client(
    "is there with the last byte",
    "It reports 1 as soon as all bytes are present.",
    ["C-SUM-6"],
    rising((known) => {
      const sums = sumsOf(known);
      return { ...sums, fraction: known.isDownloaded ? 1 : belowOne(sums.fraction) };
    }),
  ),
];
