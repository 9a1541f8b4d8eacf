/**
 * What the API returns for a model besides its layers: the fields of `/api/tags` and `/api/show`, under their
 * own names.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";
import { type ModelName, shortName } from "./model_name.ts";

/** The `details` of a model, as in `/api/tags` and `/api/show`. */
export interface MockModelDetails {
  /** The model that this one was created from. @default {""} */
  parent_model?: string | undefined;
  /** The format of the weights. @default {"gguf"} */
  format?: string | undefined;
  /** The architecture, such as `llama`. @default the name of the model, without the tag */
  family?: string | undefined;
  /** All architectures, such as `llama` and `clip`. @default only the `family` */
  families?: readonly string[] | undefined;
  /** The number of parameters, such as `3.2B`. @default estimated from the size of the layers */
  parameter_size?: string | undefined;
  /** How the weights are quantized. @default {"Q4_K_M"} */
  quantization_level?: string | undefined;
  /** The longest context in tokens. `details` contain it only in `/api/tags`. @default {131_072} */
  context_length?: number | undefined;
  /** The length of an embedding. `details` contain it only in `/api/tags`. @default {4_096} */
  embedding_length?: number | undefined;
}

/** What the API returns for a model: the fields of `/api/show`. */
export interface MockModelInfo {
  /** Format, size and so on, also shown in `/api/tags`. */
  details?: MockModelDetails | undefined;
  /**
   * What it can do, such as `completion`, `tools`, `vision`, `thinking` or `embedding`.
   *
   * @default {["completion"]}
   */
  capabilities?: readonly string[] | undefined;
  /** The metadata of the weights, such as `general.architecture`. @default derived from `details` */
  model_info?: Readonly<Record<string, unknown>> | undefined;
  /** The metadata of the projector. @default none */
  projector_info?: Readonly<Record<string, unknown>> | undefined;
  /** The license. @default none */
  license?: string | undefined;
  /** The Modelfile. @default derived from the other fields */
  modelfile?: string | undefined;
  /** The parameters, one per line, such as `num_ctx 4096`. @default none */
  parameters?: string | undefined;
  /** The template of prompts. @default {"{{ .Prompt }}"} */
  template?: string | undefined;
  /** The system message. @default none */
  system?: string | undefined;
}

/** The details of a model, with all defaults filled in. */
export type ModelDetails = {
  readonly [Field in keyof MockModelDetails]-?: NonNullable<MockModelDetails[Field]>;
};

/** What the API returns for a model, with defaults filled in. Fields that are `undefined` are left out. */
export interface ModelInfo extends MockModelInfo {
  readonly details: ModelDetails;
  readonly capabilities: readonly string[];
  readonly model_info: Readonly<Record<string, unknown>>;
  readonly template: string;
}

/** The type of each field. */
const TYPES: {
  readonly [Field in keyof Required<MockModelInfo>]: "object" | "strings" | "string";
} = {
  details: "object",
  capabilities: "strings",
  model_info: "object",
  projector_info: "object",
  license: "string",
  modelfile: "string",
  parameters: "string",
  template: "string",
  system: "string",
};

const FORMS = {
  object: "an object",
  strings: "an array of strings",
  string: "a string",
};

/** Checks the fields in a description, and fills in defaults. */
export function resolveInfo(
  description: MockModelInfo,
  { name, size }: { readonly name: ModelName; readonly size: number },
): ModelInfo {
  for (const [field, type] of Object.entries(TYPES)) {
    const value: unknown = description[field as keyof MockModelInfo];
    if (value === undefined || isOfType(value, type)) continue;
    throw new ConfigurationError(
      `Cannot use the ${field} ${show(value)} of the model ${show(shortName(name))}: it must be ` +
        FORMS[type],
    );
  }
  const { capabilities = ["completion"], model_info, projector_info } = description;
  const { license, modelfile, parameters, template = "{{ .Prompt }}", system } = description;
  const details = resolveDetails(description.details ?? {}, name, size);
  return {
    details,
    capabilities,
    model_info: model_info ?? modelInfoOf(details),
    projector_info,
    license,
    modelfile,
    parameters,
    template,
    system,
  };
}

function isOfType(value: unknown, type: keyof typeof FORMS): boolean {
  if (type === "string") return typeof value === "string";
  if (type === "object") {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function resolveDetails(
  details: MockModelDetails,
  { model }: ModelName,
  size: number,
): ModelDetails {
  const { family = model } = details;
  return {
    parent_model: details.parent_model ?? "",
    format: details.format ?? "gguf",
    family,
    families: details.families ?? [family],
    parameter_size: details.parameter_size ?? humanNumber(Math.round(size * PARAMETERS_PER_BYTE)),
    quantization_level: details.quantization_level ?? "Q4_K_M",
    context_length: details.context_length ?? 131_072,
    embedding_length: details.embedding_length ?? 4_096,
  };
}

/** A parameter takes about five bits in models quantized as Q4_K_M, the default. */
const PARAMETERS_PER_BYTE = 8 / 5;

/** Units of counts, with the number of decimals the real server shows for each (observed). */
const UNITS = [
  { unit: "B", value: 1e9, decimals: 1 },
  { unit: "M", value: 1e6, decimals: 2 },
  { unit: "K", value: 1e3, decimals: 0 },
] as const;

/** A count as the real server writes it: `3.2B`, `136.73M`. */
function humanNumber(count: number): string {
  const scale = UNITS.find(({ value }) => count >= value);
  if (!scale) return String(count);
  const { unit, value, decimals } = scale;
  return (count / value).toFixed(count % value === 0 ? 0 : decimals) + unit;
}

/** The count in a text such as `3.2B`, or `undefined` if it is malformed. */
function parseHumanNumber(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([BMK]?)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Math.round(Number(digits) * (UNITS.find((each) => each.unit === unit)?.value ?? 1));
}

/** The metadata of weights, as far as it can be derived from the details. */
function modelInfoOf(details: ModelDetails): Record<string, unknown> {
  const { family, parameter_size, context_length, embedding_length } = details;
  return {
    "general.architecture": family,
    "general.parameter_count": parseHumanNumber(parameter_size),
    [`${family}.context_length`]: context_length,
    [`${family}.embedding_length`]: embedding_length,
  };
}
