/**
 * What the control interface takes and gives, as schemas: the one source of its checks, of its OpenAPI
 * document, and of `--config`.
 *
 * @module
 */

import { z } from "@hono/zod-openapi";
import { dialects } from "../../src/dialects.ts";
import { clockModes } from "../clock/modes.ts";
import { registryFaultKinds } from "../endpoints/registry_faults.ts";
import { type FaultKindInfo, faultKinds } from "../faults/kinds.ts";

/** An object that takes its fields and no others. */
function fields<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `Unknown field: it takes ${Object.keys(shape).join(", ")}`
        : undefined,
  });
}

const Count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const Positive = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const Strings = z.array(z.string());
const Metadata = z.record(z.string(), z.unknown());

const Size = z.union([Count, z.string()]).openapi({
  description: 'A size: bytes, or a text such as "40GB" or "512KiB".',
  examples: [2_000_000, "40GB"],
});

const Rate = z.union([z.number().positive(), z.string()]).openapi({
  description:
    'A bandwidth: bytes per second, or a text such as "80MB/s", "2MiB/s" or "unlimited".',
  examples: ["80MB/s", "unlimited"],
});

const Layer = fields({
  size: Size,
  digest: z.string().optional(),
  mediaType: z.string().optional(),
}).openapi("Layer");

const Details = fields({
  parent_model: z.string(),
  format: z.string(),
  family: z.string(),
  families: Strings,
  parameter_size: z.string(),
  quantization_level: z.string(),
  context_length: Count,
  embedding_length: Count,
}).partial();

const template = {
  size: Size.optional(),
  layers: z.array(Layer).optional(),
  config: Layer.optional(),
  installs: z.boolean().optional().openapi({
    description: "Whether a pull installs the model. If not, it reports success all the same.",
  }),
  details: Details.optional(),
  capabilities: Strings.optional(),
  model_info: Metadata.optional(),
  projector_info: Metadata.optional(),
  license: z.string().optional(),
  modelfile: z.string().optional(),
  parameters: z.string().optional(),
  template: z.string().optional(),
  system: z.string().optional(),
};

const Template = fields(template).openapi("ModelTemplate", {
  description: "A model, but for its name: its layers, and what /api/tags and /api/show say of it.",
});

/** A model: its name alone, or a description. */
export const Model = z.union([z.string(), fields({ name: z.string(), ...template })]).openapi(
  "Model",
  {
    description: "A model: the name of a preset, or a description, of which the name is enough.",
    examples: ["llama3.2", { name: "my/model:7b", size: "4GB" }],
  },
);

/** Where in a pull something happens. */
const Point = fields({
  line: Positive.optional().openapi({ description: "Before this line, counted from 1." }),
  byte: Count.optional().openapi({ description: "After this many bytes of the stream." }),
  completed: z.union([Count, z.string()]).optional().openapi({
    description: "Once this much of the layer, or of the model, is downloaded: bytes, or a share.",
    examples: ["50%"],
  }),
  layer: z.union([Count, z.string()]).optional().openapi({
    description: "The layer: its position, counted from 0, or its digest.",
  }),
}).openapi("Point", {
  description: "Where in a pull a fault strikes: one of line, byte, and completed or layer.",
});

const target = {
  at: Point.optional(),
  model: z.string().optional().openapi({ description: "The model whose pulls it strikes." }),
  times: Positive.optional().openapi({ description: "How many pulls it strikes." }),
  after: Count.optional().openapi({ description: "How many pulls it lets by before." }),
  path: z.string().optional().openapi({
    description: "The path of another endpoint whose requests it strikes.",
  }),
};

/** The faults of one kind. */
function faultOf([kind, { does, parameters }]: [string, FaultKindInfo]) {
  const own = Object.entries(parameters).map(([name, value]) => {
    const type = typeof value === "number" ? z.number().min(0) : z.string();
    return [name, type.optional().openapi({ description: `By default ${JSON.stringify(value)}.` })];
  });
  return fields({ kind: z.literal(kind), ...Object.fromEntries(own), ...target })
    .openapi({ title: kind, description: `It ${does}.` });
}

const [first, ...others] = Object.entries<FaultKindInfo>(faultKinds).map(faultOf);

/** A fault: as on the command line, or an object. */
export const Fault = z.union([z.string(), z.discriminatedUnion("kind", [first!, ...others])])
  .openapi("Fault", {
    description:
      "Something that goes wrong with a pull: a text as on the command line, or an object.",
    examples: ["cut@50%,times=1", { kind: "stall", at: { completed: "50%" }, ms: 2_000 }],
  });

const Kind = z.enum(Object.keys(faultKinds));

/** All faults: a list, or random ones. */
export const Faults = z.union([
  z.array(Fault),
  fields({ chance: z.number().min(0).max(1), kinds: z.array(Kind).min(1).optional() }),
]).openapi("Faults", { description: "What goes wrong: a list of faults, or random ones." });

/** The faults, and those that have not struck. */
export const FaultReport = z.object({
  faults: Faults,
  unstruck: z.array(Fault).openapi({ description: "Those that have not struck." }),
}).openapi("FaultReport");

const RegistryFault = fields({
  kind: z.enum(Object.keys(registryFaultKinds)),
  at: z.enum(["blob", "manifest", "token"]).optional(),
  model: z.string().optional(),
  layer: Count.optional(),
  times: Positive.optional(),
  ms: z.number().min(0).optional(),
  status: Count.optional(),
  message: z.string().optional(),
  retryAfterSeconds: Count.optional(),
  text: z.string().optional(),
  bytes: Count.optional(),
}).openapi("RegistryFault");

const Registry = fields({
  requireToken: z.boolean(),
  serveIndex: z.boolean(),
  rate: Rate,
  faults: z.array(RegistryFault),
}).partial().openapi("Registry");

/** Which time a mock lives by. */
export const ClockMode = z.enum(clockModes).openapi("ClockMode", {
  description:
    "Which time it lives by: that of the machine, one that passes at once, or one that is moved by " +
    "POST /__mock/clock/advance.",
});

/** What a mock offers and how it behaves. */
export const Setup = fields({
  $schema: z.string().openapi({ description: "For editors: it is ignored." }),
  models: z.array(Model).openapi({
    description: "What the registry offers. By default all presets.",
  }),
  installed: z.array(Model).openapi({ description: "What is installed from the start." }),
  anyModel: z.union([z.boolean(), Template]).openapi({
    description: "Whether the registry has a model of any name: a small one, or one as described.",
  }),
  dialect: z.enum(Object.keys(dialects)).openapi({ description: "How the server reports a pull." }),
  rate: Rate,
  tickMs: z.number().positive().openapi({
    description: "The time between two lines about a layer, in milliseconds.",
  }),
  recordings: Strings.openapi({
    description: "Pulls that were recorded: the texts of the files that pull --record writes.",
  }),
  replaySpeed: z.union([z.number().positive(), z.literal("unlimited")]).openapi({
    description: "How many times as fast as they were recorded they are played.",
  }),
  faults: Faults,
  clock: ClockMode,
  seed: Count.openapi({ description: "The seed of digests, bytes and random faults." }),
  realBytes: z.boolean().openapi({
    description: "Whether digests are computed from the real bytes of the layers.",
  }),
  registry: Registry,
  fallback: z.string().openapi({
    description: "The address of a server to which all is forwarded that the mock does not serve.",
  }),
  origins: Strings.openapi({ description: "The origins of pages that may call the mock." }),
  hosts: Strings.openapi({ description: "The addresses for which it answers in process." }),
  maxBodyBytes: Positive.openapi({
    description: "The size of the largest request body, in bytes.",
  }),
}).partial().openapi("Setup", {
  description: "What a mock offers and how it behaves. What is left out has its default.",
});

/** Where a pull is to wait. */
export const HoldRequest = fields({
  at: Point.optional().openapi({ description: "The point. By default half-way." }),
  model: z.string().optional().openapi({ description: "The model whose pull waits." }),
}).openapi("HoldRequest");

/** A pull that waits. */
export const Hold = z.object({
  id: Positive,
  at: Point.optional(),
  model: z.string().optional(),
  isReached: z.boolean().openapi({ description: "Whether a pull has come there." }),
}).openapi("Hold");

/** A request that arrived. */
export const LoggedRequest = z.object({
  id: Positive.openapi({ description: "Its number, counted from 1." }),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().optional().openapi({
    description: "The body: a value if it is JSON, else text. Absent if it is empty or long.",
  }),
  model: z.string().optional().openapi({
    description: "The model that it named, if it is a pull.",
  }),
  status: z.int().optional().openapi({ description: "The HTTP status of the answer." }),
  outcome: z.enum(["running", "finished", "cancelled", "faulted"]).openapi({
    description: "How it ended: sent whole, left by the client, or cut short by a fault.",
  }),
  error: z.string().optional().openapi({ description: "The error that it was answered with." }),
  faults: z.array(Kind).openapi({ description: "The faults that struck it, in order." }),
  bytesSent: Count,
  startedAt: z.number().openapi({ description: "In milliseconds of the mock's clock." }),
  endedAt: z.number().optional().openapi({ description: "In milliseconds of the mock's clock." }),
}).openapi("LoggedRequest");

/** The time of a mock. */
export const Clock = z.object({
  mode: z.union([ClockMode, z.literal("custom")]),
  now: z.number().openapi({ description: "In milliseconds since some moment." }),
  date: z.iso.datetime(),
}).openapi("Clock");

/** By how much time moves on. */
export const Advance = fields({ ms: z.number().min(0) }).openapi("Advance");

/** What was wrong with a request. */
export const Failure = z.object({
  error: z.string().openapi({ description: "What was wrong, where, and what is possible." }),
  problems: z.array(z.object({ place: z.string(), message: z.string() })).optional().openapi({
    description: "Each problem with its place, where a body or a parameter cannot be used.",
  }),
}).openapi("Failure");
