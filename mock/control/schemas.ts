/**
 * Schemas of the control interface's input and output. Its checks, its OpenAPI document and the checks of
 * `--config` all come from here.
 *
 * @module
 */

import { dialects } from "../../src/dialects.ts";
import { clockModes } from "../clock/modes.ts";
import { type RegistryFault, registryFaultKinds } from "../endpoints/registry_faults.ts";
import type { HoldOptions } from "../faults/fault_set.ts";
import type { Fault as MockFault, FaultTarget, RandomFaults } from "../faults/faults.ts";
import { type FaultKindInfo, faultKinds } from "../faults/kinds.ts";
import type { FaultPoint } from "../faults/points.ts";
import type { MockModelDetails } from "../models/model_info.ts";
import type {
  AdvanceJson,
  ClockJson,
  DescribedModelJson,
  FailureJson,
  FaultJson,
  FaultReportJson,
  FaultsJson,
  HoldJson,
  LayerJson,
  ModelJson,
  Problem,
  RegistryJson,
  RequestJson,
  SetupJson,
  TemplateJson,
} from "./json.ts";
import { define, fields, list, record, type Schema } from "./schema.ts";

const BOOLEAN: Schema<boolean> = { type: "boolean" };
const STRING: Schema<string> = { type: "string" };
const NUMBER: Schema<number> = { type: "number" };
const AMOUNT: Schema<number> = { type: "number", minimum: 0 };
const COUNT = count(0);
const POSITIVE = count(1);
const STRINGS = list(STRING);
const METADATA: Schema<Readonly<Record<string, unknown>>> = { type: "object" };

/** A whole number. */
export function count(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Schema<number> {
  return { type: "integer", minimum, maximum };
}

/** One of some words. */
function oneOf(words: readonly string[]): Schema<string> {
  return { type: "string", enum: words };
}

const SIZE: Schema = {
  anyOf: [COUNT, STRING],
  description: 'A size: bytes, or a text such as "40GB" or "512KiB".',
  examples: [2_000_000, "40GB"],
};

const RATE: Schema = {
  anyOf: [{ type: "number", exclusiveMinimum: 0 }, STRING],
  description:
    'A bandwidth: bytes per second, or a text such as "80MB/s", "2MiB/s" or "unlimited".',
  examples: ["80MB/s", "unlimited"],
};

const Layer = define(
  "Layer",
  fields<LayerJson>({ size: SIZE, digest: STRING, content: STRING, mediaType: STRING }, ["size"]),
);

const DETAILS = fields<MockModelDetails>({
  parent_model: STRING,
  format: STRING,
  family: STRING,
  families: STRINGS,
  parameter_size: STRING,
  quantization_level: STRING,
  context_length: COUNT,
  embedding_length: COUNT,
});

const template = {
  size: SIZE,
  layers: list(Layer),
  config: Layer,
  installs: {
    ...BOOLEAN,
    description: "Whether a pull installs the model. If not, the pull still reports success.",
  },
  details: DETAILS,
  capabilities: STRINGS,
  model_info: METADATA,
  projector_info: METADATA,
  license: STRING,
  modelfile: STRING,
  parameters: STRING,
  template: STRING,
  system: STRING,
};

const Template = define("ModelTemplate", {
  ...fields<TemplateJson>(template),
  description:
    "A model without its name: its layers, and what /api/tags and /api/show return for it.",
});

/** A model: the name of a preset, or a description. */
export const Model: Schema<ModelJson> = define("Model", {
  anyOf: [STRING, fields<DescribedModelJson>({ name: STRING, ...template }, ["name"])],
  description: "A model: the name of a preset, or a description, which needs only a name.",
  examples: ["llama3.2", { name: "my/model:7b", size: "4GB" }],
});

const Point = define("Point", {
  ...fields<FaultPoint>({
    line: { ...POSITIVE, description: "Before this line, counted from 1." },
    byte: { ...COUNT, description: "After this many bytes of the stream." },
    completed: {
      anyOf: [COUNT, STRING],
      description: "Once this much of the layer or model is downloaded: bytes, or a percentage.",
      examples: ["50%"],
    },
    layer: {
      anyOf: [COUNT, STRING],
      description: "The layer: its position, counted from 0, or its digest.",
    },
  }),
  description: "Where in a pull a fault strikes: one of line, byte, and completed or layer.",
});

const target: { readonly [Name in keyof FaultTarget]-?: Schema } = {
  at: Point,
  model: { ...STRING, description: "Strike only pulls of this model." },
  times: { ...POSITIVE, description: "How many pulls to strike." },
  after: { ...COUNT, description: "How many pulls to skip first." },
  path: { ...STRING, description: "Strike requests to this path instead of pulls." },
};

/** Schema of one kind of fault. */
function faultOf([kind, { does, parameters }]: [string, FaultKindInfo]): Schema<MockFault> {
  const own = Object.entries(parameters).map(([name, value]) => {
    const type = typeof value === "number" ? AMOUNT : STRING;
    return [name, { ...type, description: `Default: ${JSON.stringify(value)}.` }];
  });
  return {
    title: kind,
    description: `It ${does}.`,
    ...fields<MockFault>({
      kind: { type: "string", const: kind },
      ...Object.fromEntries(own),
      ...target,
    }, ["kind"]),
  };
}

/** A fault: as on the command line, or an object. */
export const Fault: Schema<FaultJson> = define("Fault", {
  anyOf: [STRING, ...Object.entries<FaultKindInfo>(faultKinds).map(faultOf)],
  description:
    "Something that goes wrong with a pull: a text as on the command line, or an object.",
  examples: ["cut@50%,times=1", { kind: "stall", at: { completed: "50%" }, ms: 2_000 }],
});

const KIND = oneOf(Object.keys(faultKinds));

const RANDOM_FAULTS = fields<RandomFaults>({
  chance: { type: "number", minimum: 0, maximum: 1 },
  kinds: { ...list(KIND), minItems: 1 },
}, ["chance"]);

/** All faults: a list, or random ones. */
export const Faults: Schema<FaultsJson> = define("Faults", {
  anyOf: [list(Fault), RANDOM_FAULTS],
  description: "What goes wrong: a list of faults, or random ones.",
});

/** The faults, and those that have not struck yet. */
export const FaultReport: Schema<FaultReportJson> = define(
  "FaultReport",
  record<FaultReportJson>({
    faults: Faults,
    unstruck: { ...list(Fault), description: "Those that have not struck yet." },
  }, ["faults", "unstruck"]),
);

const RegistryFaults = list(define(
  "RegistryFault",
  fields<RegistryFault>({
    kind: oneOf(Object.keys(registryFaultKinds)),
    at: oneOf(["blob", "manifest", "token"]),
    model: STRING,
    layer: COUNT,
    times: POSITIVE,
    ms: AMOUNT,
    status: COUNT,
    message: STRING,
    retryAfterSeconds: COUNT,
    text: STRING,
    bytes: COUNT,
  }, ["kind"]),
));

const Registry = define(
  "Registry",
  fields<RegistryJson>({
    requireToken: BOOLEAN,
    serveIndex: BOOLEAN,
    rate: RATE,
    faults: RegistryFaults,
  }),
);

const ClockMode = define("ClockMode", {
  ...oneOf(clockModes),
  description:
    "The clock: the machine's, one on which waits end at once, or one that moves only by " +
    "POST /__mock/clock/advance.",
});

/** What a mock offers and how it behaves. */
export const Setup: Schema<SetupJson> = define("Setup", {
  ...fields<SetupJson>({
    $schema: { ...STRING, description: "The schema, for editors. The mock ignores it." },
    models: {
      ...list(Model),
      description: "The models in the registry. Default: all presets.",
    },
    installed: { ...list(Model), description: "The models installed from the start." },
    anyModel: {
      anyOf: [BOOLEAN, Template],
      description:
        "Whether the registry has a model of every name: a small one, or one as described.",
    },
    dialect: { ...oneOf(Object.keys(dialects)), description: "How the server reports a pull." },
    rate: RATE,
    tickMs: {
      type: "number",
      exclusiveMinimum: 0,
      description: "The time between two lines about a layer, in milliseconds.",
    },
    recordings: {
      ...STRINGS,
      description: "Recorded pulls: the texts of files written by pull --record.",
    },
    replaySpeed: {
      anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "string", const: "unlimited" }],
      description: "How fast to play them, as a multiple of the recorded speed.",
    },
    faults: Faults,
    clock: ClockMode,
    seed: { ...COUNT, description: "The seed of digests, bytes and random faults." },
    realBytes: {
      ...BOOLEAN,
      description: "Whether to compute digests from the real bytes of the layers.",
    },
    registry: Registry,
    fallback: {
      ...STRING,
      description: "The address of a server that gets every request the mock does not serve.",
    },
    origins: { ...STRINGS, description: "Additional origins whose pages may call the mock." },
    hosts: { ...STRINGS, description: "The addresses that it answers for in process." },
    maxBodyBytes: { ...POSITIVE, description: "The largest accepted request body, in bytes." },
  }),
  description: "The models and behaviour of a mock. Options that are left out get their defaults.",
});

/** Where a pull should wait. */
export const HoldRequest: Schema<HoldOptions> = define(
  "HoldRequest",
  fields<HoldOptions>({
    at: { ...Point, description: "Where to wait. Default: half-way." },
    model: { ...STRING, description: "The model whose pull waits. Default: the first one pulled." },
  }),
);

/** A hold, at which a pull waits. */
export const Hold: Schema<HoldJson> = define(
  "Hold",
  record<HoldJson>({
    id: POSITIVE,
    at: Point,
    model: STRING,
    isReached: { ...BOOLEAN, description: "Whether a pull has reached it." },
  }, ["id", "isReached"]),
);

/** A request that arrived. */
export const LoggedRequest: Schema<RequestJson> = define(
  "LoggedRequest",
  record<RequestJson>({
    id: { ...POSITIVE, description: "Its number, counted from 1." },
    method: STRING,
    path: STRING,
    headers: { type: "object", additionalProperties: STRING },
    body: {
      description: "The body: a value if it is JSON, else text. Absent if it is empty or long.",
    },
    model: { ...STRING, description: "The model named by a pull." },
    status: { type: "integer", description: "The HTTP status of the answer." },
    outcome: {
      ...oneOf(["running", "finished", "cancelled", "faulted"]),
      description:
        "How it ended: sent completely, cancelled by the client, or cut short by a fault.",
    },
    error: { ...STRING, description: "The error in the answer." },
    faults: { ...list(KIND), description: "The faults that struck it, in order." },
    bytesSent: COUNT,
    startedAt: { ...NUMBER, description: "In milliseconds of the mock's clock." },
    endedAt: { ...NUMBER, description: "In milliseconds of the mock's clock." },
  }, ["id", "method", "path", "headers", "outcome", "faults", "bytesSent", "startedAt"]),
);

/** The time of a mock. */
export const Clock: Schema<ClockJson> = define(
  "Clock",
  record<ClockJson>({
    mode: { anyOf: [ClockMode, { type: "string", const: "custom" }] },
    now: { ...NUMBER, description: "In milliseconds since the clock's starting point." },
    date: { type: "string", format: "date-time" },
  }, ["mode", "now", "date"]),
);

/** How far to move time on. */
export const Advance: Schema<AdvanceJson> = define(
  "Advance",
  fields<AdvanceJson>({ ms: AMOUNT }, ["ms"]),
);

const PROBLEM = record<Problem>({ place: STRING, message: STRING }, ["place", "message"]);

/** Why a request failed. */
export const Failure: Schema<FailureJson> = define(
  "Failure",
  record<FailureJson>({
    error: { ...STRING, description: "What is wrong, where, and what is allowed." },
    problems: {
      ...list(PROBLEM),
      description: "Each problem with its place, if a body or parameter is invalid.",
    },
  }, ["error"]),
);
