/**
 * Faults on demand: what can go wrong with a pull, and where.
 *
 * A {@link Fault} is data. {@link faultKinds} says of each kind what it does and what it takes; what
 * it does to a stream is in `fault_injector.ts`.
 *
 * @module
 */

import { ConfigurationError } from "../configuration_error.ts";
import { modelKey, type ModelName, parseModelName, shortName } from "../models/model_name.ts";
import { type Blob, blobsOf, type Model } from "../models/models.ts";

/**
 * Where in a pull a fault strikes. Exactly one of `line`, `byte` and `completed` (or `layer`, which
 * stands for its first byte) is given.
 */
export interface FaultPoint {
  /** Before this line of the stream, counted from 1. */
  line?: number | undefined;
  /** After so many bytes of the stream. Faults that consist of lines wait for the end of the line. */
  byte?: number | undefined;
  /** Once so much of the layer, or of the whole model, is there: bytes, or a share such as `"50%"`. */
  completed?: number | string | undefined;
  /** The layer: its position, counted from 0 (the config is the last one), or its digest. */
  layer?: number | string | undefined;
}

/** What a kind of fault does and takes. */
export interface FaultKindInfo {
  /** What the kind does. */
  readonly does: string;
  /**
   * Where it strikes: at a `point` (half-way, unless told), on all lines `from` a point on (the first,
   * unless told), on a `layer` (the first, unless told), or on the pull as a `whole`.
   */
  readonly at: "point" | "from" | "layer" | "whole";
  /** Its parameters, with their defaults. */
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The kinds of faults by name. */
export const faultKinds = {
  "http-error": {
    does: "answers with an HTTP status and a body of JSON, HTML or nothing instead of a stream",
    at: "whole",
    parameters: { status: 500, body: "json", message: "internal server error" },
  },
  "slow-first-byte": {
    does: "answers, headers included, only after a time",
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
    does: "ends the stream as if it were complete, also inside a line or a character",
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
    does: "makes the download stand still for a time, for every caller; lines go on meanwhile",
    at: "point",
    parameters: { ms: 30_000 },
  },
  "rollback": {
    // Observed: what a connection has brought of a part, which has 100 MB and more.
    does: "loses bytes of the download, for every caller, as when a part fails: `completed` falls",
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
    does: "ends the stream where `success` should be",
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
    does: "fails to remove unused layers, where the dialect says that it does so, and goes on",
    at: "whole",
    parameters: { message: "permission denied" },
  },
  "unknown-fields": {
    does: "adds fields to every line that no version knows",
    at: "from",
    parameters: { field: "x-unknown" },
  },
  "completed-absent": {
    does: "leaves out `completed`",
    at: "from",
    parameters: {},
  },
  "completed-over-total": {
    does: "reports more bytes than there are",
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
    does: "sends every line in chunks of so many bytes",
    at: "whole",
    parameters: { bytes: 1 },
  },
  "coalesce": {
    does: "sends so many lines in one chunk",
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

/** What all faults have. */
export interface FaultTarget {
  /** Where it strikes. Faults on all lines begin there. */
  at?: FaultPoint | undefined;
  /** The model whose pulls it strikes. All of them, unless told. */
  model?: string | undefined;
  /** How many pulls it strikes, the first ones that come to its point. All of them, unless told. */
  times?: number | undefined;
}

/** Something that goes wrong with a pull. {@link faultKinds} says what each kind does and takes. */
export type Fault = {
  [Kind in FaultKind]: { kind: Kind } & FaultParameters<Kind> & FaultTarget;
}[FaultKind];

/** Faults by chance: the same ones for the same seed and order of requests. */
export interface RandomFaults {
  /** The chance that a pull has a fault, from 0 to 1. */
  chance: number;
  /** The kinds to choose from. All of them, unless told. */
  kinds?: readonly FaultKind[] | undefined;
}

/** A fault with everything filled in, for one pull. */
export interface ArmedFault {
  readonly kind: FaultKind;
  readonly at: Readonly<FaultPoint> | undefined;
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Takes note that it strikes, or returns `false` if it has struck as often as it should. */
  readonly strike: () => boolean;
}

const PERCENT = /^(\d+(?:\.\d+)?)%$/;

/** What a parameter may be. */
interface ParameterRule {
  readonly form: string;
  readonly accepts: (value: unknown) => boolean;
}

const AMOUNT: ParameterRule = {
  form: "a number that is not negative",
  accepts: (value) => typeof value === "number" && value >= 0,
};

const COUNT: ParameterRule = {
  form: "a whole number above 0",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

const TEXT: ParameterRule = { form: "a text", accepts: (value) => typeof value === "string" };

/** Of those parameters that may not be just any text or number. */
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
 * Fills in what a fault leaves open, or says what is wrong with it.
 *
 * @param fault The fault.
 * @param strike Takes note that it strikes, or returns `false` if it may not any more.
 */
export function armFault(fault: Fault, strike: () => boolean = () => true): ArmedFault {
  const { kind, at, model: _, times, ...optional } = fault;
  if (!Object.hasOwn(faultKinds, kind)) {
    const kinds = Object.keys(faultKinds).join(", ");
    throw new ConfigurationError(`There is no fault ${JSON.stringify(kind)}; there are ${kinds}`);
  }
  if (times !== undefined && !COUNT.accepts(times)) {
    throw new ConfigurationError(
      `"times" of the fault "${kind}" must be ${COUNT.form}, got ${times}`,
    );
  }
  const info: FaultKindInfo = faultKinds[kind];
  const given = Object.entries(optional).filter(([, value]) => value !== undefined) as [
    name: string,
    value: string | number,
  ][];
  for (const [name, value] of given) checkParameter(kind, info, name, value);
  const parameters = { ...info.parameters, ...Object.fromEntries(given) };
  return { kind, at: checkPoint(kind, info, at), parameters, strike };
}

function checkParameter(
  kind: FaultKind,
  { parameters }: FaultKindInfo,
  name: string,
  value: unknown,
): void {
  if (!Object.hasOwn(parameters, name)) {
    const names = Object.keys(parameters).join(", ") || "none";
    throw new ConfigurationError(
      `The fault "${kind}" has no parameter ${JSON.stringify(name)}; it has ${names}`,
    );
  }
  const rule = PARAMETER_RULES[`${kind}.${name}`] ??
    (typeof parameters[name] === "number" ? AMOUNT : TEXT);
  if (rule.accepts(value)) return;
  throw new ConfigurationError(
    `"${name}" of the fault "${kind}" must be ${rule.form}, got ${JSON.stringify(value)}`,
  );
}

function checkPoint(
  kind: FaultKind,
  info: FaultKindInfo,
  at: FaultPoint | undefined,
): FaultPoint | undefined {
  const fail = (reason: string) => {
    throw new ConfigurationError(`The fault "${kind}" cannot be there: ${reason}`);
  };
  if (at === undefined) return info.at === "point" ? { completed: "50%" } : undefined;
  const { line, byte, completed, layer } = at;
  if (info.at === "whole") fail("it strikes the whole pull, not a point of it");
  if (info.at === "layer" && (layer === undefined || completed !== undefined)) {
    fail("it strikes a layer, such as { layer: 0 }");
  }
  const given = [line, byte, completed ?? layer].filter((value) => value !== undefined).length;
  if (given !== 1) fail("give one of line, byte, and completed or layer");
  if (line !== undefined && !(Number.isSafeInteger(line) && line > 0)) {
    fail("lines are counted from 1");
  }
  if (byte !== undefined && !(Number.isSafeInteger(byte) && byte >= 0)) {
    fail("bytes are counted from 0");
  }
  const percent = typeof completed === "string" ? PERCENT.exec(completed)?.[1] : undefined;
  const isAmount = typeof completed === "string"
    ? percent !== undefined && Number(percent) <= 100
    : completed === undefined || (Number.isSafeInteger(completed) && completed >= 0);
  if (!isAmount) fail('completed is a number of bytes or a share such as "50%"');
  return at;
}

/** Checks that a fault can strike what it is meant for, of these models. */
export function requireTarget(fault: Fault, models: readonly Model[]): void {
  const { at } = armFault(fault);
  const targets = models.filter(({ name }) => isMeantFor(fault, name));
  if (fault.model !== undefined && targets.length === 0) {
    const name = JSON.stringify(fault.model);
    throw new ConfigurationError(
      `The fault "${fault.kind}" is to strike the model ${name}, which the library does not have`,
    );
  }
  const layer = at?.layer;
  if (layer === undefined) return;
  const spared = targets.filter((model) => !findLayer(model, layer));
  // A digest is that of a layer of some models; a position is to be there in all of them.
  const misses = typeof layer === "string" ? spared.length === targets.length : spared.length > 0;
  if (!misses) return;
  const names = spared.map(({ name }) => JSON.stringify(shortName(name))).join(", ");
  throw new ConfigurationError(
    `The fault "${fault.kind}" is to strike layer ${layer}, which is not there in ${names}`,
  );
}

/** The blob that a fault means by a layer. */
export function findLayer(model: Model, layer: number | string): Blob | undefined {
  const blobs = blobsOf(model);
  return typeof layer === "number" ? blobs[layer] : blobs.find(({ digest }) => digest === layer);
}

/** How many bytes an amount is of a total. */
export function bytesOf(amount: number | string, total: number): number {
  if (typeof amount === "number") return amount;
  return Number(PERCENT.exec(amount)?.[1]) / 100 * total;
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

/** A fault of a kind, struck at a place, both by chance. */
export function randomFault(kinds: readonly FaultKind[], next: () => number): ArmedFault {
  const kind = kinds[next() % kinds.length]!;
  const at = faultKinds[kind].at === "point" ? randomPoint(next) : undefined;
  return armFault(at ? { kind, at } as Fault : { kind } as Fault);
}

/** A point that every pull comes to: some share of the model, or near the start of the stream. */
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
 * `rollback@layer:0:50%,model=mistral`. The rest of the text belongs to a `message` or a `text`.
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
 * @throws {ConfigurationError} If the text is no fault.
 */
export function parseFault(text: string): Fault {
  const [head, rest] = cutFirst(text, ",");
  const [kind, place] = cutFirst(head, "@");
  const fault: Record<string, unknown> = { kind };
  if (place !== undefined) fault.at = parsePoint(place, text);
  for (let pairs = rest; pairs !== undefined;) {
    const isLast = /^(?:message|text)=/.test(pairs);
    const [pair, more] = isLast ? [pairs, undefined] : cutFirst(pairs, ",");
    const [name, value] = cutFirst(pair, "=");
    if (value === undefined || name in fault) {
      throw new ConfigurationError(
        `${JSON.stringify(pair)} in the fault ${JSON.stringify(text)} must be name=value`,
      );
    }
    fault[name] = isNumeric(kind, name) && /^\d+$/.test(value) ? Number(value) : value;
    pairs = more;
  }
  armFault(fault as unknown as Fault);
  return fault as unknown as Fault;
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
      `The fault ${JSON.stringify(text)} must be at 50%, a number of bytes, line:N, byte:N, ` +
        "layer:N or layer:N:50%",
    );
  }
  return { layer: number(layer), ...(part !== undefined && { completed: number(part) }) };
}
