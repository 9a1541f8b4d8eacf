/**
 * Rules about the stream that answers a pull: its framing, the order of its objects, and what it reports
 * about downloads.
 *
 * @module
 */

import type { LayerSize, PullStatus } from "../../../mod.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../../src/status.ts";
import { Inconclusive, Violation } from "../../rule.ts";
import { longSetups, slowSetups } from "../server_states.ts";
import { unlessHas } from "../subject.ts";
import { decode, isPartial, parseJson, type Transcript } from "../transcript.ts";
import { type PullRule, pullRule, type PullRuleInfo } from "./pull_rule.ts";

/** What is wrong with an object. */
interface Fault {
  readonly expected: string;
  readonly seen: string;
}

/**
 * A rule about every object that reports a download. Objects without the fields in question are ignored.
 */
function downloadRule(
  info: PullRuleInfo & { readonly evidence: string },
  findFault: (status: PullStatus, all: readonly PullStatus[], layers: readonly LayerSize[]) =>
    | Fault
    | "fine"
    | undefined,
): PullRule {
  return pullRule(info, "begun", ({ statuses, exchange }, { layers, saw }) => {
    const downloads = statuses.filter((status) => kindOf(status) === "downloading");
    for (const status of downloads) {
      const fault = findFault(status, downloads, layers);
      if (fault !== undefined) saw();
      if (typeof fault === "object") throw new Violation(fault.expected, fault.seen, [exchange]);
    }
  });
}

/** The phases, in the order of the spec. */
const PHASES = ["manifest", "downloading", "verifying", "writing", "removing", "success"] as const;

/**
 * The kind of an object by the spec, where every download names its digest. A download without one breaks
 * only S-DOWN-5.
 */
function kindOf({ kind, status, digest }: PullStatus): PullStatus["kind"] {
  if (kind !== "downloading" || digest !== undefined) return kind;
  return status === "pulling manifest" ? "manifest" : "other";
}

function phaseOf(status: PullStatus): number {
  return (PHASES as readonly string[]).indexOf(kindOf(status));
}

/** How long a pull must take, in milliseconds, for its objects to be sent at different times. */
const LONG_ENOUGH_MS = 600;

/**
 * The longest time that objects may be held back, in milliseconds: many ticks of any server, and longer than
 * a busy machine pauses.
 */
const MAX_HELD_MS = 1_000;

/**
 * Chunks less than this many milliseconds apart, sooner than any server's ticks, count as arriving at once.
 */
const AT_ONCE_MS = 10;

/** Chunks that arrived at once. */
interface Batch {
  /** How long nothing had arrived before, in milliseconds. */
  readonly pauseMs: number;
  /** The chunks. */
  readonly chunks: Uint8Array<ArrayBuffer>[];
}

/** Groups chunks that arrived at once. */
function batchesOf({ chunks, arrivedAfterMs }: Transcript): Batch[] {
  const batches: Batch[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const pauseMs = arrivedAfterMs[index]! - (arrivedAfterMs[index - 1] ?? 0);
    const last = batches.at(-1);
    if (last && pauseMs < AT_ONCE_MS) last.chunks.push(chunk);
    else batches.push({ pauseMs, chunks: [chunk] });
  }
  return batches;
}

/** How many different byte counts a batch reports for one incomplete layer. */
function countReports({ chunks }: Batch): number {
  const reported = new Map<string | undefined, Set<number>>();
  for (const status of decode(chunks)) {
    if (!isPartial(status)) continue;
    const { digest, completed } = status;
    reported.set(digest, (reported.get(digest) ?? new Set()).add(completed!));
  }
  return Math.max(0, ...Array.from(reported.values(), ({ size }) => size));
}

/**
 * Describes a long silence during which a layer has progressed, if there is one. If several objects follow
 * it, they were held back, which S-FRAME-5 covers.
 */
function findSilence(transcript: Transcript): string | undefined {
  let last: PullStatus | undefined;
  for (const batch of batchesOf(transcript)) {
    const statuses = decode(batch.chunks);
    const [next] = statuses;
    const isLong = batch.pauseMs > MAX_HELD_MS && countReports(batch) < 2;
    if (isLong && last && next && isUnderWay(last) && hasGone(last, next)) {
      const told = `${last.completed ?? 0} of ${last.total} bytes`;
      return `nothing for ${Math.round(batch.pauseMs)} ms after ${told} of a layer`;
    }
    last = statuses.at(-1) ?? last;
  }
  return undefined;
}

/** Whether a layer is reported as incomplete or not begun. */
function isUnderWay({ total, completed = 0 }: PullStatus): boolean {
  return total !== undefined && completed < total;
}

/** Whether a download has progressed from one object to the next. */
function hasGone(from: PullStatus, to: PullStatus): boolean {
  if (to.kind === "error") return false;
  return from.digest !== to.digest || (to.completed ?? 0) > (from.completed ?? 0);
}

/** How many ticks must repeat something before it counts as a habit. */
const MIN_TICKS = 3;

/**
 * What each tick reports about each partial layer. If one tick reports two different values, objects were
 * held back, so the number of ticks is not known.
 */
function ticksOf(transcript: Transcript): number[][][] {
  const byDigest = new Map<string, number[][]>();
  for (const { chunks } of batchesOf(transcript)) {
    const told = new Map<string, number[]>();
    for (const status of decode(chunks)) {
      const { digest, completed } = status;
      if (digest === undefined || completed === undefined || !isPartial(status)) continue;
      told.set(digest, [...told.get(digest) ?? [], completed]);
    }
    for (const [digest, tick] of told) {
      byDigest.set(digest, [...byDigest.get(digest) ?? [], tick]);
    }
  }
  return [...byDigest.values()];
}

const FINAL_ORDER = 'spec: "After all the files are downloaded, the final responses are:"';

/** The rules. */
export const streamRules: readonly PullRule[] = [
  pullRule(
    {
      id: "S-FRAME-1",
      level: "observed",
      title: "Every object is on a separate line, which ends with a newline",
      cites: "observed: newline-delimited JSON, one compact object per line, no blank lines",
    },
    "begun",
    ({ text, exchange }) => {
      const lines = text.split("\n");
      if (lines.pop() !== "") {
        throw new Violation("a newline at the end", "no newline", [exchange]);
      }
      for (const [index, line] of lines.entries()) {
        if (isObject(line)) continue;
        throw new Violation(`line ${index + 1} to be one object`, JSON.stringify(line), [exchange]);
      }
    },
  ),
  pullRule(
    {
      id: "S-FRAME-2",
      level: "should",
      title: "The stream is UTF-8 without a byte order mark",
      cites: "RFC 8259, 8.1: JSON is encoded in UTF-8, and no byte order mark is added",
    },
    "begun",
    ({ chunks, exchange }) => {
      const bytes = chunks.flatMap((chunk) => [...chunk]);
      try {
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
          .decode(new Uint8Array(bytes));
        if (!text.startsWith("\ufeff")) return;
      } catch {
        throw new Violation("UTF-8", "bytes that are not UTF-8", [exchange]);
      }
      throw new Violation("no byte order mark", "a byte order mark", [exchange]);
    },
  ),
  pullRule(
    {
      id: "S-FRAME-3",
      level: "observed",
      title: "The content type is application/x-ndjson",
      cites: "observed: Content-Type: application/x-ndjson",
    },
    "begun",
    ({ contentType, exchange }) => {
      if (contentType?.split(";")[0]?.trim() === "application/x-ndjson") return;
      throw new Violation("application/x-ndjson", contentType ?? "no content type", [exchange]);
    },
  ),
  pullRule(
    {
      id: "S-FRAME-6",
      level: "observed",
      title: "Objects are compact: no white space, no repeated fields, and numbers in plain digits",
      cites:
        "observed: each line is one compact JSON object; `total` and `completed` are plain digits",
    },
    "begun",
    ({ text, exchange }) => {
      for (const line of text.split("\n")) {
        const value = parseJson(line);
        if (value === undefined || isAsWritten(line, value)) continue;
        throw new Violation(JSON.stringify(value), line, [exchange]);
      }
    },
  ),
  pullRule(
    {
      id: "S-FRAME-4",
      level: "should",
      title: "Objects are sent while the pull is running, not all at its end",
      cites: "Progress is useless once the pull has ended; observed: flushed line by line",
      evidence: `a pull that takes ${LONG_ENOUGH_MS} ms or longer`,
      skips: unlessHas("fresh"),
    },
    "timed",
    (transcript, { saw }) => {
      const { firstAfterMs, elapsedMs, exchange } = transcript;
      if (elapsedMs < LONG_ENOUGH_MS) {
        throw new Inconclusive(
          `The pull ended within ${LONG_ENOUGH_MS} ms, too soon to see when objects arrive`,
        );
      }
      saw();
      const seen = firstAfterMs > elapsedMs / 2
        ? `the first one after ${Math.round(firstAfterMs)} of ${Math.round(elapsedMs)} ms`
        : findSilence(transcript);
      if (seen === undefined) return;
      throw new Violation("objects to arrive while the pull is running", seen, [exchange]);
    },
    { ...slowSetups(), decisive: longSetups().decisive },
  ),
  pullRule(
    {
      id: "S-FRAME-5",
      level: "should",
      title: "Objects are not held back: they arrive one by one, as the server sends them",
      cites:
        'spec: "a stream of JSON objects is returned"; observed: one object per tick of 60 ms, ' +
        "flushed line by line, where a proxy that buffers sends the objects of seconds at once",
      evidence: `a pull that takes ${MAX_HELD_MS} ms or longer`,
      skips: unlessHas("fresh"),
    },
    "timed",
    (transcript, { saw }) => {
      const { elapsedMs, exchange } = transcript;
      if (elapsedMs < MAX_HELD_MS) {
        throw new Inconclusive(
          `The pull ended within ${MAX_HELD_MS} ms, too soon to see whether objects are held back`,
        );
      }
      saw();
      // A pause alone proves nothing: the server may be waiting for its registry.
      for (const batch of batchesOf(transcript)) {
        if (batch.pauseMs <= MAX_HELD_MS) continue;
        const reports = countReports(batch);
        if (reports < 2) continue;
        const seen = `${reports} about a layer at once, after ${Math.round(batch.pauseMs)} ms`;
        throw new Violation("objects to arrive one by one", seen, [exchange]);
      }
    },
    longSetups(),
  ),
  pullRule(
    {
      id: "S-FRAME-7",
      level: "should",
      title: "A tick reports each layer once",
      cites: "observed: one object per tick of 60 ms",
      evidence: `${MIN_TICKS} objects about a partial layer, sent at different times`,
      skips: unlessHas("fresh"),
    },
    "timed",
    (transcript, { saw }) => {
      const { exchange } = transcript;
      for (const ticks of ticksOf(transcript)) {
        if (ticks.length < MIN_TICKS || ticks.some((tick) => new Set(tick).size > 1)) continue;
        saw();
        // A stalled download repeats its report for a long time, and its ticks may come late, and so at once.
        const repeated = new Set(ticks.filter((tick) => tick.length > 1).map(([told]) => told));
        if (repeated.size < MIN_TICKS) continue;
        const seen = `${repeated.size} objects that came more than once at the same time`;
        throw new Violation("each object about a partial layer to come once", seen, [exchange]);
      }
    },
    slowSetups(),
  ),
  pullRule(
    {
      id: "S-SEQ-1",
      level: "must",
      title: "The first object is the manifest",
      cites: 'spec: "The first object is the manifest"',
    },
    "begun",
    ({ statuses: [first], exchange }) => {
      if (first?.kind === "error") throw new Inconclusive("The pull failed at once");
      if (first && kindOf(first) === "manifest") return;
      const seen = JSON.stringify(first?.status ?? first);
      throw new Violation('"pulling manifest" first', seen ?? "no object", [exchange]);
    },
  ),
  pullRule(
    {
      id: "S-SEQ-2",
      level: "must",
      title: "The phases come in order: manifest, downloads, verifying, writing, removing, success",
      cites: `spec: "Then there is a series of downloading responses."; ${FINAL_ORDER.slice(6)}`,
      evidence: "two phases",
    },
    "begun",
    ({ statuses, exchange }, { saw }) => {
      const known = statuses.filter((status) =>
        phaseOf(status) !== -1 && status.kind !== "success"
      );
      if (new Set(known.map(phaseOf)).size > 1) saw();
      for (const [index, status] of known.entries()) {
        const before = known[index - 1];
        if (!before || phaseOf(status) >= phaseOf(before)) continue;
        throw new Violation(
          `nothing of an earlier phase after ${JSON.stringify(before.status)}`,
          JSON.stringify(status.status ?? status.digest),
          [exchange],
        );
      }
    },
  ),
  pullRule(
    {
      id: "S-SEQ-3",
      level: "must",
      title: "`success` is the last object",
      cites: `${FINAL_ORDER} … "success", which is the last of them`,
    },
    "ended",
    ({ statuses, exchange }) => {
      const last = statuses.at(-1);
      if (last?.kind === "success") return;
      const seen = JSON.stringify(last?.error ?? last?.status) ?? "no such object";
      throw new Violation('"success" last', seen, [exchange]);
    },
  ),
  pullRule(
    {
      id: "S-SEQ-4",
      level: "must",
      title: "`success` is sent once",
      cites: `${FINAL_ORDER} … "success", which is one of them`,
      evidence: "a `success`",
    },
    "begun",
    ({ statuses, exchange }, { saw }) => {
      const count = statuses.filter(({ kind }) => kind === "success").length;
      if (count > 0) saw();
      if (count > 1) throw new Violation("one success", `${count} successes`, [exchange]);
    },
  ),
  pullRule(
    {
      id: "S-SEQ-5",
      level: "should",
      title: "The manifest and each final phase are reported once",
      cites: `${FINAL_ORDER}, each of them once`,
      evidence: "one of these phases",
    },
    "begun",
    ({ statuses, exchange }, { saw }) => {
      for (const phase of ["manifest", "verifying", "writing"]) {
        const count = statuses.filter((status) => kindOf(status) === phase).length;
        if (count > 0) saw();
        if (count > 1) {
          throw new Violation(`one object of the phase ${phase}`, `${count} objects`, [exchange]);
        }
      }
    },
  ),
  pullRule(
    {
      id: "S-SEQ-6",
      level: "must",
      title: "Every object has a status, a digest or an error",
      cites:
        'spec: "status": "pulling manifest", and one in each other response; observed: in downloads it ' +
        "may be absent or empty",
      evidence: "an object",
    },
    "begun",
    ({ statuses, exchange }, { saw }) => {
      for (const { kind, ...object } of statuses) {
        saw();
        if (object.status || object.digest || kind === "error") continue;
        throw new Violation("a status, a digest or an error", JSON.stringify(object), [exchange]);
      }
    },
  ),
  downloadRule({
    id: "S-DOWN-1",
    level: "must",
    title: "`total` and `completed` are whole numbers of bytes, if present",
    cites: 'spec: "total": 2142590208, "completed": 241970',
    evidence: "a download with `total` or `completed`",
  }, ({ total, completed, extra = {} }) => {
    const field = ["total", "completed"].find((name) => name in extra);
    if (field === undefined) return (total ?? completed) === undefined ? undefined : "fine";
    return { expected: `${field} in whole bytes`, seen: JSON.stringify(extra[field]) };
  }),
  downloadRule({
    id: "S-DOWN-2",
    level: "should",
    title: "`completed` is at most `total`",
    cites: "No more than the whole layer can be downloaded",
    evidence: "a download with `total` and `completed`",
  }, ({ total, completed }) => {
    if (total === undefined || completed === undefined) return undefined;
    if (completed <= total) return "fine";
    return { expected: `at most ${total} bytes completed`, seen: String(completed) };
  }),
  downloadRule({
    id: "S-DOWN-3",
    level: "should",
    title: "The `total` of a digest does not change",
    cites: "A digest identifies bytes, whose number does not change",
    evidence: "two objects with the `total` of one digest",
    skips: unlessHas("fresh"),
  }, (status, all) => {
    const { digest, total } = status;
    if (digest === undefined || total === undefined) return undefined;
    const first = all.find((other) => other.digest === digest && other.total !== undefined)!;
    if (first === status) return undefined;
    if (first.total === total) return "fine";
    return { expected: `a total of ${first.total} for ${digest}, as before`, seen: String(total) };
  }),
  downloadRule({
    id: "S-DOWN-4",
    level: "should",
    title: "Digests and totals are those of the manifest",
    cites:
      'spec: "The number of files to be downloaded depends on the number of layers specified in ' +
      'the manifest."',
    evidence: "a download with the digest of a layer",
    skips: unlessHas("manifest"),
  }, ({ digest, total }, _all, layers) => {
    if (layers.length === 0) return undefined;
    if (digest === undefined || digest === DIGEST_OF_ALL_LAYERS) return undefined;
    const layer = layers.find((each) => each.digest === digest);
    if (!layer) return { expected: "a digest of the manifest", seen: String(digest) };
    if (total === undefined || total === layer.size) return "fine";
    return { expected: `a total of ${layer.size} for ${digest}`, seen: String(total) };
  }),
  pullRule(
    {
      id: "S-DOWN-5",
      level: "must",
      title: "A download names its digest",
      cites: 'spec: "status": "downloading digestname", "digest": "digestname"',
      evidence: "a download with `total`",
    },
    "begun",
    ({ statuses, exchange }, { saw }) => {
      if (statuses.some(({ total }) => total !== undefined)) saw();
      const nameless = statuses.find(({ digest, total }) =>
        total !== undefined && digest === undefined
      );
      if (!nameless) return;
      const { kind: _, ...object } = nameless;
      throw new Violation("a digest beside `total`", JSON.stringify(object), [exchange]);
    },
  ),
];

/**
 * Whether a line is the compact JSON of a value. Escapes may differ, since JSON leaves them to the writer.
 */
function isAsWritten(line: string, value: unknown): boolean {
  return withoutStrings(line) === withoutStrings(JSON.stringify(value));
}

/** JSON with the contents of its strings removed. */
function withoutStrings(json: string): string {
  let outside = "";
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const character = json[index]!;
    if (character === '"') isInString = !isInString;
    if (character === "\\" && isInString) index++; // an escaped character does not end the string
    else if (!isInString || character === '"') outside += character;
  }
  return outside;
}

function isObject(line: string): boolean {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
