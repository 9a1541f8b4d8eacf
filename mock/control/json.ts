/**
 * The JSON that the control interface takes and gives.
 *
 * @module
 */

import type { ClockMode } from "../clock/modes.ts";
import type { RegistryOptions } from "../endpoints/registry.ts";
import type { LoggedRequest } from "../exchange/request_log.ts";
import type { HoldOptions } from "../faults/fault_set.ts";
import type { Fault, RandomFaults } from "../faults/faults.ts";
import type { MockLayer, MockModelTemplate } from "../models/models.ts";
import type { MockSetup } from "../options.ts";

/** A size: bytes, or a text such as `"40GB"`. */
export type SizeJson = number | string;

/** A bandwidth: bytes per second, or a text such as `"80MB/s"`. */
export type RateJson = number | string;

/** A layer. */
export interface LayerJson extends Omit<MockLayer, "size"> {
  /** Its size. */
  size: SizeJson;
}

/** A model, but for its name. */
export interface TemplateJson extends Omit<MockModelTemplate, "size" | "layers" | "config"> {
  /** The size of the layer with the weights. */
  size?: SizeJson | undefined;
  /** The layers. */
  layers?: readonly LayerJson[] | undefined;
  /** The config. */
  config?: LayerJson | undefined;
}

/** A model that is described. */
export interface DescribedModelJson extends TemplateJson {
  /** The name. */
  name: string;
}

/** A model: the name of a preset, or a description. */
export type ModelJson = string | DescribedModelJson;

/** A fault: as on the command line, or an object. */
export type FaultJson = string | Fault;

/** All faults: a list, or random ones. */
export type FaultsJson = readonly FaultJson[] | RandomFaults;

/** The registry that the server pulls from. */
export interface RegistryJson extends Omit<RegistryOptions, "bytesPerSecond"> {
  /** The bandwidth of each connection. */
  rate?: RateJson | undefined;
}

/** The options of a set-up that are no JSON, or other JSON. */
type OtherInJson =
  | "models"
  | "installed"
  | "anyModel"
  | "bytesPerSecond"
  | "recordings"
  | "replaySpeed"
  | "faults"
  | "clock"
  | "registry"
  | "fallback";

/** A set-up. */
export interface SetupJson extends Omit<MockSetup, OtherInJson> {
  /** For editors: it is ignored. */
  $schema?: string | undefined;
  /** The models that the registry offers. */
  models?: readonly ModelJson[] | undefined;
  /** The models that are installed. */
  installed?: readonly ModelJson[] | undefined;
  /** Whether the registry has a model of any name. */
  anyModel?: boolean | TemplateJson | undefined;
  /** The bandwidth that all downloads share. */
  rate?: RateJson | undefined;
  /** Pulls that were recorded, as texts. */
  recordings?: readonly string[] | undefined;
  /** How many times as fast as they were recorded they are played. */
  replaySpeed?: number | "unlimited" | undefined;
  /** What goes wrong. */
  faults?: FaultsJson | undefined;
  /** Which time it lives by. */
  clock?: ClockMode | undefined;
  /** The registry that the server pulls from. */
  registry?: RegistryJson | undefined;
  /** The address of a server to which the rest is forwarded. */
  fallback?: string | undefined;
}

/** The faults, and those that have not struck. */
export interface FaultReportJson {
  /** The faults. */
  faults: FaultsJson;
  /** Those that have not struck. */
  unstruck: readonly FaultJson[];
}

/** A pull that waits. */
export interface HoldJson extends HoldOptions {
  /** Its number, counted from 1. */
  id: number;
  /** Whether a pull has come there. */
  isReached: boolean;
}

/** A request that arrived. */
export interface RequestJson extends Omit<LoggedRequest, "headers"> {
  /** The headers. */
  headers: Readonly<Record<string, string>>;
}

/** The time of a mock. */
export interface ClockJson {
  /** What moves it on. */
  mode: ClockMode | "custom";
  /** In milliseconds since some moment. */
  now: number;
  /** The date (RFC 3339). */
  date: string;
}

/** By how much time moves on. */
export interface AdvanceJson {
  /** In milliseconds. */
  ms: number;
}

/** Something that is wrong. */
export interface Problem {
  /** Where: `faults[0].times`. Empty for the whole. */
  readonly place: string;
  /** What is wrong, and what is possible. */
  readonly message: string;
}

/** What was wrong with a request. */
export interface FailureJson {
  /** What was wrong, where, and what is possible. */
  error: string;
  /** Each problem with its place. */
  problems?: readonly Problem[] | undefined;
}
