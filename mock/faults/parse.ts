/**
 * Reads faults from their command-line notation.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { armFault, type Fault } from "./faults.ts";
import { type FaultKind, type FaultKindInfo, faultKinds } from "./kinds.ts";
import type { FaultPoint } from "./points.ts";

/**
 * Reads a fault in its command-line notation: the kind, then where it strikes, then its parameters, as in
 * `stall@50%`, `cut@byte:120`, `error@line:3,times=1,message=oops` or `rollback@layer:0:50%,model=mistral`. A
 * `message` or `text` must come last, because it may contain commas.
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
    if (fields.has(name)) fail(`${show(name)} appears twice`);
    if (name === "at") fail('write the point after an "@", such as cut@50%');
    fields.set(name, isNumeric(kind, name) && /^\d+$/.test(value) ? Number(value) : value);
    pairs = more;
  }
  // `fromEntries`, not assignment, since a name may be `__proto__`.
  const fault = Object.fromEntries(fields) as unknown as Fault;
  armFault(fault);
  return fault;
}

/** A fault in the notation that {@link parseFault} reads. */
export function formatFault({ kind, at, ...parameters }: Fault): string {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => Number(isText(a)) - Number(isText(b)))
    .map(([name, value]) => `${name}=${value}`);
  return [at === undefined ? kind : `${kind}@${formatPoint(at)}`, ...pairs].join(",");
}

/** Whether a parameter may contain commas, and so must come last. */
function isText(name: string): boolean {
  return name === "message" || name === "text";
}

function formatPoint({ line, byte, layer, completed }: FaultPoint): string {
  if (line !== undefined) return `line:${line}`;
  if (byte !== undefined) return `byte:${byte}`;
  if (layer === undefined) return String(completed);
  return completed === undefined ? `layer:${layer}` : `layer:${layer}:${completed}`;
}

/** Splits a text at the first occurrence of a separator. */
function cutFirst(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function isNumeric(kind: string, name: string): boolean {
  if (name === "times" || name === "after") return true;
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
