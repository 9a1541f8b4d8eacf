/**
 * Faults on demand: everything that can go wrong with a pull.
 *
 *     Fault ── armFault ──▶ ArmedFault ──▶ FaultInjector (`pull/fault_injector.ts`)
 *
 * A {@link Fault} is data. `kinds.ts` describes each kind and its parameters, `points.ts` where it can
 * strike, and `pull/behaviours.ts` what each kind does to a pull.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import {
  EARLY_KINDS,
  type FaultKind,
  type FaultKindInfo,
  faultKinds,
  type FaultParameters,
  type FilledParameters,
} from "./kinds.ts";
import type { Hold } from "./hold.ts";
import { checkPoint, type FaultPoint } from "./points.ts";

/** Options that every fault takes. */
export interface FaultTarget {
  /** Where it strikes. For a fault that affects all lines: where it begins. */
  at?: FaultPoint | undefined;
  /** The model whose pulls it strikes. @default all models */
  model?: string | undefined;
  /** How many pulls it strikes, counted from the first that reaches its point. @default all pulls */
  times?: number | undefined;
  /** How many matching pulls to skip first: 1 to strike the second. @default {0} */
  after?: number | undefined;
  /**
   * For `http-error` and `slow-first-byte`: the path of another endpoint whose requests it strikes, such as
   * `/api/tags`.
   *
   * @default {"/api/pull"}
   */
  path?: string | undefined;
}

/** Something that goes wrong with a pull. {@link faultKinds} describes the kinds. */
export type Fault = {
  [Kind in FaultKind]: { kind: Kind } & FaultParameters<Kind> & FaultTarget;
}[FaultKind];

/** Random faults. The same seed and order of requests give the same faults. */
export interface RandomFaults {
  /** The probability that a pull has a fault, from 0 to 1. */
  chance: number;
  /** The kinds to choose from. @default all kinds */
  kinds?: readonly FaultKind[] | undefined;
}

/** The path whose requests a fault strikes by default. */
export const PULL_PATH = "/api/pull";

/** The kinds of faults, and holds, at which a pull waits for a test. */
export type StrikeKind = FaultKind | "hold";

/** The parameters of a fault or hold, with defaults filled in. */
export type StrikeParameters<Kind extends StrikeKind> = Kind extends FaultKind
  ? FilledParameters<Kind>
  : { readonly hold: Hold };

/** A fault with all defaults filled in, or a hold, for one pull. */
export interface ArmedFault {
  readonly kind: StrikeKind;
  /** Which part of the pull its kind strikes. */
  readonly scope: FaultKindInfo["at"];
  /** Where it strikes. */
  readonly at: Readonly<FaultPoint> | undefined;
  /** The {@link StrikeParameters} of its kind. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Counts a strike. Returns `false` if the fault has already struck `times` pulls. */
  readonly strike: () => boolean;
  /** Whether it has already struck `times` pulls. */
  readonly isSpent: () => boolean;
}

/** The allowed values of a parameter. */
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

/** A parameter of a kind, such as `"split.bytes"`. */
type ParameterName = {
  [Kind in FaultKind]: `${Kind}.${keyof FilledParameters<Kind> & string}`;
}[FaultKind];

/** Rules for parameters that need more than a check of the default's type. */
const PARAMETER_RULES: Readonly<Partial<Record<ParameterName, ParameterRule>>> = {
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
 * Fills in the defaults of a fault.
 *
 * @param fault The fault.
 * @param strikes How often each fault has struck.
 * @throws {ConfigurationError} If the fault is invalid.
 */
export function armFault(fault: Fault, strikes: Map<Fault, number> = new Map()): ArmedFault {
  const { kind, at, model: _, times, after, path, ...optional } = fault;
  if (!Object.hasOwn(faultKinds, kind)) {
    const kinds = Object.keys(faultKinds).join(", ");
    throw new ConfigurationError(`Cannot use the fault ${show(kind)}: it must be one of ${kinds}`);
  }
  if (times !== undefined && !COUNT.accepts(times)) {
    throw new ConfigurationError(
      `Cannot use the times ${show(times)} of the fault "${kind}": it must be ${COUNT.form}`,
    );
  }
  if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0)) {
    throw new ConfigurationError(
      `Cannot use the after ${
        show(after)
      } of the fault "${kind}": it must be a whole number, 0 or more`,
    );
  }
  if (path !== undefined) checkPath(kind, path);
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
  return { kind, scope: info.at, at: checkPoint(kind, info, at), parameters, strike, isSpent };
}

function checkPath(kind: FaultKind, path: string): void {
  const fail = (possible: string) => {
    throw new ConfigurationError(
      `Cannot use the path ${show(path)} of the fault "${kind}": ${possible}`,
    );
  };
  if (typeof path !== "string" || !path.startsWith("/")) fail('it must be like "/api/tags"');
  const kinds: readonly FaultKind[] = EARLY_KINDS;
  if (path !== PULL_PATH && !kinds.includes(kind)) {
    fail(`only ${kinds.join(" and ")} can strike endpoints other than ${PULL_PATH}`);
  }
}

function checkParameter(
  kind: FaultKind,
  { parameters }: FaultKindInfo,
  name: string,
  value: unknown,
): void {
  if (!Object.hasOwn(parameters, name)) {
    const names = [...Object.keys(parameters), "at", "model", "after", "path"].join(", ");
    throw new ConfigurationError(
      `Cannot use the parameter ${show(name)} of the fault "${kind}": it must be one of ${names} ` +
        "and times",
    );
  }
  const rule = PARAMETER_RULES[`${kind}.${name}` as ParameterName] ??
    (typeof parameters[name] === "number" ? AMOUNT : TEXT);
  if (rule.accepts(value)) return;
  throw new ConfigurationError(
    `Cannot use the ${name} ${show(value)} of the fault "${kind}": it must be ${rule.form}`,
  );
}
