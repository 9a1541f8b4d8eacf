/**
 * Faults on demand: what can go wrong with a pull, and where.
 *
 * A {@link Fault} is data. {@link faultKinds} says of each kind what it does and what it takes; what
 * it does to a stream is in `fault_injector.ts`.
 *
 * @module
 */

import { ConfigurationError } from "./configuration_error.ts";
import { modelKey, type ModelName, parseModelName } from "./model_name.ts";
import { type Blob, blobsOf, type Model } from "./models.ts";

/**
 * Where in a pull a fault strikes. Exactly one of `line`, `byte` and `completed` (or `layer`, which
 * stands for its first byte) is given.
 */
export interface FaultPoint {
  /** Before this line of the stream, counted from 1. */
  line?: number;
  /** After so many bytes of the stream. Faults that consist of lines wait for the end of the line. */
  byte?: number;
  /** Once so much of the layer, or of the whole model, is there: bytes, or a share such as `"50%"`. */
  completed?: number | string;
  /** The layer: its position, counted from 0 (the config is the last one), or its digest. */
  layer?: number | string;
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
  "rollback": {
    does: "loses bytes of the download, for every caller: the next `completed` is lower",
    at: "point",
    parameters: { bytes: 1_000_000 },
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
    does: "reports fewer bytes than before, in every other line about a download",
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
    (typeof faultKinds[Kind]["parameters"])[Name] extends number ? number : string;
};

/** What all faults have. */
export interface FaultTarget {
  /** Where it strikes. Faults on all lines begin there. */
  at?: FaultPoint;
  /** The model whose pulls it strikes. All of them, unless told. */
  model?: string;
  /** How many pulls it strikes, from the first on. All of them, unless told. */
  times?: number;
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
  kinds?: readonly FaultKind[];
}

/** A fault with everything filled in, for one pull. */
export interface ArmedFault {
  readonly kind: FaultKind;
  readonly at: Readonly<FaultPoint> | undefined;
  readonly parameters: Readonly<Record<string, string | number>>;
}

const PERCENT = /^(\d+(?:\.\d+)?)%$/;

/** Fills in what a fault leaves open, or says what is wrong with it. */
export function armFault(fault: Fault): ArmedFault {
  const { kind, at, model: _model, times: _times, ...given } = fault;
  if (!Object.hasOwn(faultKinds, kind)) {
    const kinds = Object.keys(faultKinds).join(", ");
    throw new ConfigurationError(`There is no fault ${JSON.stringify(kind)}; there are ${kinds}`);
  }
  const info: FaultKindInfo = faultKinds[kind];
  for (const [name, value] of Object.entries(given)) {
    const known = info.parameters[name];
    if (known === undefined) {
      const names = Object.keys(info.parameters).join(", ") || "no parameters";
      throw new ConfigurationError(
        `The fault "${kind}" has no parameter "${name}"; it has ${names}`,
      );
    }
    const isRight = typeof known === "number"
      ? typeof value === "number" && value >= 0
      : typeof value === "string";
    if (!isRight) {
      const type = typeof known === "number" ? "a number that is not negative" : "a text";
      throw new ConfigurationError(
        `"${name}" of the fault "${kind}" must be ${type}, got ${value}`,
      );
    }
  }
  return { kind, at: checkPoint(kind, info, at), parameters: { ...info.parameters, ...given } };
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

/** Checks that a fault can strike a model. */
export function requireLayer(fault: ArmedFault, model: Model, name: string): void {
  const { at, kind } = fault;
  if (at?.layer === undefined || findLayer(model, at.layer)) return;
  throw new ConfigurationError(
    `The fault "${kind}" is to strike layer ${at.layer} of ${name}, which has no such layer`,
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

/** Whether a fault is meant for pulls of a model. */
export function isMeantFor(fault: Fault, target: ModelName): boolean {
  if (fault.model === undefined) return true;
  const name = parseModelName(fault.model);
  return name !== undefined && modelKey(name) === modelKey(target);
}

/** A fault of a kind, struck at a place, both by chance. */
export function randomFault(kinds: readonly FaultKind[], next: () => number): ArmedFault {
  const kind = kinds[next() % kinds.length]!;
  const at = faultKinds[kind].at === "point" ? { completed: `${next() % 101}%` } : undefined;
  return armFault(at ? { kind, at } as Fault : { kind } as Fault);
}

/**
 * Reads a fault as it is written on a command line: its kind, then where it strikes, then its
 * parameters, as in `stall@50%`, `cut@byte:120`, `error@line:3,message=oops`, `rollback@layer:0:50%`.
 */
export function parseFault(text: string): Fault {
  const [head = "", ...pairs] = text.split(",");
  const [kind = "", place] = head.split("@", 2);
  const fault: Record<string, unknown> = { kind };
  if (place !== undefined) fault.at = parsePoint(place, text);
  for (const pair of pairs) {
    const [name = "", value] = pair.split("=", 2);
    if (value === undefined) {
      throw new ConfigurationError(`"${pair}" in the fault "${text}" must be name=value`);
    }
    fault[name] = name !== "message" && name !== "text" && /^\d+$/.test(value)
      ? Number(value)
      : value;
  }
  armFault(fault as unknown as Fault);
  return fault as unknown as Fault;
}

function parsePoint(place: string, text: string): FaultPoint {
  const [what = "", value, amount] = place.split(":");
  const number = (part: string) => /^\d+$/.test(part) ? Number(part) : part;
  if (what === "line" && value) return { line: Number(value) };
  if (what === "byte" && value) return { byte: Number(value) };
  if (what === "layer" && value) {
    return { layer: number(value), ...(amount !== undefined && { completed: number(amount) }) };
  }
  if (value === undefined && /^\d/.test(what)) return { completed: number(what) };
  throw new ConfigurationError(
    `The fault "${text}" must be at 50%, a number of bytes, line:N, byte:N or layer:N:50%`,
  );
}
