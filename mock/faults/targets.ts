/**
 * Which models a fault applies to.
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
import { blobsOf, type Model } from "../models/models.ts";
import { type ArmedFault, armFault, type Fault } from "./faults.ts";
import { findLayer } from "./points.ts";

/** Checks that a fault can strike the pulls it applies to, with these models in the registry. */
export function requireTarget(fault: Fault, models: readonly Model[]): void {
  const { at } = armFault(fault);
  requirePlayable(fault, models);
  requireModelAndLayer(`fault "${fault.kind}"`, { model: fault.model, layer: at?.layer }, models);
}

/** The kinds that can strike recorded pulls: those that need only bytes and times. */
const STRIKE_RECORDINGS: ReadonlySet<ArmedFault["kind"]> = new Set([
  "http-error",
  "slow-first-byte",
  "error",
  "disk-full",
  "cut",
  "reset",
  "stall",
  "hold",
  "malformed",
  "unknown-status",
  "early-success",
  "no-success",
  "crlf",
  "blank-lines",
  "split",
  "coalesce",
  "no-final-newline",
]);

/** Whether a kind of fault can strike a recorded pull. */
export function strikesRecordings({ kind }: Pick<ArmedFault, "kind">): boolean {
  return STRIKE_RECORDINGS.has(kind);
}

/** Checks that a fault does not apply to a recorded pull that it cannot strike. */
function requirePlayable(fault: Fault, models: readonly Model[]): void {
  if (strikesRecordings(fault)) return;
  const recorded = models.find((model) => model.isRecorded && isMeantFor(fault, model.name));
  if (!recorded) return;
  const name = show(shortName(recorded.name));
  const kinds = [...STRIKE_RECORDINGS].filter((kind) => kind !== "hold").join(", ");
  throw new ConfigurationError(
    `Cannot use the fault "${fault.kind}" for the model ${name}: its pulls are recorded, and only ` +
      `${kinds} can strike those; name another model for the fault`,
  );
}

/** Checks that the registry has the fault's model, and that the model has the fault's layer. */
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
      names ? `the registry has only ${names}` : "the registry is empty",
    );
  }
  if (layer === undefined) return;
  const spared = targets.filter((target) => !findLayer(target, layer));
  // A digest may be in only some models; a position must exist in all of them.
  if (typeof layer === "string" && spared.length === targets.length) {
    fail(`layer ${show(layer)}`, "none of the fault's models has a layer with this digest");
  }
  const [first] = spared;
  if (typeof layer === "string" || !first) return;
  const last = blobsOf(first).length - 1;
  fail(`layer ${show(layer)}`, `the model ${show(shortName(first.name))} has layers 0 to ${last}`);
}

/** Whether a fault applies to a model. */
export function isMeantFor(
  fault: { readonly model?: string | undefined },
  target: ModelName,
): boolean {
  if (fault.model === undefined) return true;
  const name = parseModelName(fault.model);
  return name !== undefined && modelKey(name) === modelKey(target);
}
