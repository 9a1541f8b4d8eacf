/**
 * Measures how accurate the reported time left of a download is: by `decodeProgress`, which reads the
 * server's lines in virtual time, and by other methods.
 *
 * At each second between 5 and 95 % of the download, the error is the difference between the reported and the
 * true time left, as a part of the true one. Reporting nothing counts as an error of 100 %.
 *
 * @module
 */

import { decodeProgress } from "@ollama-pull/kit";
import { METHODS, type Rival, RIVALS } from "./eta_methods.ts";
import { type Arrival, type Download, drawDownloads, type Purpose, SHAPES } from "./eta_traces.ts";
import { PullBody } from "./pull_bytes.ts";
import { median, quantile, round } from "./rounds.ts";

/** A method to estimate the time left: ours, or another one. */
export type MethodName = "ours" | Rival;

/** All of them. */
export const METHOD_NAMES: readonly MethodName[] = ["ours", ...RIVALS];

/** Errors as parts of the true time left. */
export interface Errors {
  readonly median: number;
  /** The 90th percentile. */
  readonly p90: number;
}

/** The accuracy of each method. */
export type ErrorsByMethod = Readonly<Record<MethodName, Errors>>;

/** The accuracy of the methods for downloads of one shape. */
export interface EtaTrace {
  readonly name: string;
  /** Whether our method was tuned with these downloads. */
  readonly purpose: Purpose;
  /** How many downloads there are. */
  readonly downloads: number;
  readonly errors: ErrorsByMethod;
}

/** The accuracy of the methods. */
export interface Eta {
  readonly traces: readonly EtaTrace[];
  /** With the errors of all traces together. */
  readonly all: ErrorsByMethod;
  /** With the errors of the held-out traces. */
  readonly heldOut: ErrorsByMethod;
}

/** The estimates at each second of a download, from 0 on. */
export type Told = readonly (number | undefined)[];

/** The estimates of our package, as seen by a program that reads the body of an answer as it arrives. */
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

/** The estimates of another method. */
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

/** The errors of the estimates for a download. */
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

/** A value for each method. */
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
