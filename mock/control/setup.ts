/**
 * Converts a mock's set-up from and to JSON.
 *
 * @module
 */

import { parseBytes, parseBytesPerSecond } from "../../src/quantities.ts";
import type { Clock } from "../clock/clock.ts";
import { clockOf, modeOf } from "../clock/modes.ts";
import { ConfigurationError, inPlace, show } from "../configuration_error.ts";
import { addressOf, forwardTo } from "../endpoints/fallback.ts";
import type { RegistryOptions } from "../endpoints/registry.ts";
import type { Fault, RandomFaults } from "../faults/faults.ts";
import { parseFault } from "../faults/parse.ts";
import type { MockLayer, MockModel, MockModelTemplate } from "../models/models.ts";
import type { MockSetup } from "../options.ts";
import { formatRecording } from "../recordings/format.ts";
import { parseRecording } from "../recordings/parse.ts";
import type {
  FaultJson,
  FaultsJson,
  LayerJson,
  ModelJson,
  RateJson,
  RegistryJson,
  SetupJson,
  SizeJson,
  TemplateJson,
} from "./json.ts";
import { requireFit } from "./problems.ts";
import { Setup } from "./schemas.ts";

/**
 * Reads a set-up from a text, such as the contents of a file.
 *
 * @throws {ConfigurationError} If it cannot be used. The message says what is wrong, and where.
 */
export function parseSetup(text: string): MockSetup {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`It is not JSON: ${(cause as Error).message}`, { cause });
  }
  return toSetup(requireFit(value, Setup));
}

/** The set-up that JSON describes. */
export function toSetup(json: SetupJson): MockSetup {
  const {
    $schema: _,
    rate,
    clock,
    fallback,
    models,
    installed,
    anyModel,
    faults,
    registry,
    recordings,
    replaySpeed,
    ...same
  } = json;
  return {
    ...same,
    ...(models && { models: models.map((model, index) => toModel(model, `models[${index}]`)) }),
    ...(installed && {
      installed: installed.map((model, index) => toModel(model, `installed[${index}]`)),
    }),
    ...(anyModel !== undefined && {
      anyModel: typeof anyModel === "boolean" ? anyModel : toTemplate(anyModel, "anyModel"),
    }),
    ...(faults && { faults: toFaults(faults) }),
    ...(rate !== undefined && { bytesPerSecond: toRate(rate, "rate") }),
    ...(registry && { registry: toRegistry(registry) }),
    ...(recordings && {
      recordings: recordings.map((text, index) =>
        inPlace(`recordings[${index}]`, () => parseRecording(text))
      ),
    }),
    ...(replaySpeed !== undefined && {
      replaySpeed: replaySpeed === UNLIMITED ? Infinity : replaySpeed,
    }),
    ...(clock && { clock: clockOf(clock) }),
    ...(fallback !== undefined && { fallback: inPlace("fallback", () => forwardTo(fallback)) }),
  };
}

/** The model that JSON describes. */
export function toModel(model: ModelJson, place: string): MockModel | string {
  if (typeof model === "string") return model;
  return { ...toTemplate(model, place), name: model.name };
}

function toTemplate(
  { size, layers, config, ...info }: TemplateJson,
  place: string,
): MockModelTemplate {
  return {
    ...info,
    ...(size !== undefined && { size: toSize(size, `${place}.size`) }),
    ...(layers && {
      layers: layers.map((layer, index) => toLayer(layer, `${place}.layers[${index}]`)),
    }),
    ...(config && { config: toLayer(config, `${place}.config`) }),
  };
}

function toLayer(layer: LayerJson, place: string): MockLayer {
  return { ...layer, size: toSize(layer.size, `${place}.size`) };
}

/** The faults that JSON describes. */
export function toFaults(faults: FaultsJson): readonly Fault[] | RandomFaults {
  if ("chance" in faults) return faults;
  return faults.map((fault, index) => toFault(fault, `faults[${index}]`));
}

/** The fault that JSON describes. */
export function toFault(fault: FaultJson, place: string): Fault {
  return typeof fault === "string" ? inPlace(place, () => parseFault(fault)) : fault;
}

function toRegistry({ rate, ...same }: RegistryJson): RegistryOptions {
  return {
    ...same,
    ...(rate !== undefined && { bytesPerSecond: toRate(rate, "registry.rate") }),
  };
}

function toSize(size: SizeJson, place: string): number {
  const bytes = typeof size === "number" ? size : Math.round(parseBytes(size));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new ConfigurationError(
    `Cannot use the size ${show(size)}: it must be bytes, such as "40GB" or "512KiB"`,
    { place },
  );
}

function toRate(rate: RateJson, place: string): number {
  if (typeof rate === "number") return rate;
  if (rate.trim().toLowerCase() === UNLIMITED) return Infinity;
  const bytesPerSecond = parseBytesPerSecond(rate);
  if (bytesPerSecond > 0) return bytesPerSecond;
  throw new ConfigurationError(
    `Cannot use the speed ${show(rate)}: it must be bytes per second, such as "80MB/s" or ` +
      '"2MiB/s", or "unlimited"',
    { place },
  );
}

const UNLIMITED = "unlimited";

/** A set-up as JSON, except functions and custom clocks, which have no JSON form. */
export function fromSetup(setup: MockSetup, clock: Clock): SetupJson {
  const { models, installed, registry, fallback, bytesPerSecond, clock: _, ...others } = setup;
  const { recordings, replaySpeed, ...same } = others;
  const { bytesPerSecond: registryRate, ...registrySame } = registry ?? {};
  const mode = modeOf(clock);
  const address = fallback && addressOf(fallback);
  const json = {
    ...same,
    models: models && [...models],
    installed: installed && [...installed],
    rate: fromNumber(bytesPerSecond),
    recordings: recordings?.map(formatRecording),
    replaySpeed: fromNumber(replaySpeed),
    registry: registry && { ...registrySame, rate: fromNumber(registryRate) },
    clock: mode === "custom" ? undefined : mode,
    fallback: address,
  };
  return JSON.parse(JSON.stringify(json));
}

/** A number as JSON, which has no infinity. */
function fromNumber(value: number | undefined): number | string | undefined {
  return value === Infinity ? UNLIMITED : value;
}
