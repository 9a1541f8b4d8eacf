/**
 * How good the time left is that is told on the way of a download: by `decodeProgress`, which reads the
 * lines of the server in virtual time, and by other methods.
 *
 * At each second between 5 and 95 % of the time, the error is by how much what was told then differs from
 * the time that it took, as a part of that time. To tell nothing is an error of 100 %.
 *
 * @module
 */

import { decodeProgress } from "@ollama-pull/kit";
import { METHODS, type Rival, RIVALS } from "./eta_methods.ts";
import { type Arrival, type Download, drawDownloads, type Purpose, SHAPES } from "./eta_traces.ts";
import { PullBody } from "./pull_bytes.ts";
import { median, quantile, round } from "./rounds.ts";

/** A way to tell the time left: ours, or another one. */
export type MethodName = "ours" | Rival;

/** All of them. */
export const METHOD_NAMES: readonly MethodName[] = ["ours", ...RIVALS];

/** Errors as parts of the true time left. */
export interface Errors {
  readonly median: number;
  /** What nine of ten errors are below. */
  readonly p90: number;
}

/** How good each method is. */
export type ErrorsByMethod = Readonly<Record<MethodName, Errors>>;

/** How good the methods are with downloads of one shape. */
export interface EtaTrace {
  readonly name: string;
  /** Whether our method was tuned with these downloads or not. */
  readonly purpose: Purpose;
  /** How many downloads there are. */
  readonly downloads: number;
  readonly errors: ErrorsByMethod;
}

/** How good the methods are. */
export interface Eta {
  readonly traces: readonly EtaTrace[];
  /** With the errors of all traces put together. */
  readonly all: ErrorsByMethod;
  /** With those of the traces that were held out. */
  readonly heldOut: ErrorsByMethod;
}

/** What was told at each second of a download from 0 on. */
export type Told = readonly (number | undefined)[];

/** What our package tells, as a program sees it that reads the body of an answer as it arrives. */
export async function tellOurs({ arrivals, seconds }: Download): Promise<Told> {
  let now = 0;
  const utf8 = new TextEncoder();
  function* arriving() {
    for (const { at, lines } of arrivals) {
      now = at;
      yield utf8.encode(lines);
    }
  }
  const told: (number | undefined)[] = [];
  let latest: number | undefined;
  for await (
    const { etaSeconds } of decodeProgress(new PullBody(arriving()).stream, { now: () => now })
  ) {
    while (told.length * 1_000 < now) told.push(latest);
    latest = etaSeconds;
  }
  while (told.length <= seconds) told.push(latest);
  return told;
}

/** What another method tells. */
export function tellRival(rival: Rival, { arrivals, total, seconds }: Download): Told {
  const method = METHODS[rival]();
  const coming: Iterator<Arrival> = arrivals[Symbol.iterator]();
  let next = coming.next();
  return Array.from({ length: Math.floor(seconds) + 1 }, (_, second) => {
    const now = second * 1_000;
    for (; !next.done && next.value.at <= now; next = coming.next()) {
      method.update(next.value.completed, total, next.value.at);
    }
    return method.secondsLeft(now);
  });
}

/** The errors of what was told of a download. */
export function errorsOf(told: Told, { seconds }: Download): number[] {
  const errors: number[] = [];
  for (let second = Math.ceil(seconds * 0.05); second <= seconds * 0.95; second++) {
    const left = seconds - second;
    const value = told[second];
    errors.push(value === undefined ? 1 : Math.abs(value - left) / left);
  }
  return errors;
}

type AllErrors = Record<MethodName, number[]>;

/** Something for each method. */
function forEachMethod<Value>(make: (name: MethodName) => Value): Record<MethodName, Value> {
  return Object.fromEntries(METHOD_NAMES.map((name) => [name, make(name)])) as Record<
    MethodName,
    Value
  >;
}

async function measureDownloads(downloads: readonly Download[]): Promise<AllErrors> {
  const all: AllErrors = forEachMethod(() => []);
  for (const download of downloads) {
    all.ours.push(...errorsOf(await tellOurs(download), download));
    for (const rival of RIVALS) all[rival].push(...errorsOf(tellRival(rival, download), download));
  }
  return all;
}

function summarize(parts: readonly AllErrors[]): ErrorsByMethod {
  return forEachMethod((name) => {
    const errors = parts.flatMap((part) => part[name]);
    return { median: round(median(errors), 4), p90: round(quantile(errors, 0.9), 4) };
  });
}

/** Measures all methods, with some downloads of each shape and purpose. */
export async function measureEta(downloads: number): Promise<Eta> {
  const parts: { purpose: Purpose; errors: AllErrors }[] = [];
  const traces: EtaTrace[] = [];
  for (const purpose of ["tuning", "held out"] as const) {
    for (const shape of SHAPES) {
      if (purpose === "tuning" && shape.isHeldOut) continue;
      const errors = await measureDownloads(drawDownloads(shape, purpose, downloads));
      parts.push({ purpose, errors });
      traces.push({ name: shape.name, purpose, downloads, errors: summarize([errors]) });
    }
  }
  const heldOut = parts.filter(({ purpose }) => purpose === "held out");
  return {
    traces,
    all: summarize(parts.map(({ errors }) => errors)),
    heldOut: summarize(heldOut.map(({ errors }) => errors)),
  };
}
