/**
 * Faults of the registry. A {@link RegistryFault} is data; the endpoints ask {@link RegistryFaults} whether
 * one strikes.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { requireModelAndLayer } from "../faults/targets.ts";
import type { Model } from "../models/models.ts";

/** A fault in fetching a manifest, a blob or a token from the registry. */
export interface RegistryFault {
  /**
   * What goes wrong:
   *
   * - `corrupt` sends bytes with the wrong digest: a blob with its first byte changed, or a manifest with an
   *   extra space.
   * - `slow` waits before it answers.
   * - `broken` breaks the connection in the middle of the body.
   * - `missing` answers that the blob or manifest does not exist.
   * - `http-error` answers with an HTTP error, in JSON as registries do.
   * - `html` sends an HTML page, such as a login page, instead of JSON.
   * - `malformed` sends text that is not JSON instead of a manifest or token.
   * - `oversized` sends JSON that is too long.
   * - `redirect` answers with a redirect to another host name of this machine, where the fault strikes again
   *   unless `times` is used up (as with `times: 1`).
   * - `no-realm` asks for a token without saying where to get it. It strikes only requests that need a token.
   */
  kind:
    | "corrupt"
    | "slow"
    | "broken"
    | "missing"
    | "http-error"
    | "html"
    | "malformed"
    | "oversized"
    | "redirect"
    | "no-realm";
  /**
   * What it strikes: a blob, a manifest, or the token endpoint.
   *
   * @default the first of these that the kind can strike
   */
  at?: "blob" | "manifest" | "token" | undefined;
  /** The model that it strikes. @default all models */
  model?: string | undefined;
  /**
   * For blobs, the layer: its position, counted from 0 (the config is the last one).
   *
   * @default all layers
   */
  layer?: number | undefined;
  /** How many requests it strikes, counted from the first. @default all requests */
  times?: number | undefined;
  /** For `slow`: the wait in milliseconds. @default {5000} */
  ms?: number | undefined;
  /**
   * For `http-error` and `html`: the status of the answer.
   *
   * @default {500} and {200}
   */
  status?: number | undefined;
  /** For `http-error`: the error message. @default the registry's usual message for that status */
  message?: string | undefined;
  /** For `http-error`: the header `Retry-After`, in seconds. @default none */
  retryAfterSeconds?: number | undefined;
  /** For `malformed`: the text. @default {'{"schemaVersion":2,'} */
  text?: string | undefined;
  /** For `oversized`: the size in bytes. @default {8_388_608} */
  bytes?: number | undefined;
}

/** What a fault can strike. */
export type RegistryTarget = NonNullable<RegistryFault["at"]>;

type Parameter = "ms" | "status" | "message" | "retryAfterSeconds" | "text" | "bytes";

/** The kinds of registry faults, each with its targets and parameters. */
export const registryFaultKinds: Readonly<
  Record<
    RegistryFault["kind"],
    { readonly targets: readonly RegistryTarget[]; readonly parameters: readonly Parameter[] }
  >
> = {
  "corrupt": { targets: ["blob", "manifest"], parameters: [] },
  "slow": { targets: ["blob", "manifest", "token"], parameters: ["ms"] },
  "broken": { targets: ["blob", "manifest", "token"], parameters: [] },
  "missing": { targets: ["blob", "manifest"], parameters: [] },
  "http-error": {
    targets: ["blob", "manifest", "token"],
    parameters: ["status", "message", "retryAfterSeconds"],
  },
  "html": { targets: ["manifest", "token"], parameters: ["status"] },
  "malformed": { targets: ["manifest", "token"], parameters: ["text"] },
  "oversized": { targets: ["manifest", "token"], parameters: ["bytes"] },
  "redirect": { targets: ["manifest", "token"], parameters: [] },
  "no-realm": { targets: ["token"], parameters: [] },
};

const isAmount = (value: unknown) => typeof value === "number" && value >= 0;
const AMOUNT = { form: "a number, 0 or more", accepts: isAmount };
const COUNT = {
  form: "a whole number, 0 or more",
  accepts: (value: unknown) => Number.isSafeInteger(value) && isAmount(value),
};
const TEXT = { form: "a string", accepts: (value: unknown) => typeof value === "string" };

/** The allowed values of each parameter. */
const RULES: Readonly<Record<Parameter, { form: string; accepts: (value: unknown) => boolean }>> = {
  ms: AMOUNT,
  status: {
    form: "200 or a whole number from 400 to 599",
    accepts: (value) =>
      value === 200 || COUNT.accepts(value) && Number(value) >= 400 && Number(value) <= 599,
  },
  message: TEXT,
  retryAfterSeconds: COUNT,
  text: TEXT,
  bytes: COUNT,
};

/** The fault's target: the given one, or the first that its kind can strike. */
function targetOf({ kind, at }: RegistryFault): RegistryTarget {
  return at ?? registryFaultKinds[kind].targets[0]!;
}

/**
 * Checks a fault of a registry with these models.
 *
 * @throws {ConfigurationError} If it is invalid.
 */
export function checkRegistryFault(fault: RegistryFault, models: readonly Model[]): void {
  const { kind, at, model, layer, times = 1 } = fault;
  if (!Object.hasOwn(registryFaultKinds, kind)) {
    const kinds = Object.keys(registryFaultKinds).join(", ");
    throw new ConfigurationError(
      `Cannot use the registry fault ${show(kind)}: it must be one of ${kinds}`,
    );
  }
  const name = `registry fault "${kind}"`;
  const fail = (what: string, possible: string) => {
    throw new ConfigurationError(`Cannot use the ${what} of the ${name}: ${possible}`);
  };
  const { targets, parameters } = registryFaultKinds[kind];
  if (at !== undefined && !targets.includes(at)) {
    fail(`at ${show(at)}`, `it must be ${targets.join(" or ")}`);
  }
  if (!(Number.isSafeInteger(times) && times > 0)) {
    fail(`times ${show(times)}`, "it must be a whole number above 0");
  }
  for (const parameter of Object.keys(RULES) as Parameter[]) {
    const value = fault[parameter];
    if (value === undefined) continue;
    const given = `${parameter} ${show(value)}`;
    if (!parameters.includes(parameter)) {
      fail(given, `it takes ${parameters.join(", ") || "no parameters"}`);
    }
    if (!RULES[parameter].accepts(value)) fail(given, `it must be ${RULES[parameter].form}`);
  }
  if (layer !== undefined && targetOf(fault) !== "blob") {
    fail(`layer ${show(layer)}`, `leave out the layer: the fault strikes a ${targetOf(fault)}`);
  }
  requireModelAndLayer(name, { model, layer }, models);
}

/** The faults of a registry, and how often each may still strike. */
export class RegistryFaults {
  readonly #faults: { readonly fault: RegistryFault; left: number }[];

  constructor(faults: readonly RegistryFault[]) {
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? Infinity }));
  }

  /**
   * The fault of a kind that strikes, if any. Calling this counts as a strike.
   *
   * @param kind The kind.
   * @param target What is requested.
   * @param isMeant Whether a fault applies to the requested model and layer.
   */
  strike(
    kind: RegistryFault["kind"],
    target: RegistryTarget,
    isMeant: (fault: RegistryFault) => boolean,
  ): RegistryFault | undefined {
    const due = this.#faults.find(({ fault, left }) =>
      fault.kind === kind && left > 0 && targetOf(fault) === target && isMeant(fault)
    );
    if (due) due.left--;
    return due?.fault;
  }
}
