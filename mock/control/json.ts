/**
 * The JSON that the control interface accepts and returns.
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

/** A model without its name. */
export interface TemplateJson extends Omit<MockModelTemplate, "size" | "layers" | "config"> {
  /** The size of the layer with the weights. */
  size?: SizeJson | undefined;
  /** The layers. */
  layers?: readonly LayerJson[] | undefined;
  /** The config. */
  config?: LayerJson | undefined;
}

/** A full description of a model. */
export interface DescribedModelJson extends TemplateJson {
  /** The name. */
  name: string;
}

/** A model: the name of a preset, or a description. */
export type ModelJson = string | DescribedModelJson;

/** A fault: a text as on the command line, or an object. */
export type FaultJson = string | Fault;

/** All faults: a list, or random ones. */
export type FaultsJson = readonly FaultJson[] | RandomFaults;

/** The registry that the server pulls from. */
export interface RegistryJson extends Omit<RegistryOptions, "bytesPerSecond"> {
  /** The bandwidth of each connection. */
  rate?: RateJson | undefined;
}

/** The options whose JSON form differs, or that have none. */
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
  /** The schema, for editors. The mock ignores it. */
  $schema?: string | undefined;
  /** The models that the registry offers. */
  models?: readonly ModelJson[] | undefined;
  /** The models that are installed. */
  installed?: readonly ModelJson[] | undefined;
  /** Whether the registry has a model of every name. */
  anyModel?: boolean | TemplateJson | undefined;
  /** The bandwidth that all downloads share. */
  rate?: RateJson | undefined;
  /** Recorded pulls, as the texts of their files. */
  recordings?: readonly string[] | undefined;
  /** How fast to play them, as a multiple of the recorded speed. */
  replaySpeed?: number | "unlimited" | undefined;
  /** What goes wrong. */
  faults?: FaultsJson | undefined;
  /** The clock to use. */
  clock?: ClockMode | undefined;
  /** The registry that the server pulls from. */
  registry?: RegistryJson | undefined;
  /** The address of the server that gets every other request. */
  fallback?: string | undefined;
}

/** The faults, and those that have not struck yet. */
export interface FaultReportJson {
  /** The faults. */
  faults: FaultsJson;
  /** Those that have not struck yet. */
  unstruck: readonly FaultJson[];
}

/** A hold, at which a pull waits. */
export interface HoldJson extends HoldOptions {
  /** Its number, counted from 1. */
  id: number;
  /** Whether a pull has reached it. */
  isReached: boolean;
}

/** A request that arrived. */
export interface RequestJson extends Omit<LoggedRequest, "headers"> {
  /** The headers. */
  headers: Readonly<Record<string, string>>;
}

/** The time of a mock. */
export interface ClockJson {
  /** How it moves: by itself, at once, or step by step. */
  mode: ClockMode | "custom";
  /** In milliseconds since the clock's starting point. */
  now: number;
  /** The date (RFC 3339). */
  date: string;
}

/** How far to move time on. */
export interface AdvanceJson {
  /** In milliseconds. */
  ms: number;
}

/** One problem with a request. */
export interface Problem {
  /** Where it is, such as `faults[0].times`. Empty if it concerns the whole. */
  readonly place: string;
  /** What is wrong, and what is allowed. */
  readonly message: string;
}

/** Why a request failed. */
export interface FailureJson {
  /** What is wrong, where, and what is allowed. */
  error: string;
  /** Each problem with its place. */
  problems?: readonly Problem[] | undefined;
}
