/**
 * Faults on demand: what can go wrong with a pull, and where.
 *
 * A {@link Fault} is data. {@link faultKinds} describes each kind and its parameters;
 * `fault_injector.ts` applies them to a stream.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import {
  modelKey,
  type ModelName,
  parseModelName,
  requireModelName,
  shortName,
} from "../models/model_name.ts";
import { type Blob, blobsOf, distinctBlobsOf, type Model } from "../models/models.ts";
import type { JobMilestone } from "../pull/job.ts";

/**
 * Where in a pull a fault strikes. Exactly one of `line`, `byte` and `completed` (or `layer`, which
 * stands for its first byte) is given.
 */
export interface FaultPoint {
  /** Before this line of the stream, counted from 1. */
  line?: number | undefined;
  /** After this many bytes of the stream. Faults that send a line wait for the end of the current one. */
  byte?: number | undefined;
  /** Once this much of the layer, or of the model, is downloaded: bytes, or a share such as `"50%"`. */
  completed?: number | string | undefined;
  /** The layer: its position, counted from 0 (the config is the last one), or its digest. */
  layer?: number | string | undefined;
}

/** What a kind of fault does, and its parameters. */
export interface FaultKindInfo {
  /** What the kind does. */
  readonly does: string;
  /**
   * Where it strikes: at a `point` (by default half-way), on all lines `from` a point on (by default
   * the first line), on a `layer` (by default the first), or on the pull as a `whole`.
   */
  readonly at: "point" | "from" | "layer" | "whole";
  /** Its parameters, with their defaults. */
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The kinds of faults by name. */
export const faultKinds = {
  "http-error": {
    does: "answers with an HTTP error and a JSON, HTML or empty body instead of a stream",
    at: "whole",
    parameters: { status: 500, body: "json", message: "internal server error" },
  },
  "slow-first-byte": {
    does: "delays the answer, headers included",
    at: "whole",
    parameters: { ms: 5_000 },
  },
  "error": {
    does: "ends the stream with an error line",
    at: "point",
    parameters: { message: "max retries exceeded: unexpected EOF" },
  },
  "disk-full": {
    does: "ends the stream with the error line of a full disk",
    at: "point",
    parameters: { message: "write blob: no space left on device" },
  },
  "digest-mismatch": {
    does: "fails the checksum of a layer and drops its blob",
    at: "layer",
    parameters: {},
  },
  "cut": {
    does: "ends the stream as if it were complete, even inside a line or a character",
    at: "point",
    parameters: {},
  },
  "reset": {
    does: "breaks the connection",
    at: "point",
    parameters: {},
  },
  "stall": {
    does: "sends nothing for a time",
    at: "point",
    parameters: { ms: 60_000 },
  },
  "freeze": {
    does: "pauses the download for a time, for every caller, while lines go on",
    at: "point",
    parameters: { ms: 30_000 },
  },
  "rollback": {
    // Observed: a rollback loses what one connection fetched of a part; parts are at least 100 MB.
    does: "loses downloaded bytes, for every caller, as when a part fails: `completed` falls",
    at: "point",
    parameters: { bytes: 100_000_000 },
  },
  "malformed": {
    does: "sends a line that is not JSON",
    at: "point",
    parameters: { text: '{"status":"pulling' },
  },
  "unknown-status": {
    does: "sends a line with a status that no version knows",
    at: "point",
    parameters: { status: "reticulating splines" },
  },
  "early-success": {
    does: "sends `success` and goes on",
    at: "point",
    parameters: {},
  },
  "no-success": {
    does: "ends the stream in place of `success`",
    at: "whole",
    parameters: {},
  },
  "duplicate-phase": {
    does: "sends every line that is not about a download twice",
    at: "whole",
    parameters: {},
  },
  "out-of-order": {
    does: "sends the lines between the download and `success` in reverse order",
    at: "whole",
    parameters: {},
  },
  "removing-fails": {
    does:
      "adds a line that unused layers could not be removed, where the dialect reports removing them",
    at: "whole",
    parameters: { message: "permission denied" },
  },
  "unknown-fields": {
    does: "adds a field that no version knows to every line",
    at: "from",
    parameters: { field: "x-unknown" },
  },
  "completed-absent": {
    does: "leaves out `completed`",
    at: "from",
    parameters: {},
  },
  "completed-over-total": {
    does: "reports a `completed` above `total`",
    at: "from",
    parameters: { bytes: 1 },
  },
  "completed-falls": {
    does: "reports fewer bytes than the line before, in every other line about a download",
    at: "from",
    parameters: { bytes: 1_000_000 },
  },
  "crlf": {
    does: "ends lines in CR and LF",
    at: "whole",
    parameters: {},
  },
  "blank-lines": {
    does: "sends a blank line after every line",
    at: "whole",
    parameters: {},
  },
  "split": {
    does: "sends every line in chunks of a few bytes",
    at: "whole",
    parameters: { bytes: 1 },
  },
  "coalesce": {
    does: "sends several lines in one chunk",
    at: "whole",
    parameters: { lines: 10 },
  },
  "no-final-newline": {
    does: "leaves out the newline after the last line",
    at: "whole",
    parameters: {},
  },
} as const satisfies Record<string, FaultKindInfo>;

/** The name of a kind of fault. */
export type FaultKind = keyof typeof faultKinds;

/** The parameters of a kind of fault, as {@link faultKinds} lists them. All may be left out. */
export type FaultParameters<Kind extends FaultKind> = {
  -readonly [Name in keyof typeof faultKinds[Kind]["parameters"]]?:
    | ((typeof faultKinds[Kind]["parameters"])[Name] extends number ? number : string)
    | undefined;
};

/** What all faults take. */
export interface FaultTarget {
  /** Where it strikes, or, for a fault on all lines, where it begins. */
  at?: FaultPoint | undefined;
  /** The model whose pulls it strikes. @default all models */
  model?: string | undefined;
  /** How many pulls it strikes: the first ones that reach its point. @default all pulls */
  times?: number | undefined;
}

/** Something that goes wrong with a pull. {@link faultKinds} describes the kinds. */
export type Fault = {
  [Kind in FaultKind]: { kind: Kind } & FaultParameters<Kind> & FaultTarget;
}[FaultKind];

/** Random faults: the same ones for the same seed and order of requests. */
export interface RandomFaults {
  /** The probability that a pull has a fault, from 0 to 1. */
  chance: number;
  /** The kinds to choose from. @default all kinds */
  kinds?: readonly FaultKind[] | undefined;
}

/** A fault with all defaults filled in, for one pull. */
export interface ArmedFault {
  readonly kind: FaultKind;
  readonly at: Readonly<FaultPoint> | undefined;
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Counts a strike, or returns `false` if the fault has struck `times` pulls already. */
  readonly strike: () => boolean;
  /** Whether it has struck as often as it may. */
  readonly isSpent: () => boolean;
}

const PERCENT = /^(\d+(?:\.\d+)?)%$/;

/** Which values a parameter takes. */
interface ParameterRule {
  readonly form: string;
  readonly accepts: (value: unknown) => boolean;
}

const AMOUNT: ParameterRule = {
  form: "a number, 0 or more",
  accepts: (value) => typeof value === "number" && value >= 0,
};

const COUNT: ParameterRule = {
  form: "a whole number above 0",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

const TEXT: ParameterRule = { form: "a string", accepts: (value) => typeof value === "string" };

/** Rules for parameters that need more than a type check. */
const PARAMETER_RULES: Readonly<Record<string, ParameterRule>> = {
  "http-error.status": {
    form: "a whole number from 400 to 599",
    accepts: (value) => COUNT.accepts(value) && Number(value) >= 400 && Number(value) <= 599,
  },
  "http-error.body": {
    form: '"json", "html" or "none"',
    accepts: (value) => ["json", "html", "none"].includes(value as string),
  },
  "split.bytes": COUNT,
  "coalesce.lines": COUNT,
};

/**
 * Fills in what a fault leaves out.
 *
 * @param fault The fault.
 * @param strikes How often faults have struck.
 * @throws {ConfigurationError} If the fault is invalid.
 */
export function armFault(fault: Fault, strikes: Map<Fault, number> = new Map()): ArmedFault {
  const { kind, at, model: _, times, ...optional } = fault;
  if (!Object.hasOwn(faultKinds, kind)) {
    const kinds = Object.keys(faultKinds).join(", ");
    throw new ConfigurationError(`Cannot use the fault ${show(kind)}: it must be one of ${kinds}`);
  }
  if (times !== undefined && !COUNT.accepts(times)) {
    throw new ConfigurationError(
      `Cannot use the times ${show(times)} of the fault "${kind}": it must be ${COUNT.form}`,
    );
  }
  const info: FaultKindInfo = faultKinds[kind];
  const given = Object.entries(optional).filter(([, value]) => value !== undefined) as [
    name: string,
    value: string | number,
  ][];
  for (const [name, value] of given) checkParameter(kind, info, name, value);
  const parameters = { ...info.parameters, ...Object.fromEntries(given) };
  const countOf = () => strikes.get(fault) ?? 0;
  const isSpent = () => countOf() >= (times ?? Infinity);
  const strike = () => {
    if (isSpent()) return false;
    strikes.set(fault, countOf() + 1);
    return true;
  };
  return { kind, at: checkPoint(kind, info, at), parameters, strike, isSpent };
}

function checkParameter(
  kind: FaultKind,
  { parameters }: FaultKindInfo,
  name: string,
  value: unknown,
): void {
  if (!Object.hasOwn(parameters, name)) {
    const names = [...Object.keys(parameters), "at", "model"].join(", ");
    throw new ConfigurationError(
      `Cannot use the parameter ${show(name)} of the fault "${kind}": it must be one of ${names} ` +
        "and times",
    );
  }
  const rule = PARAMETER_RULES[`${kind}.${name}`] ??
    (typeof parameters[name] === "number" ? AMOUNT : TEXT);
  if (rule.accepts(value)) return;
  throw new ConfigurationError(
    `Cannot use the ${name} ${show(value)} of the fault "${kind}": it must be ${rule.form}`,
  );
}

function checkPoint(
  kind: FaultKind,
  info: FaultKindInfo,
  at: FaultPoint | undefined,
): FaultPoint | undefined {
  const fail = (what: string, possible: string) => {
    throw new ConfigurationError(`Cannot use the ${what} of the fault "${kind}": ${possible}`);
  };
  if (at === undefined) return info.at === "point" ? { completed: "50%" } : undefined;
  const { line, byte, completed, layer } = at;
  const point = `point ${show(at)}`;
  if (info.at === "whole") fail(point, "it strikes the whole pull, so leave out the point");
  if (info.at === "layer" && (layer === undefined || completed !== undefined)) {
    fail(point, "it strikes a whole layer, such as { layer: 0 }");
  }
  const given = [line, byte, completed ?? layer].filter((value) => value !== undefined).length;
  if (given === 0) fail(point, "it must have a line, a byte, a completed or a layer");
  if (given > 1) fail(point, "give only one of line, byte, and completed or layer");
  if (line !== undefined && !COUNT.accepts(line)) {
    fail(`line ${show(line)}`, `it must be ${COUNT.form}`);
  }
  if (byte !== undefined && !(Number.isSafeInteger(byte) && byte >= 0)) {
    fail(`byte ${show(byte)}`, "it must be a whole number, 0 or more");
  }
  const percent = typeof completed === "string" ? PERCENT.exec(completed)?.[1] : undefined;
  const isAmount = typeof completed === "string"
    ? percent !== undefined && Number(percent) <= 100
    : completed === undefined || (Number.isSafeInteger(completed) && completed >= 0);
  if (!isAmount) {
    fail(
      `completed ${show(completed)}`,
      'it must be a whole number of bytes, or a share from "0%" to "100%"',
    );
  }
  return at;
}

/** Checks that a fault can strike the pulls that it is meant for, when these models are offered. */
export function requireTarget(fault: Fault, models: readonly Model[]): void {
  const { at } = armFault(fault);
  requireModelAndLayer(`fault "${fault.kind}"`, { model: fault.model, layer: at?.layer }, models);
}

/** Checks that the registry offers the model that a fault is meant for, and that it has the layer. */
export function requireModelAndLayer(
  fault: string,
  { model, layer }: { model?: string | undefined; layer?: number | string | undefined },
  models: readonly Model[],
): void {
  const fail = (what: string, possible: string) => {
    throw new ConfigurationError(`Cannot use the ${what} of the ${fault}: ${possible}`);
  };
  const targets = models.filter(({ name }) => isMeantFor({ model }, name));
  if (model !== undefined && targets.length === 0) {
    requireModelName(model);
    const names = models.map(({ name }) => shortName(name)).join(", ");
    fail(
      `model ${show(model)}`,
      names ? `the registry offers only ${names}` : "the registry is empty",
    );
  }
  if (layer === undefined) return;
  const spared = targets.filter((target) => !findLayer(target, layer));
  // Only some models have the layer of a digest; a position must exist in all of them.
  if (typeof layer === "string" && spared.length === targets.length) {
    fail(`layer ${show(layer)}`, "no model that it strikes has a layer of this digest");
  }
  const [first] = spared;
  if (typeof layer === "string" || !first) return;
  const last = blobsOf(first).length - 1;
  fail(`layer ${show(layer)}`, `the model ${show(shortName(first.name))} has layers 0 to ${last}`);
}

/** The blob of a layer, by its position or digest. */
export function findLayer(model: Model, layer: number | string): Blob | undefined {
  const blobs = blobsOf(model);
  return typeof layer === "number" ? blobs[layer] : blobs.find(({ digest }) => digest === layer);
}

/** A layer has begun with its first byte. */
export const FIRST_BYTE = 1;

/** An amount in whole bytes, to the nearest one: a share such as `"50%"` is one of the total. */
export function bytesOf(amount: number | string, total: number): number {
  if (typeof amount === "number") return amount;
  return Math.round(Number(PERCENT.exec(amount)?.[1]) / 100 * total);
}

/**
 * Where the pull of a model must pause so that faults strike there to the byte: at their shares and bytes of
 * it, but for its very end, after which no byte comes.
 */
export function milestonesOf(faults: readonly ArmedFault[], model: Model): readonly JobMilestone[] {
  return faults.flatMap(({ kind, at, isSpent }) => {
    if (faultKinds[kind].at !== "point" || isSpent()) return [];
    const { completed, layer } = at ?? {};
    if (completed === undefined && layer === undefined) return [];
    const blob = layer === undefined ? undefined : findLayer(model, layer);
    if (layer !== undefined && !blob) return [];
    const total = blob?.size ?? distinctBlobsOf(model).reduce((sum, { size }) => sum + size, 0);
    const bytes = bytesOf(completed ?? FIRST_BYTE, total);
    return bytes > 0 && bytes < total ? [{ blob, bytes }] : [];
  });
}

/** Whether a fault is meant for a model. */
export function isMeantFor(
  fault: { readonly model?: string | undefined },
  target: ModelName,
): boolean {
  if (fault.model === undefined) return true;
  const name = parseModelName(fault.model);
  return name !== undefined && modelKey(name) === modelKey(target);
}

/** A fault of a random kind at a random point. */
export function randomFault(kinds: readonly FaultKind[], next: () => number): ArmedFault {
  const kind = kinds[next() % kinds.length]!;
  const at = faultKinds[kind].at === "point" ? randomPoint(next) : undefined;
  return armFault(at ? { kind, at } as Fault : { kind } as Fault);
}

/** A random point that every pull reaches: a share of the model, or near the start of the stream. */
function randomPoint(next: () => number): FaultPoint {
  switch (next() % 4) {
    case 0:
      return { line: 1 + next() % 4 };
    case 1:
      return { byte: next() % 80 };
    default:
      return { completed: `${next() % 101}%` };
  }
}

/**
 * Reads a fault as it is written on a command line: its kind, then where it strikes, then its
 * parameters, as in `stall@50%`, `cut@byte:120`, `error@line:3,times=1,message=oops` or
 * `rollback@layer:0:50%,model=mistral`. A `message` or a `text` comes last: it may contain commas.
 *
 * ```ts
 * import { parseFault } from "@ollama-pull/kit/mock";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseFault("stall@50%,ms=2000"), {
 *   kind: "stall",
 *   at: { completed: "50%" },
 *   ms: 2_000,
 * });
 * ```
 *
 * @param text The fault.
 * @return The fault, as {@link MockServerOptions.faults} takes it.
 * @throws {ConfigurationError} If the text is not a valid fault.
 */
export function parseFault(text: string): Fault {
  const [head, rest] = cutFirst(text, ",");
  const [kind, place] = cutFirst(head, "@");
  const fields = new Map<string, unknown>([["kind", kind]]);
  if (place !== undefined) fields.set("at", parsePoint(place, text));
  const fail: (reason: string) => never = (reason) => {
    throw new ConfigurationError(`Cannot read the fault ${show(text)}: ${reason}`);
  };
  for (let pairs = rest; pairs !== undefined;) {
    const isLast = /^(?:message|text)=/.test(pairs);
    const [pair, more] = isLast ? [pairs, undefined] : cutFirst(pairs, ",");
    const [name, value] = cutFirst(pair, "=");
    if (value === undefined) fail(`${show(pair)} must be name=value, such as times=1`);
    if (fields.has(name)) fail(`${show(name)} is given twice`);
    if (name === "at") fail('write its point after an "@", such as cut@50%');
    fields.set(name, isNumeric(kind, name) && /^\d+$/.test(value) ? Number(value) : value);
    pairs = more;
  }
  // Not by assigning, since a name may be `__proto__`.
  const fault = Object.fromEntries(fields) as unknown as Fault;
  armFault(fault);
  return fault;
}

/** Cuts a text at the first occurrence of a separator. */
function cutFirst(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function isNumeric(kind: string, name: string): boolean {
  if (name === "times") return true;
  const info = Object.hasOwn(faultKinds, kind) ? faultKinds[kind as FaultKind] : undefined;
  const parameters: FaultKindInfo["parameters"] = info?.parameters ?? {};
  return Object.hasOwn(parameters, name) && typeof parameters[name] === "number";
}

const PLACE =
  /^(?:line:(?<line>\d+)|byte:(?<byte>\d+)|layer:(?<layer>\d+|sha256:[0-9a-f]+)(?::(?<part>.+))?|(?<completed>\d.*))$/;

function parsePoint(place: string, text: string): FaultPoint {
  const { line, byte, layer, part, completed } = PLACE.exec(place)?.groups ?? {};
  const number = (digits: string) => /^\d+$/.test(digits) ? Number(digits) : digits;
  if (line !== undefined) return { line: Number(line) };
  if (byte !== undefined) return { byte: Number(byte) };
  if (completed !== undefined) return { completed: number(completed) };
  if (layer === undefined) {
    throw new ConfigurationError(
      `Cannot read the point ${show(place)} of the fault ${
        show(text)
      }: it must be a share such as ` +
        "50%, a number of bytes, line:N, byte:N, layer:N or layer:N:50%",
    );
  }
  return { layer: number(layer), ...(part !== undefined && { completed: number(part) }) };
}
